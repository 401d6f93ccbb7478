/*
 * covers.c: see covers.h. What there is is read once, at the beginning, and remembered: it is asked for
 * with every track that is looked at.
 */
#include "covers.h"

#include "tutti/base/log.h"
#include "tutti/base/write_all.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define PART ".part"

struct cover {
    char name[COVER_NAME_MAX];
    bool unused; /* when it was last looked at */
    int64_t bytes;
};

struct covers {
    int directory; /* fd */
    int64_t free_bytes;
    pthread_mutex_t lock; /* of what follows; never held while the disk is waited for */
    struct cover *all;    /* COVERS_MAX of them, of which count are there */
    size_t count, next;   /* next: to be looked at by a sweep */
    int64_t bytes;
    unsigned parts; /* begun so far */
    bool said_full;
};

static bool is_name(const char *name)
{
    return strlen(name) == COVER_NAME_MAX - 1 &&
           strspn(name, "0123456789abcdef") == COVER_NAME_MAX - 1;
}

/* --- its life ------------------------------------------------------------------------------ */

static void take_file(struct covers *covers, const char *name)
{
    struct stat status;
    if (strncmp(name, PART, strlen(PART)) == 0)
        unlinkat(covers->directory, name, 0); /* of a hub that was killed */
    if (!is_name(name) || covers->count == COVERS_MAX ||
        fstatat(covers->directory, name, &status, AT_SYMLINK_NOFOLLOW) < 0 ||
        !S_ISREG(status.st_mode))
        return;
    struct cover *cover = &covers->all[covers->count++];
    *cover = (struct cover){.bytes = status.st_size};
    snprintf(cover->name, sizeof cover->name, "%s", name);
    covers->bytes += status.st_size;
}

static int take_files(struct covers *covers)
{
    const struct dirent *entry;
    int own = dup(covers->directory);
    DIR *directory = own < 0 ? NULL : fdopendir(own);
    if (!directory)
        return -errno;
    for (errno = 0; (entry = readdir(directory)); errno = 0)
        take_file(covers, entry->d_name);
    int result = errno ? -errno : 0;
    closedir(directory);
    return result;
}

static int open_folder(struct covers *covers, const char *data_directory)
{
    char path[1024];
    snprintf(path, sizeof path, "%s/" COVERS_FOLDER, data_directory);
    if (mkdir(path, 0700) < 0 && errno != EEXIST)
        return -errno;
    covers->directory = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return covers->directory < 0 ? -errno : take_files(covers);
}

struct covers *covers_create(const char *data_directory, int64_t free_bytes)
{
    struct covers *covers = calloc(1, sizeof *covers);
    if (!covers)
        return NULL;
    covers->directory = -1;
    covers->free_bytes = free_bytes;
    pthread_mutex_init(&covers->lock, NULL);
    covers->all = calloc(COVERS_MAX, sizeof *covers->all);
    int result = covers->all ? open_folder(covers, data_directory) : -ENOMEM;
    if (result == 0)
        return covers;
    log_warn("covers: %s/" COVERS_FOLDER ": %s; tracks have no pictures", data_directory,
             strerror(-result));
    covers_destroy(covers);
    return NULL;
}

void covers_destroy(struct covers *covers)
{
    if (!covers)
        return;
    if (covers->directory >= 0)
        close(covers->directory);
    pthread_mutex_destroy(&covers->lock);
    free(covers->all);
    free(covers);
}

/* --- keeping ------------------------------------------------------------------------------- */

static bool name_it(const unsigned char *bytes, size_t count, char name[COVER_NAME_MAX])
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    if (!EVP_Digest(bytes, count, digest, NULL, EVP_sha256(), NULL))
        return false;
    for (size_t i = 0; i < (COVER_NAME_MAX - 1) / 2; i++)
        snprintf(name + 2 * i, 3, "%02x", digest[i]);
    return true;
}

/* Locked. It is one of those that a track has. */
static bool is_there(struct covers *covers, const char *name)
{
    for (size_t i = 0; i < covers->count; i++)
        if (strcmp(covers->all[i].name, name) == 0) {
            covers->all[i].unused = false;
            return true;
        }
    return false;
}

/* Locked. */
static bool has_room(struct covers *covers, size_t count)
{
    struct statvfs status;
    bool has = covers->count < COVERS_MAX && covers->bytes + (int64_t)count <= COVERS_BYTES_MAX &&
               fstatvfs(covers->directory, &status) == 0 &&
               (double)status.f_bavail * (double)status.f_frsize >=
                   (double)covers->free_bytes + (double)count;
    if (!has && !covers->said_full)
        log_warn("covers: there is no room for more pictures of tracks; what follows has none");
    covers->said_full = !has;
    return has;
}

