/*
 * loop.h: the one event loop: libwebsockets' own, with our descriptors and timers in it.
 *
 * Descriptors of ours (curl's sockets, the control socket, device events) live in one epoll set
 * whose descriptor libwebsockets adopts: it serves its sockets and ours in the same poll.
 * Single-threaded. Callbacks must return within 10 ms; the longest is measured.
 * Callbacks may destroy anything, their own object included: memory handed to loop_defer_free()
 * is freed at the top of the loop, never under a running callback.
 */
#ifndef TUTTI_IO_LOOP_H
#define TUTTI_IO_LOOP_H

#include "tutti/base/units.h"

#include <stdbool.h>
#include <stdint.h>

struct loop;
struct loop_timer;
struct loop_fd;
struct lws_context;

/* ca_file: PEM bundle for outgoing WebSockets' TLS, instead of the system's; NULL: the system's.
 * NULL on failure (logged). SIGPIPE is ignored from here on. */
struct loop *loop_create(const char *ca_file);
void loop_destroy(struct loop *loop);
struct lws_context *loop_lws_context(struct loop *loop);

/* Serves until loop_stop(). */
void loop_run(struct loop *loop);
void loop_stop(struct loop *loop);

/* Inside a callback: the time sampled just before it; outside: the time now. */
struct mono_time loop_now(const struct loop *loop);

/* Timers fire once, at or after their time, to the precision of the kernel's timers (tens of
 * microseconds); set again to repeat. One that sets itself in the past fires in the next round. */
struct loop_timer *loop_timer_create(struct loop *loop,
                                     void (*fire)(void *user, struct mono_time now), void *user);
void loop_timer_set(struct loop_timer *timer, struct mono_time at);
void loop_timer_set_in(struct loop_timer *timer, int64_t delay_ns);
/* At `latest`; from `earliest` on, when the loop is awake anyway: one wake-up does for both. */
void loop_timer_set_between(struct loop_timer *timer, struct mono_time earliest,
                            struct mono_time latest);
void loop_timer_cancel(struct loop_timer *timer);
void loop_timer_destroy(struct loop_timer *timer);

#define LOOP_READ 1u
#define LOOP_WRITE 2u
#define LOOP_HANGUP 4u /* only reported */

/* Level-triggered. The descriptor stays the caller's. NULL on failure, errno set. */
struct loop_fd *loop_fd_add(struct loop *loop, int fd, unsigned events,
                            void (*ready)(void *user, unsigned events), void *user);
void loop_fd_set_events(struct loop_fd *watch, unsigned events);
void loop_fd_remove(struct loop_fd *watch); /* before the descriptor is closed; NULL is fine */

/* SIGTERM, SIGINT, SIGHUP (blocked, and read through a descriptor; children inherit the blocking
 * and unblock them before exec). At most once a loop. 0 or -errno. */
int loop_watch_signals(struct loop *loop, void (*signaled)(void *user, int signal), void *user);

/* Calls destroy(object) when no callback is running any more. */
void loop_defer_free(struct loop *loop, void (*destroy)(void *object), void *object);

/* The longest that one callback has kept the loop from serving, since the last reset. */
int64_t loop_longest_stall_ns(const struct loop *loop);
/* The same in processor time: not what other programs, or a disk, kept us waiting. */
int64_t loop_longest_work_ns(const struct loop *loop);
void loop_reset_longest_stall(struct loop *loop);

/* What callbacks say of how much they have done, and the most that one of them has: unlike a time,
 * the same on every machine, however busy. Items of lists, and bytes parsed, made or copied. */
struct loop_work {
    uint64_t items, bytes;
};
void loop_note_work(struct loop *loop, uint64_t items, uint64_t bytes);
struct loop_work loop_most_work(const struct loop *loop);

#endif
