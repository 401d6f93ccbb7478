/*
 * settings_file.c: libinih in, settings out; the first error stops it.
 */
#include "tutti/io/settings_file.h"

#include <ctype.h>
#include <errno.h>
#include <glob.h>
#include <ini.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct load {
    struct settings *settings;
    const char *path;
    FILE *file;
    int line; /* Debian's libinih does not tell its handler, so its reader counts */
    char *error;
};

static char *read_line(char *to, int size, void *user)
{
    struct load *load = user;
    load->line++;
    return fgets(to, size, load->file);
}

static int take_option(void *user, const char *section, const char *name, const char *value)
{
    struct load *load = user;
    char error[SETTINGS_ERROR_MAX];
    if (load->error[0])
        return 0;
    if (settings_set(load->settings, section, name, value ? value : "", error))
        return 1;
    snprintf(load->error, SETTINGS_FILE_ERROR_MAX, "%.400s:%d: %s", load->path, load->line, error);
    return 0;
}

static bool load_file(struct load *load, const char *path)
{
    load->path = path;
    load->error[0] = '\0';
    load->line = 0;
    load->file = fopen(path, "re");
    if (!load->file) {
        snprintf(load->error, SETTINGS_FILE_ERROR_MAX, "%.400s: cannot be read: %s", path,
                 strerror(errno));
        return false;
    }
    int result = ini_parse_stream(read_line, load, take_option, load);
    fclose(load->file);
    if (result == 0)
        return true;
    if (!load->error[0])
        snprintf(load->error, SETTINGS_FILE_ERROR_MAX,
                 "%.400s:%d: neither [section], key = value nor a comment", path, result);
    return false;
}

static bool load_drop_ins(struct load *load, const char *path)
{
    char pattern[SETTINGS_TEXT_MAX + 16];
    glob_t found;
    snprintf(pattern, sizeof pattern, "%s.d/*.conf", path);
    if (glob(pattern, 0, NULL, &found) != 0)
        return true;
    bool good = true;
    for (size_t i = 0; good && i < found.gl_pathc; i++)
        good = load_file(load, found.gl_pathv[i]);
    globfree(&found);
    return good;
}

static bool load_environment(struct load *load)
{
    struct settings_row row;
    for (size_t i = 0; settings_row(i, &row); i++) {
        char name[128], error[SETTINGS_ERROR_MAX];
        snprintf(name, sizeof name, "TUTTI_%s_%s", row.section, row.key);
        for (char *c = name; *c; c++)
            *c = (char)toupper((unsigned char)*c);
        const char *value = getenv(name);
        if (!value || settings_set(load->settings, row.section, row.key, value, error))
            continue;
        snprintf(load->error, SETTINGS_FILE_ERROR_MAX, "environment variable %s: %s", name, error);
        return false;
    }
    return true;
}

bool settings_file_load(struct settings *settings, const char *path,
                        char error[SETTINGS_FILE_ERROR_MAX])
{
    struct load load = {.settings = settings, .error = error};
    char problem[SETTINGS_ERROR_MAX];
    settings_init(settings);
    if (!load_file(&load, path) || !load_drop_ins(&load, path) || !load_environment(&load))
        return false;
    if (settings_check(settings, problem))
        return true;
    snprintf(error, SETTINGS_FILE_ERROR_MAX, "%.400s: %s", path, problem);
    return false;
}
