/*
 * library_scan.c: see library_scan.h. What was found is committed in batches, so that searches see
 * it soon, and whoever stops us loses little.
 */
#include "library_scan.h"

#include "library_file.h"
#include "library_picture.h"
#include "library_words.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BATCH 200

/* A folder being looked at. */
struct place {
    const char *root;
    const char *path; /* within root; "": root itself */
    int64_t id;
    int fd;
    int depth;
    bool whole; /* and all that is below it, known or not */
};

static int scan_place(struct library_scan *scan, const struct place *place);

static int commit(struct library_scan *scan)
{
    int result = library_index_end(scan->index, 0);
    scan->uncommitted = 0;
    return result < 0 ? result : library_index_begin(scan->index);
}

static int count_change(struct library_scan *scan)
{
    scan->changed++;
    return ++scan->uncommitted >= BATCH ? commit(scan) : 0;
}

static bool join(const char *path, const char *name, char to[LIBRARY_PATH_MAX])
{
    return snprintf(to, LIBRARY_PATH_MAX, "%s%s%s", path, path[0] ? "/" : "", name) <
           LIBRARY_PATH_MAX;
}

/* --- one file ------------------------------------------------------------------------------ */

static int keep(struct library_scan *scan, const struct place *place, const char *name,
                const struct library_stamp *stamp, struct library_reading *reading)
{
    char path[LIBRARY_PATH_MAX], key[LIBRARY_KEY_MAX];
    if (!join(place->path, name, path)) {
        scan->left_out++;
        return 0;
    }
    library_file_key(place->root, path, key);
    if (reading)
        library_words_complete(&reading->tags, place->path, name);
    else
        scan->refused++;
    int result = library_index_put(scan->index, place->id, name, key, stamp, reading);
    return result < 0 ? result : count_change(scan);
}

/* Of the file that was opened, whatever has its name by now. */
static int look_into(struct library_scan *scan, const struct place *place, const char *name)
{
    struct library_reading reading;
    struct stat status;
    int fd = library_file_open(place->fd, name, &status);
    if (fd < 0) {
        scan->unread += fd != -ENOENT;
        return 0;
    }
    const struct library_stamp stamp = library_file_stamp(&status);
    int result = scan->read(scan->read_user, fd, scan->stop, &reading);
    close(fd);
    if (result == -ECANCELED || result == -ENOMEM)
        return result;
    if (result < 0) {
        scan->unread++;
        return 0;
    }
    return keep(scan, place, name, &stamp, result ? &reading : NULL);
}

static int scan_file(struct library_scan *scan, const struct place *place, const char *name)
{
    struct library_known known;
    struct stat status;
    if (fstatat(place->fd, name, &status, AT_SYMLINK_NOFOLLOW) < 0 || !S_ISREG(status.st_mode))
        return 0;
    const struct library_stamp stamp = library_file_stamp(&status);
    int result = library_index_known(scan->index, place->id, name, &known);
    if (result < 0 || (result == 1 && library_stamp_same(&known.stamp, &stamp)))
        return result < 0 ? result : 0;
    if (result == 0 && scan->tracks >= scan->tracks_max) {
        scan->left_out++;
        return 0;
    }
    scan->tracks += result == 0;
    return look_into(scan, place, name);
}

/* --- the picture beside them --------------------------------------------------------------- */

/* The best of a folder so far; "": there is none. */
struct candidate {
    int rank;
    char file[LIBRARY_TEXT_MAX];
};

static void consider(struct candidate *picture, const char *name)
{
    int rank = library_picture_rank(name);
    if (rank <= picture->rank)
        return;
    picture->rank = rank;
    snprintf(picture->file, sizeof picture->file, "%s", name);
}

/* Is it the one that is known? */
static bool is_same(const struct place *place, const struct candidate *picture,
                    const struct library_picture *known)
{
    struct stat status;
    if (strcmp(picture->file, known->file) != 0)
        return false;
    if (!picture->file[0] || fstatat(place->fd, picture->file, &status, AT_SYMLINK_NOFOLLOW) < 0)
        return true;
    const struct library_stamp stamp = library_file_stamp(&status);
    return library_stamp_same(&known->stamp, &stamp);
}

