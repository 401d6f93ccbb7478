/*
 * watch.h: `tuttictl watch`: the speakers' daemons on one side, the terminal on the other, one loop
 * that waits for either.
 */
#ifndef TUTTI_CTL_WATCH_H
#define TUTTI_CTL_WATCH_H

#include "exit_code.h"
#include "invocation.h"

/* Until the person quits. A daemon that goes is waited for; one must be there at the start. */
enum exit_code watch(struct invocation *invocation);

#endif
