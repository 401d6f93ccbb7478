/*
 * thread.h: the few threads beside the loop. Signals are the loop's: none is delivered to them.
 */
#ifndef TUTTI_IO_THREAD_H
#define TUTTI_IO_THREAD_H

#include <pthread.h>
#include <stdbool.h>

/* ret_thread NULL: detached. */
bool thread_start(pthread_t *ret_thread, void *(*run)(void *argument), void *argument);

#endif
