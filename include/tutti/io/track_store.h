/*
 * track_store.h: downloaded tracks, on disk or in memory.
 *
 * A track is keyed by its URL. On disk it is a data file and a small sidecar that says how long the
 * data are and which validators (ETag, Last-Modified) they came with; the sidecar is written after
 * the data have been synced, so that a torn file is never taken for a track. Interrupted downloads
 * are kept in the same way, to be resumed. Whatever may wait for the disk is done beside the loop;
 * appending only fills the kernel's cache, which lets a writer wait when it is full.
 *
 * What was used longest ago makes room, but never what is pinned. Where the disk is full, broken or
 * read-only, memory serves: one line in the log, and another try after some minutes.
 */
#ifndef TUTTI_IO_TRACK_STORE_H
#define TUTTI_IO_TRACK_STORE_H

#include <stdbool.h>
#include <stdint.h>

#define TRACK_VALIDATOR_MAX 256
#define TRACK_STORE_PINNED_MAX 8
/* Beyond this many the least used go, however small they are. */
#define TRACK_STORE_ENTRIES_MAX 4096

struct background;
struct track_store;
struct track_file;

/* directory NULL: memory only, at most a quarter of the machine's. NULL when out of memory. */
struct track_store *track_store_create(struct background *background, const char *directory,
                                       int64_t max_bytes);
/* After its files were closed. What is being synced is finished by the background. */
void track_store_destroy(struct track_store *store);

/* Replaces the set of URLs that are not evicted; ended by NULL, TRACK_STORE_PINNED_MAX at most. */
void track_store_set_pinned(struct track_store *store, const char *const *urls);

/* A complete stored track, opened for reading, and used as of now; NULL if there is none. */
struct track_file *track_store_open(struct track_store *store, const char *url);
/* Used as of now, without opening it; false if there is none. */
bool track_store_touch(struct track_store *store, const char *url);

/*
 * One to download into. Its descriptor can be read while it grows. Where a former download was
 * interrupted, it begins with those bytes and has their validators: resume, or truncate it.
 */
struct track_file *track_store_begin(struct track_store *store, const char *url);
/* What the answer's headers say; without any, an interrupted download cannot be resumed. */
void track_file_set_validators(struct track_file *file, const char *etag,
                               const char *last_modified);
/* How long it is going to be: where the disk has no room for it, others go, and if that does not
 * help it goes into memory now, while there is little to be moved. 0, or -ENOSPC: there is none
 * either, which appending may be the first to tell; what has arrived stays. */
int track_file_expect(struct track_file *file, int64_t total_bytes);
/* 0 or -errno. A full or broken disk moves the file into memory once, and goes on there; -ENOSPC:
 * beyond what tracks may take of it. */
int track_file_append(struct track_file *file, const void *data, int64_t bytes);
/*
 * Others are removed for it, or it is on its way into memory, which takes its time. What is
 * appended meanwhile is held (a megabyte at most: wait with the rest) and counts from when that is
 * done; then `moved` is called.
 */
bool track_file_is_moving(const struct track_file *file);
void track_file_when_moved(struct track_file *file, void (*moved)(void *user), void *user);
/* What is held will not be continued: the next call begins at track_file_bytes(). */
void track_file_call_ended(struct track_file *file);
/* Everything has arrived: from now on track_store_open() finds it. */
void track_file_commit(struct track_file *file);
/* Empties it: the download starts over. */
void track_file_truncate(struct track_file *file);

/* The same for the file's whole life. */
int track_file_fd(const struct track_file *file);
int64_t track_file_bytes(const struct track_file *file);
bool track_file_complete(const struct track_file *file);
const char *track_file_etag(const struct track_file *file);          /* "" when none */
const char *track_file_last_modified(const struct track_file *file); /* "" when none */

/* Incomplete files are kept for later if they have validators, else thrown away. NULL is fine. */
void track_file_close(struct track_file *file);

struct track_store_usage {
    int tracks; /* complete ones */
    int partial;
    int64_t bytes;
    bool on_disk; /* where the next one goes */
};
struct track_store_usage track_store_usage(struct track_store *store);

/* The complete ones on disk, in no order; reads their sidecars. */
void track_store_list(struct track_store *store,
                      void (*each)(void *user, const char *url, int64_t bytes), void *user);

#endif
