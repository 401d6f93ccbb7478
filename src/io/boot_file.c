/*
 * boot_file.c: read, judged, written, and only then renamed.
 *
 * The partition is FAT, and anybody who holds the card may write to it: what is there is read with a
 * bound, and nothing of it is repeated in the log but what is known to be harmless.
 */
#include "tutti/io/boot_file.h"

#include "disk.h"
#include "tutti/base/log.h"
#include "tutti/core/boot_settings.h"
#include "tutti/io/settings_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define NAME "tutti.conf"
#define DONE_NAME NAME ".done"
#define ERRORS_NAME "tutti-errors.txt"
#define DROP_IN_NAME "50-boot.conf"
#define FILE_BYTES_MAX 16384
#define PATH_BYTES 1024
#define ERRORS_MAX 20
#define ERRORS_BYTES ((ERRORS_MAX + 2) * (SETTINGS_FILE_ERROR_MAX + PATH_BYTES))

/* FAT knows no other: it refuses a mode without what its files have. */
#define FAT_MODE 0755

struct taking {
    const char *directory, *config_path;
    char path[PATH_BYTES]; /* of the file */
    char drop_in_dir[PATH_BYTES];
    char drop_in[PATH_BYTES + 32];
    const char *reading; /* the file that a problem is of */
    int problems;
    char *errors; /* for the PC: its line ends are Windows' */
};

__attribute__((format(printf, 2, 3))) static void add(struct taking *taking, const char *format,
                                                      ...)
{
    size_t used = strlen(taking->errors);
    va_list words;
    va_start(words, format);
    vsnprintf(taking->errors + used, ERRORS_BYTES - used, format, words);
    va_end(words);
}

static void take_problem(void *user, const char *line)
{
    struct taking *taking = user;
    if (++taking->problems > ERRORS_MAX)
        return;
    log_error("%s: %s", taking->reading, line);
    add(taking, "%s: %s\r\n", taking->reading, line);
}

static void take_error(struct taking *taking, const char *path, int error)
{
    taking->reading = path;
    take_problem(taking, strerror(error));
}

/* --- reading ------------------------------------------------------------------------------- */

/* At most FILE_BYTES_MAX of a regular file. -1 with errno: not readable, EFBIG: larger. */
static ssize_t read_whole(const char *path, char text[FILE_BYTES_MAX + 1])
{
    struct stat status;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK | O_NOFOLLOW);
    if (fd < 0)
        return -1;
    ssize_t bytes = -1;
    if (fstat(fd, &status) == 0) {
        errno = S_ISREG(status.st_mode) ? 0 : EINVAL;
        bytes = errno ? -1 : read(fd, text, FILE_BYTES_MAX + 1);
    }
    if (bytes > FILE_BYTES_MAX) {
        errno = EFBIG;
        bytes = -1;
    }
    int error = errno;
    close(fd);
    errno = error;
    return bytes;
}

static void read_into(struct taking *taking, const char *path, struct boot_settings *settings)
{
    static char text[FILE_BYTES_MAX + 1];
    ssize_t bytes = read_whole(path, text);
    taking->reading = path;
    if (bytes >= 0)
        boot_settings_parse(text, (size_t)bytes, settings, take_problem, taking);
    else if (errno != ENOENT)
        take_error(taking, path, errno);
}

static bool find_file(struct taking *taking)
{
    static const char *const names[] = {NAME, NAME ".txt"};
    struct stat status;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        snprintf(taking->path, sizeof taking->path, "%s/%s", taking->directory, names[i]);
        if (lstat(taking->path, &status) == 0)
            return true;
        if (errno != ENOENT && errno != ENOTDIR) {
            take_error(taking, taking->path, errno);
            return true;
        }
    }
    return false;
}

/* A token or password is for one backend, and whoever wrote it down has said for which. */
static bool leads_elsewhere(const struct settings *before, const struct settings *whole)
{
    bool secret = before->backend.token[0] || before->backend.token_file[0] ||
                  before->backend.house_password[0];
    return secret && strcmp(before->backend.url, whole->backend.url) != 0;
}

static void judge(struct taking *taking, struct settings *before, struct settings *whole,
                  const struct boot_settings *given)
{
    char error[SETTINGS_FILE_ERROR_MAX];
    if (!settings_file_load(before, taking->config_path, error)) {
        take_problem(taking, error); /* what it holds is not known, so nothing is changed in it */
        return;
    }
    *whole = *before;
    boot_settings_apply(given, whole);
    if (leads_elsewhere(before, whole))
        take_problem(taking,
                     "url: the speaker has a token or password that is for another address; "
                     "change them together, in its own configuration");
    else if (!settings_check(whole, error))
        take_problem(taking, error);
}

