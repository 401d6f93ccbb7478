/*
 * media.c: base64 in, files out; nothing is believed of a file that libmpg123 does not confirm.
 */
#include "media.h"

#include "store_internal.h"
#include "tutti/base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <libwebsockets.h>
#include <mpg123.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PREFIX "uploads/"

struct media {
    char *directory;
};

struct media *media_create(const char *data_directory)
{
    char path[1024];
    struct media *media = calloc(1, sizeof *media);
    if (!media)
        return NULL;
    media->directory = strdup(data_directory);
    snprintf(path, sizeof path, "%s/uploads", data_directory);
    if (mkdir(path, 0700) < 0 && errno != EEXIST) {
        log_error("media directory %s: %s", path, strerror(errno));
        media_destroy(media);
        return NULL;
    }
    return media;
}

void media_destroy(struct media *media)
{
    if (!media)
        return;
    free(media->directory);
    free(media);
}

/* Our own names only: "uploads/", then letters, digits and one dot. Nothing climbs out of that. */
static bool is_ours(const char *path)
{
    if (strncmp(path, PREFIX, strlen(PREFIX)) != 0 || strlen(path) >= MEDIA_PATH_MAX)
        return false;
    const char *name = path + strlen(PREFIX);
    return name[0] != '.' && name[0] &&
           strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789.") == strlen(name) &&
           !strstr(name, "..");
}

static void full_path(const struct media *media, const char *path, char full[1024])
{
    snprintf(full, 1024, "%s/%s", media->directory, path);
}

/* Seconds, measured; negative when it cannot be decoded. */
static double measure(const char *full)
{
    int error;
    long rate;
    int channels, encoding;
    double seconds = -1;
    mpg123_init();
    mpg123_handle *mpg = mpg123_new(NULL, &error);
    if (!mpg)
        return -1;
    mpg123_param(mpg, MPG123_ADD_FLAGS, MPG123_QUIET | MPG123_SKIP_ID3V2, 0);
    mpg123_param(mpg, MPG123_RESYNC_LIMIT, 65536, 0);
    if (mpg123_open(mpg, full) == MPG123_OK &&
        mpg123_getformat(mpg, &rate, &channels, &encoding) == MPG123_OK &&
        mpg123_scan(mpg) == MPG123_OK) {
        off_t frames = mpg123_length(mpg);
        unsigned char sample[16384];
        size_t got = 0;
        int result = mpg123_read(mpg, sample, sizeof sample, &got);
        if (frames > 0 && (result == MPG123_OK || result == MPG123_DONE) && got > 0)
            seconds = (double)frames / (double)rate;
    }
    mpg123_delete(mpg);
    return seconds;
}

static bool write_file(const char *full, const char *data, size_t bytes)
{
    int fd = open(full, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0)
        return false;
    size_t at = 0;
    while (at < bytes) {
        ssize_t written = write(fd, data + at, bytes - at);
        if (written < 0 && errno != EINTR)
            break;
        if (written > 0)
            at += (size_t)written;
    }
    bool good = at == bytes && fsync(fd) == 0;
    return close(fd) == 0 && good;
}

bool media_store_base64(struct media *media, const char *text, size_t max_bytes,
                        char path[MEDIA_PATH_MAX], double *ret_duration_s, const char **ret_error)
{
    char full[1024], name[33];
    size_t room = strlen(text) / 4 * 3 + 4;
    if (room > max_bytes + 4) {
        *ret_error = "the file is too large";
        return false;
    }
    char *data = malloc(room);
    int bytes = data ? lws_b64_decode_string(text, data, (int)room) : -1;
    if (bytes <= 0) {
        free(data);
        *ret_error = "data: base64 is wanted";
        return false;
    }
    store_random_hex(name, 32);
    snprintf(path, MEDIA_PATH_MAX, PREFIX "%s.mp3", name);
    full_path(media, path, full);
    bool stored = write_file(full, data, (size_t)bytes);
    free(data);
    if (!stored) {
        log_error("media file %s: %s", full, strerror(errno));
        unlink(full);
        *ret_error = "the file cannot be stored";
        return false;
    }
    *ret_duration_s = measure(full);
    if (*ret_duration_s >= 0)
        return true;
    unlink(full);
    *ret_error = "data: this is no mp3 that can be decoded";
    return false;
}

int media_open(struct media *media, const char *path, int64_t *ret_bytes)
{
    char full[1024];
    struct stat status;
    if (!is_ours(path))
        return -1;
    full_path(media, path, full);
    int fd = open(full, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0)
        return -1;
    if (fstat(fd, &status) < 0 || !S_ISREG(status.st_mode)) {
        close(fd);
        return -1;
    }
    *ret_bytes = status.st_size;
    return fd;
}

void media_remove(struct media *media, const char *path)
{
    char full[1024];
    if (!is_ours(path))
        return;
    full_path(media, path, full);
    unlink(full);
}