/* What cannot be read is no news. */
static int scan_picture(struct library_scan *scan, const struct place *place,
                        const struct candidate *picture)
{
    struct library_picture known, now = {0};
    int result = scan->covers ? library_index_picture(scan->index, place->id, &known) : 0;
    if (result != 1 || is_same(place, picture, &known))
        return result < 0 ? result : 0;
    snprintf(now.file, sizeof now.file, "%s", picture->file);
    if (now.file[0])
        result = library_picture_keep(place->fd, now.file, scan->covers, &now.stamp, now.cover);
    if (result == -ENOENT) /* a link, or gone by now */
        return 0;
    if (result < 0) {
        scan->unread++;
        return 0;
    }
    result = library_index_set_picture(scan->index, place->id, &now);
    return result < 0 ? result : count_change(scan);
}

/* --- one folder ---------------------------------------------------------------------------- */

static int scan_subfolder(struct library_scan *scan, const struct place *place, const char *name)
{
    char path[LIBRARY_PATH_MAX];
    struct place below = {.root = place->root, .path = path, .depth = place->depth + 1};
    if (below.depth > LIBRARY_DEPTH_MAX || !join(place->path, name, path)) {
        scan->left_out++;
        return 0;
    }
    below.fd = library_file_open_folder(place->fd, name);
    if (below.fd < 0) {
        scan->unread += below.fd != -ENOENT && below.fd != -ENOTDIR;
        return 0;
    }
    int result = library_index_folder(scan->index, place->root, path, place->id, &below.id);
    below.whole = place->whole || result == 0;
    if (result == 0 || (result == 1 && place->whole))
        result = scan_place(scan, &below);
    close(below.fd);
    return result < 0 ? result : 0;
}

static bool is_folder(const struct place *place, const struct dirent *entry)
{
    struct stat status;
    if (entry->d_type != DT_UNKNOWN)
        return entry->d_type == DT_DIR;
    return fstatat(place->fd, entry->d_name, &status, AT_SYMLINK_NOFOLLOW) == 0 &&
           S_ISDIR(status.st_mode);
}

static int scan_entry(struct library_scan *scan, const struct place *place,
                      const struct dirent *entry, struct candidate *picture)
{
    if (*scan->stop)
        return -ECANCELED;
    if (entry->d_name[0] == '.')
        return 0;
    if (is_folder(place, entry))
        return scan_subfolder(scan, place, entry->d_name);
    consider(picture, entry->d_name);
    return library_words_is_track(entry->d_name) ? scan_file(scan, place, entry->d_name) : 0;
}

static int scan_entries(struct library_scan *scan, const struct place *place,
                        struct candidate *picture)
{
    const struct dirent *entry;
    int own = dup(place->fd);
    DIR *directory = own < 0 ? NULL : fdopendir(own);
    if (!directory) {
        int error = errno;
        if (own >= 0)
            close(own);
        return -error;
    }
    rewinddir(directory);
    int result = 0;
    for (errno = 0; result == 0 && (entry = readdir(directory)); errno = 0)
        result = scan_entry(scan, place, entry, picture);
    if (result == 0 && errno) {
        scan->unread++;
        result = 1; /* not all was seen: nothing is gone */
    }
    closedir(directory);
    return result;
}

static bool is_gone(int folder, const char *name, bool is_folder)
{
    struct stat status;
    if (fstatat(folder, name, &status, AT_SYMLINK_NOFOLLOW) < 0)
        return errno == ENOENT || errno == ENOTDIR;
    return is_folder ? !S_ISDIR(status.st_mode) : !S_ISREG(status.st_mode);
}

static int forget_gone_files(struct library_scan *scan, const struct place *place)
{
    char file[LIBRARY_TEXT_MAX] = "";
    int64_t id;
    int result;
    while ((result = library_index_next_file(scan->index, place->id, file, sizeof file, &id)) ==
           1) {
        if (!is_gone(place->fd, file, false))
            continue;
        result = library_index_forget(scan->index, id);
        if (result == 0)
            result = count_change(scan);
        if (result < 0)
            return result;
    }
    return result;
}

static int forget_gone_folders(struct library_scan *scan, const struct place *place)
{
    char path[LIBRARY_PATH_MAX] = "";
    int64_t id;
    int result;
    while ((result = library_index_next_folder(scan->index, place->id, path, &id)) == 1) {
        const char *slash = strrchr(path, '/');
        if (!is_gone(place->fd, slash ? slash + 1 : path, true))
            continue;
        result = library_index_forget_folder(scan->index, id);
        if (result == 0)
            result = count_change(scan);
        if (result < 0)
            return result;
    }
    return result;
}

