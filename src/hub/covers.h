/*
 * covers.h: the pictures of tracks, as files under the data directory: covers/NAME, named by what is in
 * them, so that all tracks of an album share one.
 *
 * One that could not be kept is none: music is played without. What no track has any more is removed,
 * but only after it was found so twice, and only where that is known.
 */
#ifndef TUTTI_HUB_COVERS_H
#define TUTTI_HUB_COVERS_H

#include "tutti/core/picture.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define COVERS_FOLDER "covers/"
/* 32 hex digits, of the first 128 bits of the SHA-256 of its bytes. "": there is none. */
#define COVER_NAME_MAX 33
/* Of all together: what is more is not kept. */
#define COVERS_MAX 4096
#define COVERS_BYTES_MAX (INT64_C(512) << 20)
/* Looked at by one sweep. */
#define COVERS_SWEPT 256

struct covers;

/* free_bytes: to be left on the file system. NULL after a line in the log: there are no covers, and that is
 * not the hub's end. */
struct covers *covers_create(const char *data_directory, int64_t free_bytes);
/* NULL is fine. */
void covers_destroy(struct covers *covers);

/* Keeps a picture, on the disk when this returns, from any thread; not in a loop. False: it is none, or there
 * is no room for it, or no covers (NULL); name is "" then. */
bool covers_keep(struct covers *covers, const unsigned char *bytes, size_t count,
                 char name[COVER_NAME_MAX]);

struct cover_file {
    int64_t bytes;
    enum picture_kind kind; /* never PICTURE_NONE */
};
/* For reading: fd; -ENOENT: there is none of this name, or what is there is no picture; else another
 * -errno. */
int covers_open(const struct covers *covers, const char *name, struct cover_file *ret);

/* Looks at the next COVERS_SWEPT of them: removes those of which is_used() says 0, as it said the last time
 * that it was asked, and that were not kept again since. It ends at the first of which it is not known
 * (-errno), and returns that; else how many were removed. Does not wait for who keeps one just now. */
int covers_sweep(struct covers *covers, int (*is_used)(void *user, const char *name), void *user);

#endif
