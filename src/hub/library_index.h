/*
 * library_index.h: what is known of the tracks of the library, in a database of its own beside the
 * hub's: it can be made anew from the files at any time, and is, where it is damaged.
 *
 * A connection belongs to one thread. One of them writes; the others see what was committed. As in
 * the store, 1: it is so, 0: it is not, -errno: it is not known.
 */
#ifndef TUTTI_HUB_LIBRARY_INDEX_H
#define TUTTI_HUB_LIBRARY_INDEX_H

#include "covers.h"
#include "db.h"
#include "tutti/core/audio_probe.h"
#include "tutti/core/track_tags.h"

#include <stdbool.h>
#include <stdint.h>

#define LIBRARY_KEY_MAX 33
#define LIBRARY_VERSION_MAX 9
#define LIBRARY_TEXT_MAX 256
/* Of a file, within its directory. */
#define LIBRARY_PATH_MAX 4096
/* What one search finds at most: more asks for another word. */
#define LIBRARY_FOUND_MAX 1000
/* The root of what was uploaded. */
#define LIBRARY_UPLOADS ""

struct library_index;

/* What a file's contents say. */
struct library_reading {
    enum audio_kind kind;
    double duration_s; /* < 0: not known */
    struct track_tags tags;
    char cover[COVER_NAME_MAX]; /* "": it brings none along; of a track: nor has its folder */
};

/* By what it is seen that a file is another one now. */
struct library_stamp {
    int64_t bytes;
    int64_t changed_ns; /* mtime */
};

struct library_track {
    char key[LIBRARY_KEY_MAX]; /* 32 hex digits: of its place, or the name of an upload */
    struct library_stamp stamp;
    struct library_reading reading; /* its tags have a title, always */
    char root[LIBRARY_TEXT_MAX * 2];
    char path[LIBRARY_PATH_MAX]; /* within root */
};

/* To write. Where it is missing, damaged, or another version's, it is made anew. NULL: it cannot be
 * used, which was said. */
struct library_index *library_index_create(const char *path);
/* To read, beside one that writes. */
struct library_index *library_index_open(const char *path);
void library_index_close(struct library_index *index);
DB_CHECKED int library_index_begin(struct library_index *index);
DB_CHECKED int library_index_end(struct library_index *index, int result);

/* --- folders: of a root, by their path within it; "" is the root itself --------------------- */

/* 1: it was known; 0: it is new. */
DB_CHECKED int library_index_folder(struct library_index *index, const char *root, const char *path,
                                    int64_t parent, int64_t *ret_id);
/* The folder in `parent` whose path comes after `path`, into it. */
DB_CHECKED int library_index_next_folder(struct library_index *index, int64_t parent,
                                         char path[LIBRARY_PATH_MAX], int64_t *ret_id);
/* The picture beside its tracks: which file it was read from ("": there was none), and which one it is: "":
 * it is none. Its tracks have it that bring none along. */
struct library_picture {
    char file[LIBRARY_TEXT_MAX];
    struct library_stamp stamp;
    char cover[COVER_NAME_MAX];
};
DB_CHECKED int library_index_picture(struct library_index *index, int64_t folder,
                                     struct library_picture *ret);
DB_CHECKED int library_index_set_picture(struct library_index *index, int64_t folder,
                                         const struct library_picture *picture);
/* With all that is in it. */
DB_CHECKED int library_index_forget_folder(struct library_index *index, int64_t id);
/* The root that comes after this one ("": the first), and the folder that it is. */
DB_CHECKED int library_index_next_root(struct library_index *index, char *root, size_t size,
                                       int64_t *ret_id);
/* Tracks in a root; NULL: in all. */
DB_CHECKED int library_index_count(struct library_index *index, const char *root, int64_t *ret);

/* --- tracks -------------------------------------------------------------------------------- */

struct library_known {
    int64_t id;
    struct library_stamp stamp;
};
/* A file that was looked at, also one that is no track. */
DB_CHECKED int library_index_known(struct library_index *index, int64_t folder, const char *file,
                                   struct library_known *ret);
/* The file of the folder whose name comes after `file`, into it. */
DB_CHECKED int library_index_next_file(struct library_index *index, int64_t folder, char *file,
                                       size_t size, int64_t *ret_id);
/* reading: NULL: it is no track. */
DB_CHECKED int library_index_put(struct library_index *index, int64_t folder, const char *file,
                                 const char *key, const struct library_stamp *stamp,
                                 const struct library_reading *reading);
DB_CHECKED int library_index_forget(struct library_index *index, int64_t id);

/* Has any track or folder this one? */
DB_CHECKED int library_index_has_cover(struct library_index *index, const char *cover);

/* The track with this key. */
DB_CHECKED int library_index_find(struct library_index *index, const char *key,
                                  struct library_track *ret);

struct library_query {
    char words[LIBRARY_TEXT_MAX]; /* "": all there is */
    char album[LIBRARY_TEXT_MAX]; /* of this one only; "": of any */
    int64_t after;                /* so many of those found are not wanted again */
    int64_t limit;
};
/*
 * Calls visit for each, in the order of artists, albums and numbers. Words match in titles,
 * artists, albums and paths, from their beginnings on. 0, or -errno: then it was not all of them.
 */
DB_CHECKED int library_index_search(struct library_index *index, const struct library_query *query,
                                    void (*visit)(void *user, const struct library_track *track),
                                    void *user);

#endif
