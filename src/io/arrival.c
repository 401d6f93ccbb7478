/*
 * arrival.c: the kernel's stamps, from the wall clock to the monotonic one.
 *
 * Nothing of the wall clock is kept: every stamp is converted by readings of the moment at which it
 * is taken over, so only a wall clock that is set between the two matters, and that is told.
 */
#include "arrival.h"

#include "tutti/io/mono_clock.h"

#include <errno.h>
#include <string.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

/* What is older was held up by more than a busy loop, while a slewed wall clock (500 ppm) went
 * astray. */
static const int64_t AGE_MAX_NS = NS_PER_S;
/* A stamp may be this much after the reading that follows it: clocks are read on different cores.
 */
static const int64_t FUTURE_MAX_NS = 20 * NS_PER_US;
/* A process that was descheduled between readings of the two clocks knows neither. */
static const int64_t HALF_WIDTH_MAX_NS = 50 * NS_PER_US;
/* Sockets are looked at one after another: what others received before the clock was set is still
 * to be read. */
static const int64_t DISTRUST_NS = 2 * NS_PER_S;

/* Goes off when the clock is set, and otherwise in the year 2223, or as late as 32 bits can say. */
static int arm(int fd)
{
    const bool wide = sizeof(time_t) > sizeof(int32_t);
    struct itimerspec never = {.it_value.tv_sec = wide ? (time_t)INT64_C(8000000000) : INT32_MAX};
    return timerfd_settime(fd, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, &never, NULL);
}

void arrival_clock_init(struct arrival_clock *clock)
{
    memset(clock, 0, sizeof *clock);
    clock->timer_fd = timerfd_create(CLOCK_REALTIME, TFD_NONBLOCK | TFD_CLOEXEC);
    if (clock->timer_fd >= 0 && arm(clock->timer_fd) < 0)
        arrival_clock_close(clock);
}

void arrival_clock_close(struct arrival_clock *clock)
{
    if (clock->timer_fd >= 0)
        close(clock->timer_fd);
    clock->timer_fd = -1;
}

int arrival_ask(int fd)
{
    int on = 1;
    return setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof on) < 0 ? -errno : 0;
}

/* After the clocks were read: has the wall clock been set since it was last asked, or shortly
 * before? */
static bool was_set(struct arrival_clock *clock, struct mono_time now)
{
    uint64_t expirations;
    if (read(clock->timer_fd, &expirations, sizeof expirations) >= 0 || errno != EAGAIN) {
        clock->set_known = true;
        clock->set_at = now;
        arm(clock->timer_fd);
    }
    return clock->set_known && mono_sub(now, clock->set_at) < DISTRUST_NS;
}

static bool find_stamp(struct msghdr *message, struct wall_time *ret)
{
    for (struct cmsghdr *part = CMSG_FIRSTHDR(message); part; part = CMSG_NXTHDR(message, part)) {
        struct timespec stamp;
        if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_TIMESTAMPNS ||
            part->cmsg_len < CMSG_LEN(sizeof stamp))
            continue;
        memcpy(&stamp, CMSG_DATA(part), sizeof stamp);
        ret->ns = (int64_t)stamp.tv_sec * NS_PER_S + stamp.tv_nsec;
        return true;
    }
    return false;
}

bool arrival_convert(struct wall_time stamp, struct wall_time wall, struct mono_time mono,
                     int64_t half_width_ns, struct mono_time *ret)
{
    int64_t age_ns = wall.ns - stamp.ns;
    if (age_ns < -FUTURE_MAX_NS || age_ns > AGE_MAX_NS || half_width_ns > HALF_WIDTH_MAX_NS)
        return false;
    *ret = mono_add(mono, age_ns > 0 ? -age_ns : 0);
    return true;
}

bool arrival_of(struct arrival_clock *clock, struct msghdr *message, struct mono_time *ret)
{
    struct wall_time stamp, wall;
    struct mono_time mono;
    if (clock->timer_fd < 0 || !find_stamp(message, &stamp))
        return false;
    int64_t half_width_ns = wall_clock_pair(&wall, &mono);
    return !was_set(clock, mono) && arrival_convert(stamp, wall, mono, half_width_ns, ret);
}
