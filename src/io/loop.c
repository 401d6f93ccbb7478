/*
 * loop.c: a libwebsockets context whose poll also covers an epoll set of our own.
 *
 * Adopting each descriptor of curl's one by one would make lws close sockets that are not its own.
 * So only the epoll set's descriptor is adopted, as a raw file: when it becomes readable, we ask it
 * which of ours are. Timers are one timerfd in that set: lws's own timers end in a poll() of whole
 * milliseconds, truncated, and spin through the rest of the last one.
 */
#include "arrival.h"
#include "loop_internal.h"
#include "tutti/base/log.h"
#include "tutti/io/lws_log.h"
#include "tutti/io/mono_clock.h"

#include <assert.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#define OWN_FDS_PROTOCOL_NAME "tutti-own-descriptors"
/* Descriptors served per wake-up; the rest waits for the next round, which comes at once. */
#define EVENTS_PER_ROUND 16
/* lws allocates 16 bytes for each connection that it could have. */
#define LWS_FD_LIMIT 1024
/* A handshake's answer may have 64 KiB of headers; of short ones lws keeps 16 bytes for every 11.
 * It is had while an answer is read, and only what is filled of it becomes real memory. */
#define HEADERS_MAX_BYTES 131072

struct deferred {
    void (*destroy)(void *object);
    void *object;
    struct deferred *next;
};

struct loop {
    struct lws_context *context;
    struct lws_vhost *vhost;
    struct lws_vhost *tls_vhost;
    char *ca_file;
    int epoll_fd; /* lws closes it once adopted */
    bool adopted;
    int timer_fd;
    struct loop_fd *timer_watch;
    struct loop_timer *timers; /* by the latest that each may fire */
    bool armed;
    struct mono_time armed_for;
    struct mono_time timers_served_at;
    struct arrival_clock arrivals;
    int signal_fd;
    struct loop_fd *signal_watch;
    void (*signaled)(void *user, int signal);
    void *signal_user;
    struct deferred *deferred;
    struct mono_time now;
    int depth;
    int64_t worked_ns; /* when the callback began, by the thread's own clock */
    int64_t longest_stall_ns, longest_work_ns;
    struct loop_work work, most_work;
    bool stopped;
};

struct loop_timer {
    struct loop *loop;
    struct loop_timer *next;
    bool set;
    struct mono_time earliest;
    struct mono_time at; /* at the latest */
    void (*fire)(void *user, struct mono_time now);
    void *user;
};

struct loop_fd {
    struct loop *loop;
    int fd;
    void (*ready)(void *user, unsigned events);
    void *user;
    bool removed;
};

static int64_t thread_clock_now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (int64_t)now.tv_sec * NS_PER_S + now.tv_nsec;
}

void loop_enter(struct loop *loop)
{
    if (loop->depth++ > 0)
        return;
    loop->now = mono_clock_now();
    loop->worked_ns = thread_clock_now_ns();
    loop->work = (struct loop_work){0};
}

void loop_leave(struct loop *loop)
{
    assert(loop->depth > 0);
    if (--loop->depth > 0)
        return;
    int64_t took_ns = mono_sub(mono_clock_now(), loop->now);
    int64_t worked_ns = thread_clock_now_ns() - loop->worked_ns;
    if (took_ns > loop->longest_stall_ns)
        loop->longest_stall_ns = took_ns;
    if (worked_ns > loop->longest_work_ns)
        loop->longest_work_ns = worked_ns;
}

/* --- timers --- */

struct loop_timer *loop_timer_create(struct loop *loop,
                                     void (*fire)(void *user, struct mono_time now), void *user)
{
    struct loop_timer *timer = calloc(1, sizeof *timer);
    if (!timer)
        return NULL;
    *timer = (struct loop_timer){.loop = loop, .fire = fire, .user = user};
    return timer;
}

void loop_timer_cancel(struct loop_timer *timer)
{
    if (!timer->set)
        return;
    struct loop_timer **link = &timer->loop->timers;
    while (*link != timer)
        link = &(*link)->next;
    *link = timer->next;
    timer->set = false;
}

/* Later than the round under way: a timer that sets itself again must not keep the round. */
static struct mono_time after_round(const struct loop *loop, struct mono_time at)
{
    bool due = mono_sub(at, loop->timers_served_at) <= 0;
    return due ? mono_add(loop->timers_served_at, 1) : at;
}

