/*
 * arrival.h: when the kernel got what a socket has received, in the loop's time.
 *
 * A busy loop comes to a socket late; the kernel stamps what arrives at once (SO_TIMESTAMPNS,
 * socket(7)), but by the wall clock. So a stamp is compared with the wall clock and the monotonic
 * clock read at the same instant, and does not count when the wall clock was set in between, which
 * the kernel tells through a timerfd (TFD_TIMER_CANCEL_ON_SET). Then, and where the wall clock that
 * we read is not the kernel's, there is no stamp, and the caller's own time has to do.
 */
#ifndef TUTTI_IO_ARRIVAL_H
#define TUTTI_IO_ARRIVAL_H

#include "tutti/base/units.h"

#include <stdbool.h>
#include <sys/socket.h>

struct arrival_clock {
    int timer_fd; /* -1: the kernel does not tell when the wall clock is set, and no stamp is
                     believed */
    bool set_known;
    struct mono_time set_at; /* when we last learnt of it */
};

void arrival_clock_init(struct arrival_clock *clock);
void arrival_clock_close(struct arrival_clock *clock);

/* Bytes for recvmsg()'s msg_control that hold a stamp and an IP_PKTINFO or IPV6_PKTINFO. */
#define ARRIVAL_CONTROL_BYTES 256

/* Asks the kernel to stamp what the socket receives; of TCP, the last byte of what is read. 0 or
 * -errno. */
int arrival_ask(int fd);

/* When the message that recvmsg() has just returned came. False: not known. */
bool arrival_of(struct arrival_clock *clock, struct msghdr *message, struct mono_time *ret);

/* The arithmetic of it: wall and mono are of the same instant, half_width_ns of which is not known.
 */
bool arrival_convert(struct wall_time stamp, struct wall_time wall, struct mono_time mono,
                     int64_t half_width_ns, struct mono_time *ret);

#endif
