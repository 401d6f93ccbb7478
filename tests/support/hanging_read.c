/*
 * hanging_read.c: files that do not answer, as on a network share whose server has gone. Loaded by
 * LD_PRELOAD: pread(2) and read(2) of what is called *.hangs, or *.hangs.mp3, do not return.
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

static bool ends_with(const char *path, size_t length, const char *suffix)
{
    size_t end = strlen(suffix);
    return length > end && memcmp(path + length - end, suffix, end) == 0;
}

static bool hangs(int fd)
{
    char link[64], path[1024];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, sizeof path);
    return length > 0 && (ends_with(path, (size_t)length, ".hangs") ||
                          ends_with(path, (size_t)length, ".hangs.mp3"));
}

static void hang_if_it_does(int fd)
{
    while (hangs(fd))
        pause();
}

ssize_t pread(int fd, void *to, size_t bytes, off_t at)
{
    ssize_t (*real)(int, void *, size_t, off_t) =
        (ssize_t(*)(int, void *, size_t, off_t))dlsym(RTLD_NEXT, "pread");
    hang_if_it_does(fd);
    return real(fd, to, bytes, at);
}

/* With 64-bit file offsets a program calls it by this name. */
ssize_t pread64(int fd, void *to, size_t bytes, off_t at)
{
    return pread(fd, to, bytes, at);
}

ssize_t read(int fd, void *to, size_t bytes)
{
    ssize_t (*real)(int, void *, size_t) =
        (ssize_t(*)(int, void *, size_t))dlsym(RTLD_NEXT, "read");
    hang_if_it_does(fd);
    return real(fd, to, bytes);
}
