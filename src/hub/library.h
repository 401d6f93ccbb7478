/*
 * library.h: the tracks of the house: what was uploaded, and directories of files that are only
 * read. A thread of its own goes through them and watches them; another one searches.
 */
#ifndef TUTTI_HUB_LIBRARY_H
#define TUTTI_HUB_LIBRARY_H

#include "library_index.h"
#include "library_read.h"

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stdint.h>

#define LIBRARY_FOLDER "library/"
/* Of a search's answer. */
#define LIBRARY_LIMIT_MAX 200

struct library;

struct library_config {
    const char *data_directory; /* where the index is, and the hub's database */
    const char *directories;    /* absolute, with commas between them */
    int64_t tracks_max;
    library_read_fn read; /* in the library's thread */
    void *read_user;
    struct covers *covers; /* NULL: there are none */
};

/* NULL: there is no memory, or no thread. What else is wrong is said, and is not the hub's end. */
struct library *library_create(const struct library_config *config);
/* Waits for what the disk has to say. NULL is fine. */
void library_destroy(struct library *library);

/* Something was uploaded, or is gone. NULL is fine. */
void library_uploads_changed(struct library *library);
/* Has it gone through all of it since it began? */
bool library_is_complete(const struct library *library);

/* 1: the track with this key, and what it is served as ("library/…" or "uploads/…"); 0: there is
 * none; -errno: it is not known, as long as it begins -EAGAIN. */
DB_CHECKED int library_find(struct library *library, const char *key, struct library_track *ret,
                            char *media_path, size_t size);
/* Has a track of it this picture? -EAGAIN also as long as it has not gone through all. NULL: it is not
 * known. */
DB_CHECKED int library_has_cover(struct library *library, const char *cover);
/* The key in "library/…"; false: it is none. */
bool library_key_of(const char *media_path, char key[LIBRARY_KEY_MAX]);
/* The track that is served as "library/…". 1; 0: there is none; -ESTALE: it is another one by now;
 * another -errno: it is not known. */
DB_CHECKED int library_locate(struct library *library, const char *media_path,
                              struct library_track *ret);
/* Its file, which may take a while, as reading it may. fd; -ENOENT: it is gone; -ESTALE: it is another
 * one by now; another -errno: it cannot be read now. */
int library_open(const struct library_track *track, struct library_stamp *ret);
/* For that: in a thread of its own, one after the other; then done in the loop (library_finish()).
 * False: there is none, and neither is called. */
bool library_read_beside(struct library *library, void (*work)(void *job), void (*done)(void *job),
                         void *job);

struct library_search;
/*
 * done gets what is found, {"tracks": […], "next": …, "total": …, "complete": …}, which becomes its
 * own; NULL: it cannot be searched. Not within this call. NULL: there is no memory or no thread.
 */
struct library_search *library_search(struct library *library, const struct library_query *query,
                                      void (*done)(void *user, cJSON *found), void *user);
/* done is not called any more. */
void library_search_forget(struct library_search *search);
/* For the loop that searches wake: calls done. */
void library_finish(struct library *library);
/* Called in another thread when there is something to finish. */
void library_wake_by(struct library *library, void (*wake)(void *user), void *user);

#endif
