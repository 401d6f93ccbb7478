/*
 * lines.h: bytes of a stream in, whole lines out.
 */
#ifndef TUTTI_CTL_LINES_H
#define TUTTI_CTL_LINES_H

#include <stddef.h>

/* No answer is longer: a playlist of 20,000 items with long names. */
#define LINES_MAX_BYTES (64u * 1024 * 1024)

struct lines {
    char *bytes; /* owned; {0} is an empty one */
    size_t used, capacity, taken, searched;
};

/* Reads once. The bytes read; 0 at the end; -errno, -EMSGSIZE for a line that never ends. */
long lines_fill(struct lines *lines, int fd);
/* The next whole line, terminated, until the next call of either; NULL when there is none. */
char *lines_next(struct lines *lines);
void lines_finish(struct lines *lines);

#endif
