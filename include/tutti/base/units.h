/*
 * units.h: the time types and the unit conversions that every layer shares.
 *
 * There are three clocks, and each has a type of its own, so that mixing them does not compile:
 *   mono_time    the local monotonic clock. Never stepped; its zero means nothing.
 *   server_time  the backend's UTC, nanoseconds since 1970-01-01T00:00:00Z.
 *   wall_time    the local wall clock's UTC, same epoch. May be wrong by years, may step.
 * Only core/server_clock converts between them. Durations are plain int64_t nanoseconds.
 */
#ifndef TUTTI_BASE_UNITS_H
#define TUTTI_BASE_UNITS_H

#include <stdbool.h>
#include <stdint.h>

#define NS_PER_US INT64_C(1000)
#define NS_PER_MS INT64_C(1000000)
#define NS_PER_S INT64_C(1000000000)

struct mono_time {
    int64_t ns;
};

struct server_time {
    int64_t ns;
};

struct wall_time {
    int64_t ns;
};

static inline struct mono_time mono_add(struct mono_time t, int64_t ns)
{
    return (struct mono_time){t.ns + ns};
}

/* a - b in ns: positive when a is later. */
static inline int64_t mono_sub(struct mono_time a, struct mono_time b)
{
    return a.ns - b.ns;
}

static inline struct server_time server_add(struct server_time t, int64_t ns)
{
    return (struct server_time){t.ns + ns};
}

/* a - b in ns: positive when a is later. */
static inline int64_t server_sub(struct server_time a, struct server_time b)
{
    return a.ns - b.ns;
}

/* A clock that says anything from 1970 to 2200 may be right; nanoseconds of int64_t end in 2262. */
#define SERVER_TIME_MAX_S INT64_C(7258118400) /* 2200-01-01T00:00:00Z */

/* Of seconds since 1970 from outside. False when no clock can mean them. */
static inline bool server_time_from_s(int64_t seconds, struct server_time *ret_time)
{
    if (seconds < 0 || seconds > SERVER_TIME_MAX_S)
        return false;
    ret_time->ns = seconds * NS_PER_S;
    return true;
}

static inline double ns_to_s(int64_t ns)
{
    return (double)ns * 1e-9;
}

static inline double ns_to_ms(int64_t ns)
{
    return (double)ns * 1e-6;
}

static inline double ns_to_us(int64_t ns)
{
    return (double)ns * 1e-3;
}

/* Rounds half away from zero. The caller bounds s to what int64_t nanoseconds hold (292 years). */
static inline int64_t s_to_ns(double s)
{
    double ns = s * 1e9;
    return (int64_t)(ns < 0 ? ns - 0.5 : ns + 0.5);
}

static inline int64_t ms_to_ns(double ms)
{
    return s_to_ns(ms * 1e-3);
}

/* Duration of a (fractional) number of frames at a rate in Hz, in ns. */
static inline int64_t frames_to_ns(double frames, double rate_hz)
{
    return s_to_ns(frames / rate_hz);
}

/* Frames, fractional, that a rate in Hz produces in a duration. */
static inline double ns_to_frames(int64_t ns, double rate_hz)
{
    return (double)ns * 1e-9 * rate_hz;
}

static inline double ppm_to_factor(double ppm)
{
    return 1.0 + ppm * 1e-6;
}

static inline double factor_to_ppm(double factor)
{
    return (factor - 1.0) * 1e6;
}

#endif
