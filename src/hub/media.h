/*
 * media.h: uploaded tracks, as files under the data directory.
 *
 * An upload is written as it comes and checked on the way; it gets its name when it was whole and
 * good and is on the disk, so that a row that names it never outlives it. One that is not finished
 * leaves nothing behind, after a kill not beyond the next start.
 *
 * What nothing names any more is put aside, in quarantine/, before it is removed for good.
 */
#ifndef TUTTI_HUB_MEDIA_H
#define TUTTI_HUB_MEDIA_H

#include "formats.h"
#include "measure.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MEDIA_PATH_MAX 128
#define MEDIA_UPLOADS_MAX 32
/* How long files are kept that nothing names. */
#define MEDIA_QUARANTINE_S (INT64_C(30) * 86400)

struct media_limits {
    int64_t track_bytes;
    int64_t disk_bytes; /* of all tracks together, those put aside included */
    int64_t free_bytes; /* to be left on the file system */
    formats_t formats;  /* that are taken */
};

struct background;
struct media;

/* NULL after a line in the log, also when what is there cannot be read. */
struct media *media_create(const char *data_directory, const struct media_limits *limits);
/* The same beside a running hub, whose unfinished uploads stay. */
struct media *media_open_beside(const char *data_directory, const struct media_limits *limits);
void media_set_limits(struct media *media, const struct media_limits *limits);
/* Who waits for the disk, and who for the decoder that measures a track, instead of the loop. NULL:
 * everything is done at once. */
void media_use_background(struct media *media, struct background *background,
                          struct background *measuring);
/* After the backgrounds' ends. NULL is fine. */
void media_destroy(struct media *media);

/* Bytes that must go before there is room for one more track, whatever its size; <= 0: none. */
int64_t media_lacking(const struct media *media);

struct media_upload;

/* NULL: none can be taken now; status and reason are said then. */
struct media_upload *media_upload_begin(struct media *media, int *ret_status,
                                        const char **ret_reason);
/* Failures are kept for media_upload_finish() to tell; what follows them is ignored. */
void media_upload_feed(struct media_upload *upload, const void *bytes, size_t count);
void media_upload_feed_base64(struct media_upload *upload, const char *text, size_t count);
int64_t media_upload_bytes(const struct media_upload *upload);
/* After the last byte: judges the upload, measures it, syncs it to the disk, names it, and calls done. */
void media_upload_settle(struct media_upload *upload, void (*done)(void *user), void *user);
/*
 * When it has settled (it is, if need be, at once). True: the file is there as path
 * ("uploads/x.mp3"), and goes again with the upload unless it is kept. False: an HTTP status and a
 * line for people, and there is no file.
 */
bool media_upload_finish(struct media_upload *upload, char path[MEDIA_PATH_MAX],
                         struct measurement *ret_track, int *ret_status, const char **ret_reason);
/* Something names the file, or may do so. */
void media_upload_keep(struct media_upload *upload);
/* NULL is fine. done is not called any more. */
void media_upload_destroy(struct media_upload *upload);

struct media_file {
    int64_t bytes;
    int64_t stored_s; /* UTC, since 1970 */
};

/* Opens "uploads/NAME" for reading; -ENOENT when there is no such file, or it is not one of ours;
 * another -errno when it cannot be read. */
int media_open(struct media *media, const char *path, struct media_file *ret);
/* What nothing names any more, and somebody wanted it so. It goes when that is on the disk. */
void media_remove(struct media *media, const char *path);

/*
 * Puts every file aside of which is_used() says 0. It ends at the first of which it is not known
 * (-errno), and returns that; else how many were put aside.
 */
int media_sweep(struct media *media, int (*is_used)(void *user, const char *path), void *user);
/* If it is missing and was put aside, it comes back. */
void media_bring_back(struct media *media, const char *path);

/* --- quarantine ---------------------------------------------------------------------------- */

struct media_aside {
    char name[MEDIA_PATH_MAX]; /* "x.mp3" */
    char file[MEDIA_PATH_MAX]; /* within the data directory */
    int64_t since_s;           /* UTC, since 1970 */
    int64_t bytes;
};
/* Calls visit for each file that was put aside, in no order. 0, or -errno. */
int media_each_aside(struct media *media,
                     void (*visit)(void *user, const struct media_aside *aside), void *user);
/* Removes for good what was put aside that long ago. How many, or -errno. */
int media_purge(struct media *media, int64_t older_than_s);

#endif