static int scan_place(struct library_scan *scan, const struct place *place)
{
    if (scan->entered)
        scan->entered(scan->user, place->id, place->root, place->path, place->fd);
    struct candidate picture = {0};
    int result = scan_entries(scan, place, &picture);
    if (result == 0)
        result = scan_picture(scan, place, &picture);
    if (result == 0)
        result = forget_gone_files(scan, place);
    if (result == 0)
        result = forget_gone_folders(scan, place);
    return result < 0 ? result : 0;
}

/* --- a directory --------------------------------------------------------------------------- */

static bool is_empty(int fd)
{
    const struct dirent *entry;
    int own = dup(fd);
    DIR *directory = own < 0 ? NULL : fdopendir(own);
    bool empty = directory != NULL;
    if (!directory)
        return false;
    rewinddir(directory);
    while (empty && (entry = readdir(directory)))
        empty = strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0;
    closedir(directory);
    return empty;
}

/* The mount point of a disk that is not there is empty. */
static int has_lost_its_disk(struct library_scan *scan, const struct place *place)
{
    int64_t count = 0;
    if (place->path[0] || !is_empty(place->fd))
        return 0;
    int result = library_index_count(scan->index, place->root, &count);
    return result < 0 ? result : count > 0;
}

static int scan_in_batches(struct library_scan *scan, struct place *place)
{
    int result = library_index_begin(scan->index);
    if (result < 0)
        return result;
    result = library_index_count(scan->index, NULL, &scan->tracks);
    if (result == 0)
        result = library_index_folder(scan->index, place->root, place->path, 0, &place->id);
    if (result == 0 && place->path[0])
        result = -ENOENT; /* only who looked at what it is in knows where it belongs */
    if (result >= 0)
        result = scan_place(scan, place);
    /* What was found is right, however it ended. */
    int kept = library_index_end(scan->index, result == -ECANCELED ? 0 : result);
    return result < 0 ? result : kept;
}

int library_scan_root(struct library_scan *scan, const char *root)
{
    struct place place = {.root = root, .path = "", .whole = true};
    place.fd = library_file_open_root(root);
    if (place.fd < 0)
        return place.fd;
    int result = has_lost_its_disk(scan, &place);
    if (result == 0)
        result = scan_in_batches(scan, &place);
    else if (result == 1)
        result = -ENODATA;
    close(place.fd);
    return result;
}

static int open_below(const char *root, const char *path)
{
    char part[LIBRARY_TEXT_MAX];
    int fd = library_file_open_root(root);
    while (fd >= 0 && *path) {
        size_t length = strcspn(path, "/");
        snprintf(part, sizeof part, "%.*s", (int)length, path);
        int below = library_file_open_folder(fd, part);
        close(fd);
        fd = below;
        path += length + (path[length] == '/');
    }
    return fd;
}

static int depth_of(const char *path)
{
    int depth = path[0] != '\0';
    for (; *path; path++)
        depth += *path == '/';
    return depth;
}

int library_scan_folder(struct library_scan *scan, const char *root, const char *path)
{
    struct place place = {.root = root, .path = path, .depth = depth_of(path)};
    place.fd = open_below(root, path);
    if (place.fd < 0)
        return place.fd;
    int result = has_lost_its_disk(scan, &place);
    if (result == 0)
        result = scan_in_batches(scan, &place);
    else if (result == 1)
        result = -ENODATA;
    close(place.fd);
    return result;
}

static bool is_listed(const char *root, const char *const *roots)
{
    if (strcmp(root, LIBRARY_UPLOADS) == 0)
        return true;
    for (; *roots; roots++)
        if (strcmp(*roots, root) == 0)
            return true;
    return false;
}

int library_scan_forget_others(struct library_scan *scan, const char *const *roots)
{
    char root[2 * LIBRARY_TEXT_MAX] = "";
    int64_t id;
    int found;
    int result = library_index_begin(scan->index);
    if (result < 0)
        return result;
    while ((found = library_index_next_root(scan->index, root, sizeof root, &id)) == 1) {
        if (is_listed(root, roots))
            continue;
        found = library_index_forget_folder(scan->index, id);
        if (found < 0)
            break;
        scan->changed++;
    }
    return library_index_end(scan->index, found < 0 ? found : 0);
}
