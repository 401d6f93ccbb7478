/*
 * write_all.c: see write_all.h. One write(2) may take less than it was given, on a full disk or when a
 * signal comes.
 */
#include "tutti/base/write_all.h"

#include <errno.h>
#include <unistd.h>

int write_all(int fd, const void *bytes, size_t count)
{
    const char *from = bytes;
    while (count > 0) {
        ssize_t written = write(fd, from, count);
        if (written < 0 && errno == EINTR)
            continue;
        if (written <= 0)
            return written < 0 ? -errno : -EIO;
        from += written;
        count -= (size_t)written;
    }
    return 0;
}
