/*
 * thread.c: pthread_create(3) with a small stack and every signal blocked.
 */
#include "tutti/io/thread.h"

#include <signal.h>

/* Enough for the name service's plug-ins and for SQLite, which are the hungriest. */
#define STACK_BYTES 1048576u /* 1 MiB */

bool thread_start(pthread_t *ret_thread, void *(*run)(void *argument), void *argument)
{
    pthread_attr_t attributes;
    pthread_t thread;
    sigset_t all, before;
    if (pthread_attr_init(&attributes) != 0)
        return false;
    pthread_attr_setstacksize(&attributes, STACK_BYTES);
    if (!ret_thread)
        pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    sigfillset(&all); /* a new thread inherits the mask */
    pthread_sigmask(SIG_SETMASK, &all, &before);
    bool started = pthread_create(&thread, &attributes, run, argument) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attributes);
    if (started && ret_thread)
        *ret_thread = thread;
    return started;
}
