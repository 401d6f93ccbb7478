/*
 * settings_warnings.c: what is allowed, and yet hardly what somebody meant.
 */
#include "tutti/core/settings.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

struct warnings {
    settings_warn each;
    void *user;
};

static void warn(const struct warnings *to, const char *what)
{
    to->each(to->user, what);
}

static void warn_of_roles(const struct settings *settings, const struct warnings *to)
{
    bool host = settings->backend.role == SETTINGS_HOST;
    if (!host && settings->backend.auto_advance)
        warn(to, "[backend] auto_advance does nothing for a guest: the host goes on to the next "
                 "track; take it out, or set role = host");
    if (host && settings->backend.join_code[0])
        warn(to, "[backend] join_code does nothing for a host, who makes a session of its own; "
                 "take it out, or set role = guest");
    if (settings->backend.repeat != SETTINGS_REPEAT_OFF && !settings->backend.auto_advance)
        warn(to, "[backend] repeat does nothing without auto_advance = true");
}

/* "Kitchen # mine", and not "Kitchen #2". */
static bool has_comment(const char *text)
{
    for (const char *at = text; (at = strchr(at, '#')); at++)
        if (at > text && isspace((unsigned char)at[-1]) && !isdigit((unsigned char)at[1]))
            return true;
    return false;
}

/* A shell takes such a comment for one. */
static bool is_command(const struct option_spec *spec)
{
    return strncmp(spec->key, "on_", 3) == 0;
}

void options_list_warnings(const struct option_table *table, const void *target, settings_warn each,
                           void *user)
{
    for (size_t i = 0; i < table->count; i++) {
        const struct option_spec *spec = &table->specs[i];
        char line[OPTIONS_NAME_MAX + 160];
        if (spec->kind != OPTION_TEXT || is_command(spec) ||
            !has_comment((const char *)target + spec->offset))
            continue;
        snprintf(line, sizeof line,
                 "[%s] %s has a # in its value: behind a value, only a blank and ; begin a comment",
                 spec->section, spec->key);
        each(user, line);
    }
}

void settings_list_warnings(const struct settings *settings, settings_warn each, void *user)
{
    struct warnings to = {each, user};
    warn_of_roles(settings, &to);
    options_list_warnings(&settings_table, settings, each, user);
}
