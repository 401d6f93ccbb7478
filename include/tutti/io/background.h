/*
 * background.h: disk work that may take long, done beside the loop by one thread, in order.
 *
 * An fsync() on an SD card can take seconds. Its thread touches nothing but the job that it was
 * given; everything else in tutti stays single-threaded.
 */
#ifndef TUTTI_IO_BACKGROUND_H
#define TUTTI_IO_BACKGROUND_H

struct loop;
struct background;

struct background *background_create(struct loop *loop);
/* Waits for the work that was asked for, and calls what is left of done. Not inside done. NULL is
 * fine. */
void background_destroy(struct background *background);

/*
 * Calls work(job) in the thread, then done(job) in the loop. Where there is no thread or no memory
 * for it, both are called before this returns.
 */
void background_run(struct background *background, void (*work)(void *job), void (*done)(void *job),
                    void *job);

#endif
