/*
 * settings_file.c: libinih in, options out; the first error stops it.
 *
 * Lines reach libinih through our reader, which counts them (Debian's libinih does not tell its
 * handler), refuses what libinih would cut in two, and takes the indentation away: libinih would
 * take an indented "key = value" for more of the value above it.
 */
#include "tutti/io/settings_file.h"

#include <errno.h>
#include <glob.h>
#include <ini.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct load {
    const struct option_table *table;
    void *target;
    const char *path;
    FILE *file;
    int line;
    char *error; /* "" while all is well */
};

static void fail_at_line(struct load *load, const char *what)
{
    snprintf(load->error, SETTINGS_FILE_ERROR_MAX, "%.400s:%d: %s", load->path, load->line, what);
}

static char *read_line(char *to, int size, void *user)
{
    struct load *load = user;
    char line[SETTINGS_FILE_LINE_MAX + 2];
    if (load->error[0] || !fgets(line, sizeof line, load->file))
        return NULL;
    load->line++;
    size_t length = strlen(line);
    if (length == sizeof line - 1 && line[length - 1] != '\n') {
        snprintf(load->error, SETTINGS_FILE_ERROR_MAX,
                 "%.400s:%d: the line is too long; %d bytes are allowed", load->path, load->line,
                 SETTINGS_FILE_LINE_MAX);
        return NULL;
    }
    if (length > 0 && line[length - 1] != '\n' && !feof(load->file)) {
        fail_at_line(load, "there is a zero byte in the line; only text is allowed");
        return NULL;
    }
    snprintf(to, (size_t)size, "%s", line + strspn(line, " \t"));
    return to;
}

/* A secret in a file that everybody may read is none: refused, with what mends it. */
static bool may_hold_secrets(struct load *load, const char *key)
{
    struct stat status;
    char what[512];
    if (fstat(fileno(load->file), &status) == 0 && !(status.st_mode & S_IRWXO))
        return true;
    snprintf(what, sizeof what,
             "%s: everybody may read this secret; mend it with: chmod o-rwx %.400s", key,
             load->path);
    fail_at_line(load, what);
    return false;
}

static int take_option(void *user, const char *section, const char *name, const char *value)
{
    struct load *load = user;
    char problem[OPTIONS_ERROR_MAX];
    if (load->error[0])
        return 0;
    if (!options_set(load->table, load->target, section, name, value ? value : "", problem)) {
        fail_at_line(load, problem);
        return 0;
    }
    bool secret = value && value[0] && options_is_secret(load->table, section, name);
    return !secret || may_hold_secrets(load, name);
}

static bool load_file(struct load *load, const char *path)
{
    load->path = path;
    load->line = 0;
    load->file = fopen(path, "re");
    if (!load->file) {
        snprintf(load->error, SETTINGS_FILE_ERROR_MAX, "%.400s: cannot be read: %s", path,
                 strerror(errno));
        return false;
    }
    int bad_line = ini_parse_stream(read_line, load, take_option, load);
    bool unreadable = ferror(load->file) != 0; /* a directory, say */
    fclose(load->file);
    if (unreadable)
        snprintf(load->error, SETTINGS_FILE_ERROR_MAX, "%.400s: cannot be read", path);
    else if (bad_line != 0 && (!load->error[0] || bad_line < load->line)) {
        load->line = bad_line; /* libinih goes on after a line that it does not understand */
        fail_at_line(load, "only [section], key = value and comments (# or ;) are allowed");
    }
    return !load->error[0];
}

static bool load_drop_ins(struct load *load, const char *path)
{
    char pattern[SETTINGS_TEXT_MAX + 16];
    glob_t found;
    snprintf(pattern, sizeof pattern, "%.*s.d/*.conf", SETTINGS_TEXT_MAX, path);
    if (glob(pattern, 0, NULL, &found) != 0)
        return true;
    bool good = true;
    for (size_t i = 0; good && i < found.gl_pathc; i++)
        good = load_file(load, found.gl_pathv[i]);
    globfree(&found);
    return good;
}

static bool refuse_unknown_variables(struct load *load)
{
    for (char **at = environ; *at; at++) {
        char name[OPTIONS_NAME_MAX];
        snprintf(name, sizeof name, "%.*s", (int)strcspn(*at, "="), *at);
        if (!options_is_unknown_variable(load->table, name))
            continue;
        snprintf(load->error, SETTINGS_FILE_ERROR_MAX,
                 "environment variable %s: there is no such option", name);
        return false;
    }
    return true;
}

static bool load_environment(struct load *load)
{
    for (size_t i = 0; i < load->table->count; i++) {
        const struct option_spec *spec = &load->table->specs[i];
        char name[OPTIONS_NAME_MAX], problem[OPTIONS_ERROR_MAX];
        options_variable(load->table, spec, name);
        const char *value = getenv(name);
        if (!value ||
            options_set(load->table, load->target, spec->section, spec->key, value, problem))
            continue;
        snprintf(load->error, SETTINGS_FILE_ERROR_MAX, "environment variable %s: %s", name,
                 problem);
        return false;
    }
    return refuse_unknown_variables(load);
}

bool options_file_load(const struct option_table *table, void *target, const char *path,
                       char error[SETTINGS_FILE_ERROR_MAX])
{
    struct load load = {.table = table, .target = target, .error = error};
    error[0] = '\0';
    options_init(table, target);
    if (path && (!load_file(&load, path) || !load_drop_ins(&load, path)))
        return false;
    return load_environment(&load);
}

bool settings_file_load(struct settings *settings, const char *path,
                        char error[SETTINGS_FILE_ERROR_MAX])
{
    char problem[SETTINGS_ERROR_MAX];
    memset(settings, 0, sizeof *settings);
    if (!options_file_load(&settings_table, settings, path, error))
        return false;
    if (settings_check(settings, problem))
        return true;
    snprintf(error, SETTINGS_FILE_ERROR_MAX, "%.400s: %s", path ? path : "configuration", problem);
    return false;
}