void loop_timer_set_between(struct loop_timer *timer, struct mono_time earliest,
                            struct mono_time latest)
{
    struct loop *loop = timer->loop;
    loop_timer_cancel(timer);
    timer->earliest = after_round(loop, earliest);
    timer->at = after_round(loop, latest);
    struct loop_timer **link = &loop->timers;
    while (*link && mono_sub((*link)->at, timer->at) <= 0)
        link = &(*link)->next;
    timer->next = *link;
    timer->set = true;
    *link = timer;
}

void loop_timer_set(struct loop_timer *timer, struct mono_time at)
{
    loop_timer_set_between(timer, at, at);
}

void loop_timer_set_in(struct loop_timer *timer, int64_t delay_ns)
{
    loop_timer_set(timer, mono_add(mono_clock_now(), delay_ns));
}

void loop_timer_destroy(struct loop_timer *timer)
{
    if (!timer)
        return;
    loop_timer_cancel(timer);
    free(timer);
}

static struct loop_timer *timer_to_serve(const struct loop *loop)
{
    struct loop_timer *timer = loop->timers;
    while (timer && mono_sub(timer->earliest, loop->timers_served_at) > 0)
        timer = timer->next;
    return timer;
}

static void serve_timers(struct loop *loop)
{
    struct loop_timer *timer;
    if (!loop->timers)
        return;
    loop->timers_served_at = mono_clock_now();
    while ((timer = timer_to_serve(loop)) != NULL) {
        loop_timer_cancel(timer);
        loop_enter(loop);
        timer->fire(timer->user, loop->now); /* which may destroy the timer */
        loop_leave(loop);
    }
}

/* The timerfd runs on CLOCK_MONOTONIC, our times on the raw clock: when it is early by what NTP
 * slews, no timer is due yet and the rest is armed. Setting it also clears its readiness. */
static void arm_timers(struct loop *loop)
{
    struct itimerspec wanted = {0};
    bool needed = loop->timers != NULL;
    if (needed == loop->armed && (!needed || mono_sub(loop->armed_for, loop->timers->at) == 0))
        return;
    if (needed) {
        int64_t delay_ns = mono_sub(loop->timers->at, mono_clock_now());
        if (delay_ns < 1)
            delay_ns = 1;
        wanted.it_value.tv_sec = (time_t)(delay_ns / NS_PER_S);
        wanted.it_value.tv_nsec = (long)(delay_ns % NS_PER_S);
        loop->armed_for = loop->timers->at;
    }
    loop->armed = needed;
    timerfd_settime(loop->timer_fd, 0, &wanted, NULL);
}

static void timer_fd_ready(void *user, unsigned events)
{
    struct loop *loop = user;
    uint64_t expirations;
    (void)events;
    ssize_t got = read(loop->timer_fd, &expirations, sizeof expirations);
    (void)got;           /* nobody else reads it, and it does not block */
    loop->armed = false; /* serve_timers() has run or runs next; then it is armed anew */
}

/* --- descriptors --- */

static uint32_t epoll_events(unsigned events)
{
    return (events & LOOP_READ ? (uint32_t)EPOLLIN : 0) |
           (events & LOOP_WRITE ? (uint32_t)EPOLLOUT : 0);
}

static unsigned loop_events(uint32_t events)
{
    return (events & EPOLLIN ? LOOP_READ : 0) | (events & EPOLLOUT ? LOOP_WRITE : 0) |
           (events & (EPOLLHUP | EPOLLERR) ? LOOP_HANGUP : 0);
}

struct loop_fd *loop_fd_add(struct loop *loop, int fd, unsigned events,
                            void (*ready)(void *user, unsigned events), void *user)
{
    struct loop_fd *watch = calloc(1, sizeof *watch);
    if (!watch)
        return NULL;
    *watch = (struct loop_fd){.loop = loop, .fd = fd, .ready = ready, .user = user};
    struct epoll_event event = {.events = epoll_events(events), .data.ptr = watch};
    if (epoll_ctl(loop->epoll_fd, EPOLL_CTL_ADD, fd, &event) < 0) {
        free(watch);
        return NULL;
    }
    return watch;
}

void loop_fd_set_events(struct loop_fd *watch, unsigned events)
{
    struct epoll_event event = {.events = epoll_events(events), .data.ptr = watch};
    epoll_ctl(watch->loop->epoll_fd, EPOLL_CTL_MOD, watch->fd, &event);
}

