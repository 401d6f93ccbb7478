/*
 * settings_file.h: the configuration: a file, its drop-ins, the environment, in this order.
 */
#ifndef TUTTI_IO_SETTINGS_FILE_H
#define TUTTI_IO_SETTINGS_FILE_H

#include "tutti/core/settings.h"

#include <stdbool.h>

/* File, line, and what settings.c says. */
#define SETTINGS_FILE_ERROR_MAX (SETTINGS_ERROR_MAX + 512)

/*
 * Defaults, then path, then path.d / *.conf in the order of their names, then TUTTI_SECTION_KEY
 * from the environment; then settings_check(). False with one line in error that names file, line
 * and key; *settings is then not to be used.
 */
bool settings_file_load(struct settings *settings, const char *path,
                        char error[SETTINGS_FILE_ERROR_MAX]);

#endif
