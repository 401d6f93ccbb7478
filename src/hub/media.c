/*
 * media.c: names, files, and what may be opened.
 */
#include "media_internal.h"
#include "tutti/base/log.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PREFIX "uploads/"

void media_full_path(const struct media *media, const char *path, char full[MEDIA_FULL_PATH_MAX])
{
    snprintf(full, MEDIA_FULL_PATH_MAX, "%s/%s", media->directory, path);
}

static int64_t size_of(const char *full)
{
    struct stat status;
    return stat(full, &status) == 0 && S_ISREG(status.st_mode) ? status.st_size : 0;
}

/* Calls visit for every file; hidden ones are unfinished uploads. */
static void for_each_file(struct media *media,
                          void (*visit)(struct media *media, const char *path, void *user),
                          void *user)
{
    char full[MEDIA_FULL_PATH_MAX], path[MEDIA_PATH_MAX];
    const struct dirent *entry;
    media_full_path(media, PREFIX, full);
    DIR *directory = opendir(full);
    while (directory && (entry = readdir(directory))) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0 ||
            strlen(entry->d_name) >= MEDIA_PATH_MAX - strlen(PREFIX))
            continue;
        snprintf(path, sizeof path, PREFIX "%s", entry->d_name);
        visit(media, path, user);
    }
    if (directory)
        closedir(directory);
}

static void count_or_discard(struct media *media, const char *path, void *user)
{
    char full[MEDIA_FULL_PATH_MAX];
    (void)user;
    media_full_path(media, path, full);
    if (path[strlen(PREFIX)] == '.')
        unlink(full);
    else
        media->used_bytes += size_of(full);
}

struct media *media_create(const char *data_directory, const struct media_limits *limits)
{
    char path[MEDIA_FULL_PATH_MAX];
    struct media *media = calloc(1, sizeof *media);
    if (!media)
        return NULL;
    media->limits = *limits;
    media->directory = strdup(data_directory);
    snprintf(path, sizeof path, "%s/" PREFIX, data_directory);
    if (!media->directory || (mkdir(path, 0700) < 0 && errno != EEXIST)) {
        log_error("media directory %s: %s", path, strerror(errno));
        media_destroy(media);
        return NULL;
    }
    for_each_file(media, count_or_discard, NULL);
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

int media_open(struct media *media, const char *path, struct media_file *ret)
{
    char full[MEDIA_FULL_PATH_MAX];
    struct stat status;
    if (!is_ours(path))
        return -1;
    media_full_path(media, path, full);
    int fd = open(full, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0)
        return -1;
    if (fstat(fd, &status) < 0 || !S_ISREG(status.st_mode)) {
        close(fd);
        return -1;
    }
    *ret = (struct media_file){status.st_size, status.st_mtime};
    return fd;
}

void media_remove(struct media *media, const char *path)
{
    char full[MEDIA_FULL_PATH_MAX];
    if (!is_ours(path))
        return;
    media_full_path(media, path, full);
    int64_t bytes = size_of(full);
    if (unlink(full) == 0)
        media->used_bytes -= bytes;
}

struct sweep {
    bool (*is_known)(void *user, const char *path);
    void *user;
};

static void sweep_one(struct media *media, const char *path, void *user)
{
    const struct sweep *sweep = user;
    if (is_ours(path) && !sweep->is_known(sweep->user, path))
        media_remove(media, path);
}

void media_sweep(struct media *media, bool (*is_known)(void *user, const char *path), void *user)
{
    struct sweep sweep = {is_known, user};
    for_each_file(media, sweep_one, &sweep);
}
