/*
 * settings_file.h: the configuration: a file, its drop-ins, the environment, in this order.
 */
#ifndef TUTTI_IO_SETTINGS_FILE_H
#define TUTTI_IO_SETTINGS_FILE_H

#include "tutti/core/options.h"
#include "tutti/core/settings.h"

#include <stdbool.h>

/* File, line, and what options.c says. */
#define SETTINGS_FILE_ERROR_MAX (SETTINGS_ERROR_MAX + 512)
/* libinih's limit as Debian builds it. Longer values fit into the environment. */
#define SETTINGS_FILE_LINE_MAX 198

/*
 * Any program's options: defaults, then path, then path.d / *.conf in the order of their names,
 * then NAME_SECTION_KEY from the environment. False with one line in error that names file, line
 * and key; the target is then not to be used. path NULL: defaults and environment only. A secret in
 * a file that everybody may read is such an error.
 */
bool options_file_load(const struct option_table *table, void *target, const char *path,
                       char error[SETTINGS_FILE_ERROR_MAX]);

/* tuttid's, and settings_check(). */
bool settings_file_load(struct settings *settings, const char *path,
                        char error[SETTINGS_FILE_ERROR_MAX]);

#endif
