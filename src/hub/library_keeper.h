/*
 * library_keeper.h: the thread that keeps the library's index up to date: goes through the directories,
 * watches them, and takes over what is uploaded. Its owner calls from one thread, the loop's.
 */
#ifndef TUTTI_HUB_LIBRARY_KEEPER_H
#define TUTTI_HUB_LIBRARY_KEEPER_H

#include "library_read.h"

#include <stdbool.h>
#include <stdint.h>

#define LIBRARY_DIRECTORIES_MAX 16

struct library_keeper;

struct library_keeper_config {
    const char *index_path;  /* written by this thread alone */
    const char *hub_path;    /* the hub's database, which is read */
    const char *directories; /* absolute, with commas between them */
    int64_t tracks_max;
    library_read_fn read; /* in the thread */
    void *read_user;
    struct covers *covers; /* NULL: there are none */
};

/* Is this such a list, of no more than LIBRARY_DIRECTORIES_MAX? */
bool library_are_directories(const char *text);

/* NULL: there is no memory or no thread, or those are no directories. */
struct library_keeper *library_keeper_start(const struct library_keeper_config *config);
/* Waits some seconds for what a disk has to say. False: it says nothing, and the thread is left to
 * itself, with what it was given: the process is about to end. */
bool library_keeper_stop(struct library_keeper *keeper);

/* Something was uploaded, or is gone. */
void library_keeper_uploads_changed(struct library_keeper *keeper);
/* Is there an index to be read? */
bool library_keeper_is_usable(const struct library_keeper *keeper);
/* Has it gone through all of it since it began? */
bool library_keeper_is_complete(const struct library_keeper *keeper);

#endif