static bool write_part(const struct covers *covers, const char *part, const unsigned char *bytes,
                       size_t count)
{
    int fd = openat(covers->directory, part, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    int result = fd < 0 ? -errno : write_all(fd, bytes, count);
    if (result == 0 && fsync(fd) < 0)
        result = -errno;
    if (result < 0)
        log_warn("covers: a picture cannot be stored: %s", strerror(-result));
    if (fd >= 0)
        close(fd);
    return result == 0;
}

/* Locked. Another thread may have brought the same one meanwhile. */
static bool give_name(struct covers *covers, const char *part, const char *name, size_t count)
{
    if (is_there(covers, name))
        return unlinkat(covers->directory, part, 0) == 0;
    if (covers->count == COVERS_MAX ||
        renameat(covers->directory, part, covers->directory, name) < 0)
        return false;
    struct cover *cover = &covers->all[covers->count++];
    *cover = (struct cover){.bytes = (int64_t)count};
    snprintf(cover->name, sizeof cover->name, "%s", name);
    covers->bytes += (int64_t)count;
    return true;
}

static bool store(struct covers *covers, const unsigned char *bytes, size_t count, const char *name)
{
    char part[32];
    pthread_mutex_lock(&covers->lock);
    bool there = is_there(covers, name);
    bool room = there || has_room(covers, count);
    snprintf(part, sizeof part, PART "%u", covers->parts++);
    pthread_mutex_unlock(&covers->lock);
    if (there || !room)
        return there;
    bool kept = write_part(covers, part, bytes, count);
    if (kept) {
        pthread_mutex_lock(&covers->lock);
        kept = give_name(covers, part, name, count);
        pthread_mutex_unlock(&covers->lock);
    }
    if (!kept)
        unlinkat(covers->directory, part, 0);
    return kept && fsync(covers->directory) == 0;
}

bool covers_keep(struct covers *covers, const unsigned char *bytes, size_t count,
                 char name[COVER_NAME_MAX])
{
    if (covers && count <= PICTURE_BYTES_MAX && picture_kind(bytes, count) != PICTURE_NONE &&
        name_it(bytes, count, name) && store(covers, bytes, count, name))
        return true;
    name[0] = '\0';
    return false;
}

/* --- reading ------------------------------------------------------------------------------- */

/* 0, or -errno. */
static int look_at(int fd, struct cover_file *ret)
{
    unsigned char begin[PICTURE_PROBE_BYTES];
    struct stat status;
    if (fstat(fd, &status) < 0)
        return -errno;
    if (!S_ISREG(status.st_mode))
        return -ENOENT;
    ssize_t got = pread(fd, begin, sizeof begin, 0);
    if (got < 0)
        return -errno;
    *ret = (struct cover_file){status.st_size, picture_kind(begin, (size_t)got)};
    return ret->kind == PICTURE_NONE ? -ENOENT : 0;
}

int covers_open(const struct covers *covers, const char *name, struct cover_file *ret)
{
    if (!covers || !is_name(name))
        return -ENOENT;
    int fd = openat(covers->directory, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0)
        return errno == ELOOP ? -ENOENT : -errno;
    int result = look_at(fd, ret);
    if (result == 0)
        return fd;
    close(fd);
    return result;
}

/* --- removal ------------------------------------------------------------------------------- */

/* Locked. The last takes its place. A row that a power cut brings back names a picture that is not there,
 * and has none. */
static bool remove_one(struct covers *covers, struct cover *cover)
{
    if (unlinkat(covers->directory, cover->name, 0) < 0 && errno != ENOENT) {
        log_warn("covers: %s cannot be removed: %s", cover->name, strerror(errno));
        return false;
    }
    covers->bytes -= cover->bytes;
    *cover = covers->all[--covers->count];
    return true;
}

int covers_sweep(struct covers *covers, int (*is_used)(void *user, const char *name), void *user)
{
    int result = 0, removed = 0;
    if (!covers || pthread_mutex_trylock(&covers->lock) != 0)
        return 0;
    for (size_t i = 0; result >= 0 && i < COVERS_SWEPT && covers->count > 0; i++) {
        if (covers->next >= covers->count)
            covers->next = 0;
        struct cover *cover = &covers->all[covers->next];
        bool was_unused = cover->unused;
        result = is_used(user, cover->name);
        if (result >= 0)
            cover->unused = result == 0;
        if (result == 0 && was_unused && remove_one(covers, cover))
            removed++;
        else
            covers->next++;
        if (i + 1 >= covers->count + (size_t)removed)
            break; /* each once */
    }
    pthread_mutex_unlock(&covers->lock);
    return result < 0 ? result : removed;
}
