/*
 * lines.c: see lines.h.
 */
#include "lines.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define READ_BYTES 16384u

static void drop_taken(struct lines *lines)
{
    if (lines->taken == 0)
        return;
    lines->used -= lines->taken;
    lines->searched -= lines->taken;
    memmove(lines->bytes, lines->bytes + lines->taken, lines->used);
    lines->taken = 0;
}

static int make_room(struct lines *lines)
{
    if (lines->capacity - lines->used >= READ_BYTES)
        return 0;
    size_t capacity = 2 * lines->capacity + READ_BYTES;
    if (lines->used >= LINES_MAX_BYTES)
        return -EMSGSIZE;
    char *grown = realloc(lines->bytes, capacity);
    if (!grown)
        return -ENOMEM;
    lines->bytes = grown;
    lines->capacity = capacity;
    return 0;
}

long lines_fill(struct lines *lines, int fd)
{
    drop_taken(lines);
    int result = make_room(lines);
    if (result < 0)
        return result;
    ssize_t got = recv(fd, lines->bytes + lines->used, lines->capacity - lines->used, 0);
    if (got < 0)
        return -errno;
    lines->used += (size_t)got;
    return got;
}

char *lines_next(struct lines *lines)
{
    char *from = lines->bytes + lines->searched;
    char *end = lines->bytes ? memchr(from, '\n', lines->used - lines->searched) : NULL;
    if (!end) {
        lines->searched = lines->used;
        return NULL;
    }
    char *line = lines->bytes + lines->taken;
    *end = '\0';
    lines->taken = lines->searched = (size_t)(end + 1 - lines->bytes);
    return line;
}

void lines_finish(struct lines *lines)
{
    free(lines->bytes);
    *lines = (struct lines){0};
}
