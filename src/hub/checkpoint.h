/*
 * checkpoint.h: moves what was committed from SQLite's log into the database, beside the loop.
 *
 * That is the one thing the database does that waits for the disk, and a card takes its time: in
 * the loop it would now and then delay what everybody is to hear.
 */
#ifndef TUTTI_HUB_CHECKPOINT_H
#define TUTTI_HUB_CHECKPOINT_H

#include <sqlite3.h>

/* Pages in the log, of 4 KiB, from which on it is emptied. */
#define CHECKPOINT_PAGES 4000

struct checkpoint;

/* Looks after db, the connection that writes to the file at path. NULL, logged, when it cannot: the
 * connection then does it by itself. */
struct checkpoint *checkpoint_create(sqlite3 *db, const char *path);
/* Before the connection is closed. NULL is fine. */
void checkpoint_destroy(struct checkpoint *checkpoint);

#endif
