/*
 * mono_clock.c: readings of the kernel's clocks, and nothing made of them.
 */
#include "tutti/io/mono_clock.h"

#include <sys/timex.h>
#include <time.h>

#define PAIR_TRIES 5

static int64_t read_clock(clockid_t id)
{
    struct timespec t;
    clock_gettime(id, &t);
    return (int64_t)t.tv_sec * NS_PER_S + t.tv_nsec;
}

int mono_clock_id(void)
{
    return CLOCK_MONOTONIC_RAW;
}

struct mono_time mono_clock_now(void)
{
    return (struct mono_time){read_clock(CLOCK_MONOTONIC_RAW)};
}

struct wall_time wall_clock_now(void)
{
    return (struct wall_time){read_clock(CLOCK_REALTIME)};
}

int64_t wall_clock_pair(struct wall_time *ret_wall, struct mono_time *ret_mono)
{
    int64_t best = INT64_MAX;
    for (int i = 0; i < PAIR_TRIES; i++) {
        struct mono_time before = mono_clock_now();
        struct wall_time wall = wall_clock_now();
        int64_t width = mono_sub(mono_clock_now(), before);
        if (width >= best)
            continue;
        best = width;
        *ret_wall = wall;
        *ret_mono = mono_add(before, width / 2);
    }
    return best / 2;
}

bool wall_clock_disciplined(int64_t *ret_max_error_ns)
{
    struct timex state = {0};
    int result = adjtimex(&state);
    if (result == -1 || result == TIME_ERROR || (state.status & STA_UNSYNC))
        return false;
    *ret_max_error_ns = state.maxerror * NS_PER_US;
    return true;
}
