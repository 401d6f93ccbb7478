/*
 * track_store.h: downloaded tracks, on disk or in memory.
 *
 * A track is keyed by its URL. On disk it is a data file and a small sidecar that says how long the
 * data are and which validators (ETag, Last-Modified) they came with; the sidecar is written last,
 * so that a torn file is never taken for a track. Where the disk fails, memory serves.
 */
#ifndef TUTTI_IO_TRACK_STORE_H
#define TUTTI_IO_TRACK_STORE_H

#include <stdbool.h>
#include <stdint.h>

#define TRACK_VALIDATOR_MAX 256

struct track_store;
struct track_file;

/* directory NULL: memory only. NULL when out of memory. */
struct track_store *track_store_create(const char *directory, int64_t max_bytes);
void track_store_destroy(struct track_store *store);

/* A complete stored track, opened for reading; NULL if there is none. */
struct track_file *track_store_open(struct track_store *store, const char *url);

/* A new, empty one to download into. Its descriptor can be read while it grows. */
struct track_file *track_store_begin(struct track_store *store, const char *url);
/* 0 or -errno. A full or broken disk moves the file into memory once, and goes on there. */
int track_file_append(struct track_file *file, const void *data, int64_t bytes);
/* Everything has arrived: from now on track_store_open() finds it. pinned: URLs that must not be
 * evicted to make room, ended by NULL. */
void track_file_commit(struct track_file *file, const char *etag, const char *last_modified,
                       const char *const *pinned);
/* Empties it: the download starts over. */
void track_file_truncate(struct track_file *file);

/* Changes when a broken disk moved the file into memory. */
int track_file_fd(const struct track_file *file);
int64_t track_file_bytes(const struct track_file *file);
bool track_file_complete(const struct track_file *file);

/* Incomplete files are thrown away. NULL is fine. */
void track_file_close(struct track_file *file);

#endif
