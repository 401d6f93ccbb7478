/*
 * track_store_internal.h: the store and its files, shared by
 *   track_store.c    tracks in, tracks out
 *   track_file.c     one track, while it is open
 *   track_move.c     on a full disk: others go, or it goes into memory
 *   track_keep.c     done with it: the store takes it in
 *   track_index.c    which tracks there are, and which go
 *   track_sidecar.c  what the disk remembers of a track
 *   track_disk.c     names, descriptors, the disk's health
 * each of which needs only those below it.
 */
#ifndef TUTTI_IO_TRACK_STORE_INTERNAL_H
#define TUTTI_IO_TRACK_STORE_INTERNAL_H

#include "tutti/base/units.h"
#include "tutti/io/track_store.h"

#include <stddef.h>

#define TRACK_HASH_TEXT 65 /* SHA-256 in hex */
#define TRACK_PATH_MAX 1024

/* A track or the beginning of one that is not being downloaded. */
struct track_entry {
    char hash[TRACK_HASH_TEXT];
    bool partial;
    bool on_disk;
    int fd;           /* held by the store: in memory, or not synced yet; else -1 */
    unsigned keeping; /* which one syncs it; 0: none */
    int64_t bytes;
    int64_t used; /* ns; later is more recent, and that is all */
};

struct track_store {
    struct background *background;
    char *directory; /* NULL: memory only */
    int64_t max_bytes;
    int64_t max_memory_bytes;
    int64_t growing_bytes; /* in memory, granted to what is not complete yet */
    char pinned[TRACK_STORE_PINNED_MAX][TRACK_HASH_TEXT];
    int pinned_count;
    struct track_entry *entries;
    size_t count, capacity;
    int64_t last_used;
    int removals;  /* from the disk, under way */
    bool evicting; /* and more of them are due when these are done */
    bool disk_failed;
    struct mono_time disk_failed_at;
    unsigned next_temporary;
    unsigned next_keeping;
    int jobs; /* in the background, each with a pointer to this */
    bool destroyed;
};

struct track_file {
    struct track_store *store;
    char *url;
    char hash[TRACK_HASH_TEXT];
    int fd;
    int64_t bytes;
    bool complete;
    char temporary[TRACK_PATH_MAX]; /* its name while it is incomplete; "": in memory */
    int64_t granted_bytes;          /* of memory */
    int64_t expected_bytes;         /* in the end; 0: not known */
    struct track_move *move;        /* room is made for it, or it is on its way into memory */
    int room_tries;                 /* since it last grew on the disk */
    char *held;                     /* what came meanwhile */
    int64_t held_bytes;
    int error;                               /* -errno: of the move; 0: none */
    void (*settle)(struct track_file *file); /* after a move, or a try at one */
    void (*moved)(void *user);
    void *user;
    char etag[TRACK_VALIDATOR_MAX];
    char last_modified[TRACK_VALIDATOR_MAX];
};

/* track_sidecar.c */
struct track_sidecar {
    int64_t bytes;
    char etag[TRACK_VALIDATOR_MAX];
    char last_modified[TRACK_VALIDATOR_MAX];
};
/* url NULL: any. False: none, unreadable, damaged, or of another URL. */
bool track_sidecar_read(const char *path, const char *url, struct track_sidecar *ret_sidecar);
/* The URL in it, to be freed; NULL. */
char *track_sidecar_read_url(const char *path, int64_t *ret_bytes);
char *track_sidecar_print(const struct track_file *file);

/* track_index.c */
struct track_entry *track_index_find(struct track_store *store, const char *hash, bool partial);
/* NULL: no memory. Other entries' places may change. */
struct track_entry *track_index_add(struct track_store *store, const char *hash);
void track_index_forget(struct track_store *store, struct track_entry *entry);
/* If there is one. */
void track_index_forget_of(struct track_store *store, const char *hash, bool partial);
/* entry NULL, fd -1: without it. */
void track_index_mark_used(struct track_store *store, struct track_entry *entry, int fd);
/* Until the rest fits: on disk beside the loop, a few at a time; in memory at once. */
void track_index_evict(struct track_store *store, bool on_disk);
/* Whether so much of the file may be in memory, for which others go. 0, or -ENOSPC: it is too
 * large, or what is pinned has the rest. The first one that is pinned, which sounds, may have a
 * share of its own. */
int track_index_grant_memory(struct track_file *file, int64_t bytes);
void track_index_return_memory(struct track_file *file);
/* Lets the least used track on disk go: it is removed beside the loop. Its bytes, or -1: there is
 * none that may go. */
int64_t track_index_make_room(struct track_store *store);
/* On the disk, for us; more than anybody wants where that cannot be known. */
int64_t track_index_free_bytes(const struct track_store *store);
void track_index_scan(struct track_store *store);

/* track_move.c */
/* Others go, beside the loop, so that so many bytes more fit onto the disk; where they do not, it
 * moves. False: there is nothing that may go. */
bool track_move_make_room(struct track_file *file, int64_t missing_bytes);
/* The disk has failed: into memory. 0 or -errno: what is small is copied now, the rest beside the
 * loop; the descriptor keeps its number, so that whoever reads it need not know. */
int track_move_start(struct track_file *file);
/* It stays where it is. Returns whether it was on its way into memory. */
bool track_move_stop(struct track_file *file);
int track_move_hold(struct track_file *file, const void *data, int64_t bytes);

/* track_file.c */
struct track_file *track_file_create(struct track_store *store, const char *url);
/* Where it grows: on disk, or in memory. */
bool track_file_begin(struct track_file *file);

/* track_keep.c. The file is done with: the store takes it in, and syncs it beside the loop. */
void track_keep(struct track_store *store, struct track_file *file);

/* track_disk.c */
void track_disk_path(const char *directory, const char *hash, const char *suffix,
                     char path[TRACK_PATH_MAX]);
int track_disk_open_memory(void);
int track_disk_write_at(int fd, const char *data, int64_t bytes, int64_t offset);
bool track_disk_is_used(struct track_store *store);
/* Says so once, and leaves the disk alone for a while. */
void track_disk_failed(struct track_store *store, int error);
/* Closes it; beside the loop, where giving back so many bytes might take long. */
void track_disk_close_fd(struct track_store *store, int fd, int64_t bytes);
/* Removes a file beside the loop. */
void track_disk_unlink(struct track_store *store, const char *path);
/* At the end of everything that was given to the background: the last one frees a store that is
 * destroyed. */
void track_disk_job_ended(struct track_store *store);
void track_disk_free_store(struct track_store *store);

#endif
