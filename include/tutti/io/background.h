/*
 * background.h: work that may take long, done beside the loop by one thread, in order.
 *
 * An fsync() on an SD card can take seconds. Its thread touches nothing but the job that it was
 * given; everything else in tutti stays single-threaded. What may wait for different things has
 * different threads: a network share that hangs must not keep the state from the disk.
 */
#ifndef TUTTI_IO_BACKGROUND_H
#define TUTTI_IO_BACKGROUND_H

#include <stdbool.h>
#include <stdint.h>

struct loop;
struct background;

struct background *background_create(struct loop *loop);
/* For another loop than ours: wake(user) is called in the thread, and has to see to it that the
 * loop calls background_finish(). */
struct background *background_create_woken(void (*wake)(void *user), void *user);
/* Calls done of what has been done. Only for one that was created woken. */
void background_finish(struct background *background);
/* How long destroying waits for its work; without this, BACKGROUND_PATIENCE_NS. */
#define BACKGROUND_PATIENCE_NS INT64_C(20000000000)
void background_set_patience(struct background *background, int64_t patience_ns);
/*
 * Waits for the work that was asked for, and calls what is left of done. Not inside done. NULL is
 * fine. Work that takes longer than the patience (a share that does not answer) is left to itself,
 * and so is what waits behind it: their jobs are neither done nor freed, and the process is about
 * to end. False then.
 */
bool background_destroy(struct background *background);

/*
 * Calls work(job) in the thread, then done(job) in the loop. Where there is no thread or no memory
 * for it, both are called before this returns.
 */
void background_run(struct background *background, void (*work)(void *job), void (*done)(void *job),
                    void *job);
/* For what must not be done in the loop: false where there is no thread or no memory for it, and
 * neither is called. */
bool background_try(struct background *background, void (*work)(void *job), void (*done)(void *job),
                    void *job);

#endif