void loop_fd_remove(struct loop_fd *watch)
{
    if (!watch || watch->removed)
        return;
    epoll_ctl(watch->loop->epoll_fd, EPOLL_CTL_DEL, watch->fd, NULL);
    watch->removed = true;
    loop_defer_free(watch->loop, free, watch);
}

/* Timers come before every descriptor, so that none waits for more than one callback. */
static void serve_descriptors(struct loop *loop)
{
    struct epoll_event events[EVENTS_PER_ROUND];
    int count = epoll_wait(loop->epoll_fd, events, EVENTS_PER_ROUND, 0);
    for (int i = 0; i < count; i++) {
        serve_timers(loop);
        struct loop_fd *watch = events[i].data.ptr;
        if (watch->removed) /* by a callback before it in this round */
            continue;
        loop_enter(loop);
        watch->ready(watch->user, loop_events(events[i].events));
        loop_leave(loop);
    }
}

/* --- lws --- */

static int socket_callback(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in,
                           size_t len)
{
    struct loop_socket *socket = wsi ? lws_get_opaque_user_data(wsi) : NULL;
    (void)user;
    return socket ? socket->on_event(socket, wsi, reason, in, len) : 0;
}

static int own_fds_callback(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in,
                            size_t len)
{
    if (reason == LWS_CALLBACK_RAW_RX_FILE)
        serve_descriptors(lws_context_user(lws_get_context(wsi)));
    /* lws tells a vhost's first protocol of the end of every connection, whosever it was. */
    if (reason == LWS_CALLBACK_WSI_DESTROY)
        return socket_callback(wsi, reason, user, in, len);
    return 0;
}

static const struct lws_protocols protocols[] = {
    {.name = OWN_FDS_PROTOCOL_NAME, .callback = own_fds_callback},
    {.name = LOOP_SOCKET_PROTOCOL_NAME,
     .callback = socket_callback,
     .rx_buffer_size = LOOP_SOCKET_RX_BYTES},
    {0},
};

static struct lws_vhost *create_vhost(struct loop *loop, const char *name, uint64_t options)
{
    struct lws_context_creation_info info = {
        .port = CONTEXT_PORT_NO_LISTEN,
        .vhost_name = name,
        .protocols = protocols,
        .options = options,
        .client_ssl_ca_filepath = loop->ca_file,
        .http_proxy_address = LOOP_NO_PROXY,
    };
    return lws_create_vhost(loop->context, &info);
}

struct lws_vhost *loop_vhost(struct loop *loop)
{
    return loop->vhost;
}

struct lws_vhost *loop_tls_vhost(struct loop *loop)
{
    uint64_t options = LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT;
    if (loop->ca_file)
        options |= LWS_SERVER_OPTION_DISABLE_OS_CA_CERTS;
    if (!loop->tls_vhost)
        loop->tls_vhost = create_vhost(loop, "tls", options);
    return loop->tls_vhost;
}

static bool create_context(struct loop *loop)
{
    struct lws_context_creation_info info = {
        .gid = -1,
        .uid = -1,
        .options = LWS_SERVER_OPTION_EXPLICIT_VHOSTS | LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT,
        .fd_limit_per_thread = LWS_FD_LIMIT,
        .max_http_header_data2 = HEADERS_MAX_BYTES,
        .user = loop,
    };
    lws_log_start();
    loop->context = lws_create_context(&info);
    return loop->context != NULL;
}

static bool adopt_epoll(struct loop *loop)
{
    loop->vhost = create_vhost(loop, "default", 0);
    lws_sock_file_fd_type fd = {.filefd = loop->epoll_fd};
    loop->adopted =
        loop->vhost && lws_adopt_descriptor_vhost(loop->vhost, LWS_ADOPT_RAW_FILE_DESC, fd,
                                                  OWN_FDS_PROTOCOL_NAME, NULL) != NULL;
    return loop->adopted;
}

static bool set_up(struct loop *loop, const char *ca_file)
{
    if (ca_file && !(loop->ca_file = strdup(ca_file)))
        return false;
    loop->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    loop->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    if (loop->epoll_fd < 0 || loop->timer_fd < 0)
        return false;
    loop->timer_watch = loop_fd_add(loop, loop->timer_fd, LOOP_READ, timer_fd_ready, loop);
    return loop->timer_watch && create_context(loop) && adopt_epoll(loop);
}