/* Together with the rest of the configuration. */
static void check_whole(struct taking *taking, const struct boot_settings *given)
{
    struct settings *both = malloc(2 * sizeof *both);
    taking->reading = taking->path;
    if (!both) {
        take_error(taking, taking->path, ENOMEM);
        return;
    }
    judge(taking, &both[0], &both[1], given);
    explicit_bzero(both, 2 * sizeof *both);
    free(both);
}

/* --- writing ------------------------------------------------------------------------------- */

/* The group that may read the configuration may read this part of it. */
static int give_to_group(const struct taking *taking)
{
    struct stat status;
    if (stat(taking->config_path, &status) < 0)
        return errno == ENOENT ? 0 : -errno;
    return chown(taking->drop_in, (uid_t)-1, status.st_gid) < 0 ? -errno : 0;
}

static int write_drop_in(const struct taking *taking, const struct boot_settings *settings)
{
    char text[BOOT_SETTINGS_TEXT_MAX], parent[PATH_BYTES];
    if (mkdir(taking->drop_in_dir, 0755) < 0 && errno != EEXIST)
        return -errno;
    boot_settings_print(settings, text);
    int result = disk_replace_file(taking->drop_in, text, 0640);
    if (result == 0)
        result = give_to_group(taking);
    disk_sync_directory(taking->drop_in_dir);
    snprintf(parent, sizeof parent, "%s", taking->drop_in_dir);
    *strrchr(parent, '/') = '\0';
    disk_sync_directory(parent[0] ? parent : "/");
    return result;
}

static void in_directory(const struct taking *taking, const char *name, char path[PATH_BYTES])
{
    snprintf(path, PATH_BYTES, "%s/%s", taking->directory, name);
}

static void finish(const struct taking *taking, const struct boot_settings *fresh)
{
    char done[PATH_BYTES], errors[PATH_BYTES], list[100];
    in_directory(taking, DONE_NAME, done);
    in_directory(taking, ERRORS_NAME, errors);
    boot_settings_list(fresh, list, sizeof list);
    log_info("%s: taken over into %s: %s", taking->path, taking->drop_in,
             list[0] ? list : "nothing");
    if (rename(taking->path, done) < 0)
        log_warn("%s: cannot be renamed: %s; it is taken over again at each start, until it is "
                 "removed",
                 taking->path, strerror(errno));
    unlink(errors);
    disk_sync_directory(taking->directory);
}

static void tell_pc(struct taking *taking)
{
    char path[PATH_BYTES];
    if (taking->problems > ERRORS_MAX)
        add(taking, "... and %d more\r\n", taking->problems - ERRORS_MAX);
    add(taking, "Nothing was taken over. Mend the file, and start the speaker with it again.\r\n");
    in_directory(taking, ERRORS_NAME, path);
    int result = disk_replace_file(path, taking->errors, FAT_MODE);
    if (result < 0)
        log_warn("%s: cannot be written: %s", path, strerror(-result));
    disk_sync_directory(taking->directory);
}

static enum boot_file_result take(struct taking *taking)
{
    struct boot_settings whole = {0}, fresh = {0};
    if (!find_file(taking))
        return BOOT_FILE_NONE;
    if (taking->problems == 0) {
        read_into(taking, taking->drop_in, &whole);
        read_into(taking, taking->path, &fresh);
        boot_settings_merge(&whole, &fresh);
    }
    if (taking->problems == 0)
        check_whole(taking, &whole);
    if (taking->problems == 0) {
        int result = write_drop_in(taking, &whole);
        if (result < 0)
            take_error(taking, taking->drop_in, -result);
    }
    if (taking->problems > 0) {
        tell_pc(taking);
        return BOOT_FILE_REFUSED;
    }
    finish(taking, &fresh);
    return BOOT_FILE_TAKEN;
}

enum boot_file_result boot_file_take(const char *directory, const char *config_path)
{
    struct taking taking = {.directory = directory, .config_path = config_path};
    taking.errors = calloc(1, ERRORS_BYTES);
    if (!taking.errors) {
        log_error("%s: out of memory", directory);
        return BOOT_FILE_REFUSED;
    }
    snprintf(taking.drop_in_dir, sizeof taking.drop_in_dir, "%.1000s.d", config_path);
    snprintf(taking.drop_in, sizeof taking.drop_in, "%s/" DROP_IN_NAME, taking.drop_in_dir);
    enum boot_file_result result = take(&taking);
    free(taking.errors);
    return result;
}
