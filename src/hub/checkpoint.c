/*
 * checkpoint.c: a thread with a connection of its own, which touches nothing else.
 */
#include "checkpoint.h"

#include "tutti/base/log.h"
#include "tutti/io/thread.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>

/* Should the thread ever not keep up, the log is emptied where it grows. */
#define HELP_PAGES (8 * CHECKPOINT_PAGES)

struct checkpoint {
    sqlite3 *watched;
    sqlite3 *own;
    pthread_t thread;
    pthread_mutex_t mutex;
    pthread_cond_t wake;
    bool wanted;
    bool stop;
};

static int after_commit(void *user, sqlite3 *db, const char *name, int pages)
{
    struct checkpoint *checkpoint = user;
    if (pages < CHECKPOINT_PAGES)
        return SQLITE_OK;
    pthread_mutex_lock(&checkpoint->mutex);
    checkpoint->wanted = true;
    pthread_cond_signal(&checkpoint->wake);
    pthread_mutex_unlock(&checkpoint->mutex);
    if (pages >= HELP_PAGES)
        sqlite3_wal_checkpoint_v2(db, name, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
    return SQLITE_OK;
}

/* Passive: it waits for nobody, and nobody for it. What it cannot take now it takes next time. */
static void *work(void *user)
{
    struct checkpoint *checkpoint = user;
    pthread_mutex_lock(&checkpoint->mutex);
    while (!checkpoint->stop) {
        if (!checkpoint->wanted) {
            pthread_cond_wait(&checkpoint->wake, &checkpoint->mutex);
            continue;
        }
        checkpoint->wanted = false;
        pthread_mutex_unlock(&checkpoint->mutex);
        sqlite3_wal_checkpoint_v2(checkpoint->own, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
        pthread_mutex_lock(&checkpoint->mutex);
    }
    pthread_mutex_unlock(&checkpoint->mutex);
    return NULL;
}

struct checkpoint *checkpoint_create(sqlite3 *db, const char *path)
{
    struct checkpoint *checkpoint = calloc(1, sizeof *checkpoint);
    if (!checkpoint)
        return NULL;
    checkpoint->watched = db;
    pthread_mutex_init(&checkpoint->mutex, NULL);
    pthread_cond_init(&checkpoint->wake, NULL);
    if (sqlite3_open_v2(path, &checkpoint->own, SQLITE_OPEN_READWRITE, NULL) == SQLITE_OK &&
        thread_start(&checkpoint->thread, work, checkpoint)) {
        sqlite3_wal_hook(db, after_commit, checkpoint);
        return checkpoint;
    }
    log_warn("database: checkpoints cannot be made beside the loop, and are made in it");
    sqlite3_close(checkpoint->own);
    pthread_cond_destroy(&checkpoint->wake);
    pthread_mutex_destroy(&checkpoint->mutex);
    free(checkpoint);
    return NULL;
}

void checkpoint_destroy(struct checkpoint *checkpoint)
{
    if (!checkpoint)
        return;
    sqlite3_wal_autocheckpoint(checkpoint->watched, CHECKPOINT_PAGES);
    pthread_mutex_lock(&checkpoint->mutex);
    checkpoint->stop = true;
    pthread_cond_signal(&checkpoint->wake);
    pthread_mutex_unlock(&checkpoint->mutex);
    pthread_join(checkpoint->thread, NULL);
    sqlite3_close(checkpoint->own);
    pthread_cond_destroy(&checkpoint->wake);
    pthread_mutex_destroy(&checkpoint->mutex);
    free(checkpoint);
}
