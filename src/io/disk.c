/*
 * disk.c: write, sync, rename.
 */
#include "disk.h"

#include "tutti/base/write_all.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int write_and_sync(int fd, const char *text)
{
    int result = write_all(fd, text, strlen(text));
    return result < 0 || fsync(fd) == 0 ? result : -errno;
}

int disk_replace_file(const char *path, const char *text, mode_t mode)
{
    char temporary[1100];
    if (snprintf(temporary, sizeof temporary, "%s.new", path) >= (int)sizeof temporary)
        return -ENAMETOOLONG;
    int fd = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, mode);
    if (fd < 0)
        return -errno;
    /* One that was left over may have another mode. */
    int result = fchmod(fd, mode) < 0 ? -errno : write_and_sync(fd, text);
    close(fd);
    if (result == 0 && rename(temporary, path) < 0)
        result = -errno;
    if (result < 0)
        unlink(temporary);
    return result;
}

void disk_sync_directory(const char *directory)
{
    int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return;
    fsync(fd);
    close(fd);
}
