/*
 * media.h: uploaded tracks, as files under the data directory.
 *
 * An upload is written as it comes and checked on the way; it gets its name when it was whole and
 * good. One that is not finished leaves nothing behind, after a kill not beyond the next start.
 */
#ifndef TUTTI_HUB_MEDIA_H
#define TUTTI_HUB_MEDIA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MEDIA_PATH_MAX 128
#define MEDIA_UPLOADS_MAX 16

struct media_limits {
    int64_t track_bytes;
    int64_t disk_bytes; /* of all tracks together */
    int64_t free_bytes; /* to be left on the file system */
};

struct media;

struct media *media_create(const char *data_directory, const struct media_limits *limits);
void media_destroy(struct media *media);

struct media_upload;

/* NULL: none can be taken now; status and reason are said then. */
struct media_upload *media_upload_begin(struct media *media, int *ret_status,
                                        const char **ret_reason);
/* Failures are kept for media_upload_finish() to tell; what follows them is ignored. */
void media_upload_feed(struct media_upload *upload, const void *bytes, size_t count);
void media_upload_feed_base64(struct media_upload *upload, const char *text, size_t count);
/*
 * After the last byte. True: the file is there as path ("uploads/x.mp3") and stays. False: an HTTP
 * status and a line for people, and there is no file.
 */
bool media_upload_finish(struct media_upload *upload, char path[MEDIA_PATH_MAX],
                         double *ret_duration_s, int *ret_status, const char **ret_reason);
/* NULL is fine. Takes the file away if it was not finished. */
void media_upload_destroy(struct media_upload *upload);

struct media_file {
    int64_t bytes;
    int64_t stored_s; /* UTC, since 1970 */
};

/* Opens "uploads/NAME" for reading; -1 when there is no such file, or it is not one of ours. */
int media_open(struct media *media, const char *path, struct media_file *ret);
void media_remove(struct media *media, const char *path);
/* Removes every file that is_known() does not know. */
void media_sweep(struct media *media, bool (*is_known)(void *user, const char *path), void *user);

#endif
