/*
 * sandbox.h: from here on this process can compute, read what files it was given, and talk over
 * the one socket that it was given, by which more of them may come.
 */
#ifndef TUTTI_DECODE_SANDBOX_H
#define TUTTI_DECODE_SANDBOX_H

#include <stdbool.h>

/* Closes every descriptor above `last_fd`, limits memory and processor time, and has the kernel
 * refuse everything else. For good. False: something of it could not be had, and nothing may be
 * read from outside. */
bool sandbox_enter(int last_fd);

#endif
