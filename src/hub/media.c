/*
 * media.c: names, files, and what may be opened.
 */
#include "media_internal.h"
#include "tutti/base/log.h"
#include "tutti/io/background.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

void media_full_path(const struct media *media, const char *path, char full[MEDIA_FULL_PATH_MAX])
{
    snprintf(full, MEDIA_FULL_PATH_MAX, "%s/%s", media->directory, path);
}

int media_sync_directory(const struct media *media, const char *folder)
{
    char full[MEDIA_FULL_PATH_MAX];
    media_full_path(media, folder, full);
    int fd = open(full, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    int result = fsync(fd) < 0 ? -errno : 0;
    close(fd);
    return result;
}

int64_t media_size(const struct media *media, const char *path)
{
    char full[MEDIA_FULL_PATH_MAX];
    struct stat status;
    media_full_path(media, path, full);
    if (stat(full, &status) == 0)
        return S_ISREG(status.st_mode) ? status.st_size : 0;
    return errno == ENOENT ? 0 : -errno;
}

void media_run(struct background *background, void (*work)(void *job), void (*done)(void *job),
               void *job)
{
    if (background) {
        background_run(background, work, done, job);
        return;
    }
    work(job);
    done(job);
}

int media_each_file(struct media *media, const char *folder,
                    int (*visit)(struct media *media, const char *name, void *user), void *user)
{
    char full[MEDIA_FULL_PATH_MAX];
    const struct dirent *entry;
    int result = 0;
    media_full_path(media, folder, full);
    DIR *directory = opendir(full);
    if (!directory)
        return -errno;
    for (errno = 0; result == 0 && (entry = readdir(directory)); errno = 0)
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0 &&
            strlen(entry->d_name) + strlen(MEDIA_QUARANTINE) < MEDIA_PATH_MAX)
            result = visit(media, entry->d_name, user);
    if (result == 0 && errno)
        result = -errno;
    closedir(directory);
    return result;
}

/* Hidden ones are uploads that are not finished. */
static int count_file(struct media *media, const char *name, void *user)
{
    char path[MEDIA_PATH_MAX + 16];
    snprintf(path, sizeof path, "%s%s", (const char *)user, name);
    if (name[0] == '.')
        return 0;
    int64_t bytes = media_size(media, path);
    if (bytes < 0)
        log_error("media file %s: %s; it counts as the largest there may be", path,
                  strerror((int)-bytes));
    media->used_bytes += bytes < 0 ? media->limits.track_bytes : bytes;
    return 0;
}

static int discard_part(struct media *media, const char *name, void *user)
{
    char path[MEDIA_PATH_MAX + 16], full[MEDIA_FULL_PATH_MAX];
    snprintf(path, sizeof path, "%s%s", (const char *)user, name);
    media_full_path(media, path, full);
    if (name[0] == '.')
        unlink(full);
    return 0;
}

static int make_folder(struct media *media, char *folder)
{
    char full[MEDIA_FULL_PATH_MAX];
    media_full_path(media, folder, full);
    if (mkdir(full, 0700) < 0 && errno != EEXIST)
        return -errno;
    return media_each_file(media, folder, count_file, folder);
}

struct media *media_open_beside(const char *data_directory, const struct media_limits *limits)
{
    char uploads[] = MEDIA_UPLOADS, quarantine[] = MEDIA_QUARANTINE;
    struct media *media = calloc(1, sizeof *media);
    if (!media)
        return NULL;
    media->limits = *limits;
    media->directory = strdup(data_directory);
    int result = media->directory ? make_folder(media, uploads) : -ENOMEM;
    if (result == 0)
        result = make_folder(media, quarantine);
    if (result == 0)
        return media;
    log_error("media directory %s: %s", data_directory, strerror(-result));
    media_destroy(media);
    return NULL;
}

struct media *media_create(const char *data_directory, const struct media_limits *limits)
{
    char uploads[] = MEDIA_UPLOADS;
    struct media *media = media_open_beside(data_directory, limits);
    if (media && media_each_file(media, uploads, discard_part, uploads) < 0)
        log_warn("unfinished uploads of before could not be removed");
    return media;
}

void media_set_limits(struct media *media, const struct media_limits *limits)
{
    media->limits = *limits;
}

void media_use_background(struct media *media, struct background *background,
                          struct background *measuring)
{
    media->background = background;
    media->measuring = measuring;
}

void media_destroy(struct media *media)
{
    if (!media)
        return;
    free(media->directory);
    free(media);
}

/* Our own names only: "uploads/", then letters, digits and one dot. Nothing climbs out of that. */
bool media_is_ours(const char *path)
{
    if (strncmp(path, MEDIA_UPLOADS, strlen(MEDIA_UPLOADS)) != 0 || strlen(path) >= MEDIA_PATH_MAX)
        return false;
    const char *name = path + strlen(MEDIA_UPLOADS);
    return name[0] != '.' && name[0] &&
           strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789.") == strlen(name) &&
           !strstr(name, "..");
}

int media_open(struct media *media, const char *path, struct media_file *ret)
{
    char full[MEDIA_FULL_PATH_MAX];
    struct stat status;
    if (!media_is_ours(path))
        return -ENOENT;
    media_full_path(media, path, full);
    int fd = open(full, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0)
        return errno == ELOOP ? -ENOENT : -errno;
    int result = fstat(fd, &status) < 0 ? -errno : S_ISREG(status.st_mode) ? 0 : -ENOENT;
    if (result < 0) {
        close(fd);
        return result;
    }
    *ret = (struct media_file){status.st_size, status.st_mtime};
    return fd;
}

/* --- removal ------------------------------------------------------------------------------- */

/*
 * The row is gone from SQLite's log, which may not be on the disk yet: were the file's end to
 * survive a power cut and the row's not, a track would be named that is not there. So the log is
 * synced first. Failing that, the file stays, to be put aside one day as one that nothing names.
 */
struct removal {
    char wal[MEDIA_FULL_PATH_MAX];
    char file[MEDIA_FULL_PATH_MAX];
};

static bool sync_log(const char *path)
{
    int fd = open(path, O_RDWR | O_CLOEXEC);
    if (fd < 0)
        return errno == ENOENT;
    bool synced = fdatasync(fd) == 0;
    close(fd);
    return synced;
}

static void remove_file(void *job)
{
    struct removal *removal = job;
    if (!sync_log(removal->wal) || (unlink(removal->file) < 0 && errno != ENOENT))
        log_debug("%s was not removed", removal->file);
}

void media_remove(struct media *media, const char *path)
{
    struct removal *removal = media_is_ours(path) ? malloc(sizeof *removal) : NULL;
    if (!removal)
        return;
    media_full_path(media, "hub.sqlite-wal", removal->wal);
    media_full_path(media, path, removal->file);
    int64_t bytes = media_size(media, path);
    media->used_bytes -= bytes > 0 ? bytes : 0;
    media_run(media->background, remove_file, free, removal);
}
