/*
 * boot_settings.h: the few options that somebody writes into tutti.conf, on the boot partition of an
 * SD card, in whatever editor his PC has: lines of key = value, no section needed.
 *
 * What comes out is a drop-in of tuttid.conf, of the same options, which is read by the same function.
 */
#ifndef TUTTI_CORE_BOOT_SETTINGS_H
#define TUTTI_CORE_BOOT_SETTINGS_H

#include "tutti/core/settings.h"

#include <stdbool.h>
#include <stddef.h>

#define BOOT_SETTINGS_COUNT 5
#define BOOT_SETTINGS_VALUE_MAX 160 /* with its key, a line that the configuration's reader takes */
#define BOOT_SETTINGS_LINE_MAX 256
#define BOOT_SETTINGS_TEXT_MAX 2048

struct boot_settings {
    struct {
        bool given;
        char value[BOOT_SETTINGS_VALUE_MAX];
    } options[BOOT_SETTINGS_COUNT];
};

/*
 * Adds what the text gives to *settings; what it does not mention stays. Calls problem once for each
 * line that is wrong, with its number and no line end; false if there was one.
 */
bool boot_settings_parse(const char *text, size_t bytes, struct boot_settings *settings,
                         void (*problem)(void *user, const char *line), void *user);

/* What from gives replaces what into gave. */
void boot_settings_merge(struct boot_settings *into, const struct boot_settings *from);

/* Sets them in a program's options: for settings_check(). */
void boot_settings_apply(const struct boot_settings *from, struct settings *to);

/* "name, url": what is given. */
void boot_settings_list(const struct boot_settings *settings, char *to, size_t size);

/* As a file of the configuration. */
void boot_settings_print(const struct boot_settings *settings, char to[BOOT_SETTINGS_TEXT_MAX]);

#endif
