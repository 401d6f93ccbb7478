/*
 * hub_clock.c: the one place of the hub that reads a clock.
 */
#include "hub_clock.h"

#include <time.h>

struct server_time hub_clock_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (struct server_time){(int64_t)now.tv_sec * NS_PER_S + now.tv_nsec};
}

int64_t hub_clock_steady_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * NS_PER_S + now.tv_nsec;
}