struct loop *loop_create(const char *ca_file)
{
    struct loop *loop = calloc(1, sizeof *loop);
    if (!loop)
        return NULL;
    loop->epoll_fd = loop->timer_fd = loop->signal_fd = -1;
    loop->timers_served_at = mono_clock_now();
    arrival_clock_init(&loop->arrivals);
    signal(SIGPIPE, SIG_IGN); /* OpenSSL writes to sockets that may be gone */
    if (!set_up(loop, ca_file)) {
        log_error("the event loop cannot be set up: %s", strerror(errno));
        loop_destroy(loop);
        return NULL;
    }
    return loop;
}

void loop_defer_free(struct loop *loop, void (*destroy)(void *object), void *object)
{
    struct deferred *deferred = malloc(sizeof *deferred);
    if (!deferred)
        return; /* a small leak is better than a dangling pointer */
    *deferred = (struct deferred){destroy, object, loop->deferred};
    loop->deferred = deferred;
}

static void run_deferred(struct loop *loop)
{
    while (loop->deferred) {
        struct deferred *first = loop->deferred;
        loop->deferred = first->next;
        first->destroy(first->object);
        free(first);
    }
}

static void close_fd(int fd)
{
    if (fd >= 0)
        close(fd);
}

void loop_destroy(struct loop *loop)
{
    if (!loop)
        return;
    loop_fd_remove(loop->signal_watch);
    loop_fd_remove(loop->timer_watch);
    run_deferred(loop);
    close_fd(loop->signal_fd);
    close_fd(loop->timer_fd);
    arrival_clock_close(&loop->arrivals);
    if (loop->context)
        lws_context_destroy(loop->context);
    if (!loop->adopted)
        close_fd(loop->epoll_fd);
    run_deferred(loop); /* what the connections that lws has closed left behind */
    free(loop->ca_file);
    free(loop);
}

struct arrival_clock *loop_arrival_clock(struct loop *loop)
{
    return &loop->arrivals;
}

struct lws_context *loop_lws_context(struct loop *loop)
{
    return loop->context;
}

void loop_run(struct loop *loop)
{
    loop->stopped = false;
    while (!loop->stopped) {
        run_deferred(loop);
        serve_timers(loop);
        arm_timers(loop);
        if (lws_service(loop->context, 0) < 0)
            break;
    }
    run_deferred(loop);
}

void loop_stop(struct loop *loop)
{
    loop->stopped = true;
    lws_cancel_service(loop->context);
}

struct mono_time loop_now(const struct loop *loop)
{
    return loop->depth > 0 ? loop->now : mono_clock_now();
}

static void signal_ready(void *user, unsigned events)
{
    struct loop *loop = user;
    struct signalfd_siginfo info;
    (void)events;
    while (read(loop->signal_fd, &info, sizeof info) == sizeof info)
        loop->signaled(loop->signal_user, (int)info.ssi_signo);
}

int loop_watch_signals(struct loop *loop, void (*signaled)(void *user, int signal), void *user)
{
    sigset_t set;
    assert(loop->signal_fd < 0);
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGHUP);
    if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
        return -errno;
    loop->signal_fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
    if (loop->signal_fd < 0)
        return -errno;
    loop->signaled = signaled;
    loop->signal_user = user;
    loop->signal_watch = loop_fd_add(loop, loop->signal_fd, LOOP_READ, signal_ready, loop);
    return loop->signal_watch ? 0 : -errno;
}

int64_t loop_longest_stall_ns(const struct loop *loop)
{
    return loop->longest_stall_ns;
}

void loop_note_work(struct loop *loop, uint64_t items, uint64_t bytes)
{
    struct loop_work *work = &loop->work, *most = &loop->most_work;
    work->items += items;
    work->bytes += bytes;
    most->items = work->items > most->items ? work->items : most->items;
    most->bytes = work->bytes > most->bytes ? work->bytes : most->bytes;
}

struct loop_work loop_most_work(const struct loop *loop)
{
    return loop->most_work;
}

int64_t loop_longest_work_ns(const struct loop *loop)
{
    return loop->longest_work_ns;
}

void loop_reset_longest_stall(struct loop *loop)
{
    loop->longest_stall_ns = loop->longest_work_ns = 0;
}
