/*
 * odd_clock.c: a clock that is broken, for one process, on command. Loaded by LD_PRELOAD.
 *
 * TUTTI_ODD_CLOCK names a file that holds a struct oddness. It is mapped, so looking costs nothing.
 * Only CLOCK_MONOTONIC_RAW, by which a speaker lives, is odd; timers and the wall clock are right.
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

struct oddness {
    int64_t since_ns; /* of the true clock: from then on; 0: not yet */
    double frequency; /* 500e-6: so much too fast */
    int64_t step_ns;
};

static const volatile struct oddness *odd;

__attribute__((constructor)) static void start(void)
{
    const char *path = getenv("TUTTI_ODD_CLOCK");
    int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    if (fd < 0)
        return;
    void *map = mmap(NULL, sizeof *odd, PROT_READ, MAP_SHARED, fd, 0);
    close(fd);
    if (map != MAP_FAILED)
        odd = map;
}

int clock_gettime(clockid_t id, struct timespec *ret)
{
    int result = (int)syscall(SYS_clock_gettime, id, ret);
    if (result != 0 || id != CLOCK_MONOTONIC_RAW || !odd || odd->since_ns == 0)
        return result;
    int64_t true_ns = (int64_t)ret->tv_sec * 1000000000 + ret->tv_nsec;
    if (true_ns < odd->since_ns)
        return result;
    int64_t ns =
        true_ns + odd->step_ns + (int64_t)((double)(true_ns - odd->since_ns) * odd->frequency);
    ret->tv_sec = ns / 1000000000;
    ret->tv_nsec = ns % 1000000000;
    return result;
}
