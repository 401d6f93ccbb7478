/*
 * write_all.h: write(2) until all of it is written.
 */
#ifndef TUTTI_BASE_WRITE_ALL_H
#define TUTTI_BASE_WRITE_ALL_H

#include <stddef.h>

/* To a file that blocks. 0, or -errno: some of it may have been written then. */
int write_all(int fd, const void *bytes, size_t count);

#endif
