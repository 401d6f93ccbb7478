/*
 * option_rows.h: the rows of a table of options, one line each: section, key, ..., default, help.
 *
 * For the source that defines the table. OPTION_TARGET is the struct whose members they are;
 * section and key are the member's names: [backend] url is target.backend.url.
 */
#ifndef TUTTI_CORE_OPTION_ROWS_H
#define TUTTI_CORE_OPTION_ROWS_H

#include "tutti/core/options.h"

#include <stddef.h>

/* NOLINTBEGIN(bugprone-macro-parentheses): a member's name cannot stand in parentheses. */
#define AT(of, name) .offset = offsetof(OPTION_TARGET, of.name)
#define SIZE(of, name) .size = sizeof(((OPTION_TARGET *)0)->of.name)
#define ROW(of, name, default_text, help_text)                                                     \
    .section = #of, .key = #name, AT(of, name), .fallback = default_text, .help = help_text
#define TEXT(of, name, fallback, help)                                                             \
    {                                                                                              \
        ROW(of, name, fallback, help), .kind = OPTION_TEXT, SIZE(of, name)                         \
    }
#define SECRET(of, name, fallback, help)                                                           \
    {                                                                                              \
        ROW(of, name, fallback, help), .kind = OPTION_TEXT, SIZE(of, name), .secret = true         \
    }
#define CHECKED(of, name, fallback, help, words, is_valid)                                         \
    {                                                                                              \
        ROW(of, name, fallback, help), .kind = OPTION_TEXT, SIZE(of, name), .takes = words,        \
                                       .valid = is_valid                                           \
    }
#define INTEGER(of, name, least, most, fallback, help)                                             \
    {                                                                                              \
        ROW(of, name, fallback, help), .kind = OPTION_INTEGER, .low = least, .high = most          \
    }
#define REAL(of, name, least, most, fallback, help)                                                \
    {                                                                                              \
        ROW(of, name, fallback, help), .kind = OPTION_REAL, .low = least, .high = most             \
    }
#define BOOLEAN(of, name, fallback, help)                                                          \
    {                                                                                              \
        ROW(of, name, fallback, help), .kind = OPTION_BOOL                                         \
    }
#define CHOICE(of, name, words, fallback, help)                                                    \
    {                                                                                              \
        ROW(of, name, fallback, help), .kind = OPTION_CHOICE, .choices = words                     \
    }
/* NOLINTEND(bugprone-macro-parentheses) */

#endif
