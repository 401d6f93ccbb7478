/*
 * session_saver.c: see session_saver.h. The thread has the state that is being written, the loop
 * the one that follows it.
 */
#include "tutti/io/session_saver.h"

#include "tutti/io/background.h"

#include <stdlib.h>
#include <string.h>

struct session_saver {
    struct background *background;
    char *state_dir;
    struct session_state latest;
    bool waiting; /* latest is yet to be written */
    bool destroyed;
    int told; /* the error that was complained of last; 0: none */
    uint64_t count;
    /* The job: */
    bool writing;
    struct session_state written;
    int result;
};

struct session_saver *session_saver_create(struct background *background, const char *state_dir)
{
    struct session_saver *saver = calloc(1, sizeof *saver);
    if (!saver)
        return NULL;
    saver->background = background;
    saver->state_dir = strdup(state_dir);
    if (saver->state_dir)
        return saver;
    free(saver);
    return NULL;
}

static void free_saver(struct session_saver *saver)
{
    free(saver->state_dir);
    free(saver);
}

static void write_state(void *job)
{
    struct session_saver *saver = job;
    saver->result = session_file_write(saver->state_dir, &saver->written);
}

static void write_latest(struct session_saver *saver);

static void state_written(void *job)
{
    struct session_saver *saver = job;
    saver->writing = false;
    saver->count++;
    if (saver->result < 0 && saver->result != saver->told)
        session_file_explain(saver->state_dir, -saver->result);
    saver->told = saver->result;
    if (saver->waiting)
        write_latest(saver);
    else if (saver->destroyed)
        free_saver(saver);
}

static void write_latest(struct session_saver *saver)
{
    saver->waiting = false;
    saver->writing = true;
    saver->written = saver->latest;
    background_run(saver->background, write_state, state_written, saver);
}

void session_saver_save(struct session_saver *saver, const struct session_state *state)
{
    saver->latest = *state;
    saver->waiting = true;
    if (!saver->writing)
        write_latest(saver);
}

uint64_t session_saver_count(const struct session_saver *saver)
{
    return saver->count;
}

void session_saver_destroy(struct session_saver *saver)
{
    if (!saver)
        return;
    saver->destroyed = true;
    if (!saver->writing)
        free_saver(saver);
}
