/*
 * track_upload.h: an open file as the body of an upload: the contract's JSON with the file in
 * base64, made piece by piece. However large the file, a third of a megabyte of it is in memory.
 */
#ifndef TUTTI_IO_TRACK_UPLOAD_H
#define TUTTI_IO_TRACK_UPLOAD_H

#include <stddef.h>
#include <stdint.h>

struct background;
struct track_upload;

struct track_upload_config {
    const char *track_id;
    const char *name;
    const char *filename;
    const char *content_type;
    double duration_s; /* < 0: not told */
};

/* fd: a regular file of file_bytes; closed when the upload has been destroyed. more: there are
 * bytes again after a wait. NULL when out of memory; then fd is closed, too. */
struct track_upload *track_upload_create(struct background *background, int fd, int64_t file_bytes,
                                         const struct track_upload_config *config,
                                         void (*more)(void *user), void *user);
/* NULL is fine. What is being read in the background ends by itself. */
void track_upload_destroy(struct track_upload *upload);

/* Of the whole body. */
int64_t track_upload_bytes(const struct track_upload *upload);
int64_t track_upload_given(const struct track_upload *upload);

/* Of the file in it. */
int64_t track_upload_file_given(const struct track_upload *upload);

/* As http.h wants it of on_body: bytes put, HTTP_BODY_WAIT, or HTTP_BODY_FAILED where the file
 * cannot be read or has become shorter. */
int64_t track_upload_give(struct track_upload *upload, char *to, size_t room);

#endif
