/*
 * loop.c: a libwebsockets context whose poll also covers an epoll set of our own.
 *
 * Adopting each descriptor of curl's one by one would make lws close sockets that are not its own.
 * So only the epoll set's descriptor is adopted, as a raw file: when it becomes readable, we ask it
 * which of ours are.
 */
#include "loop_internal.h"
#include "tutti/base/log.h"
#include "tutti/io/mono_clock.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#define OWN_FDS_PROTOCOL_NAME "tutti-own-descriptors"
/* Descriptors served per wake-up; the rest waits for the next round, which comes at once. */
#define EVENTS_PER_ROUND 16
/* lws allocates a table of this many connections; a speaker has three. */
#define LWS_FD_LIMIT 64

struct deferred {
    void (*destroy)(void *object);
    void *object;
    struct deferred *next;
};

struct loop {
    struct lws_context *context;
    int epoll_fd; /* lws closes it */
    int signal_fd;
    struct loop_fd *signal_watch;
    void (*signaled)(void *user, int signal);
    void *signal_user;
    struct deferred *deferred;
    struct mono_time now;
    int depth;
    int64_t longest_stall_ns;
    bool stopped;
};

struct loop_timer {
    lws_sorted_usec_list_t sul; /* must stay the first member: sul callbacks get its address */
    struct loop *loop;
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

void loop_enter(struct loop *loop)
{
    if (loop->depth++ == 0)
        loop->now = mono_clock_now();
}

void loop_leave(struct loop *loop)
{
    if (--loop->depth > 0)
        return;
    int64_t took_ns = mono_sub(mono_clock_now(), loop->now);
    if (took_ns > loop->longest_stall_ns)
        loop->longest_stall_ns = took_ns;
}

static void serve_events(struct loop *loop)
{
    struct epoll_event events[EVENTS_PER_ROUND];
    int count = epoll_wait(loop->epoll_fd, events, EVENTS_PER_ROUND, 0);
    for (int i = 0; i < count; i++) {
        struct loop_fd *watch = events[i].data.ptr;
        if (watch->removed) /* by the callback of one before it in this round */
            continue;
        unsigned ready = 0;
        if (events[i].events & EPOLLIN)
            ready |= LOOP_READ;
        if (events[i].events & EPOLLOUT)
            ready |= LOOP_WRITE;
        if (events[i].events & (EPOLLHUP | EPOLLERR))
            ready |= LOOP_HANGUP;
        loop_enter(loop);
        watch->ready(watch->user, ready);
        loop_leave(loop);
    }
}

static int own_fds_callback(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in,
                            size_t len)
{
    (void)user;
    (void)in;
    (void)len;
    if (reason == LWS_CALLBACK_RAW_RX_FILE)
        serve_events(lws_context_user(lws_get_context(wsi)));
    return 0;
}

static const struct lws_protocols protocols[] = {
    {.name = OWN_FDS_PROTOCOL_NAME, .callback = own_fds_callback},
    {.name = WS_CLIENT_PROTOCOL_NAME,
     .callback = ws_client_callback,
     .rx_buffer_size = WS_CLIENT_RX_BYTES},
    {0},
};

static void log_from_lws(int level, const char *line)
{
    size_t len = strlen(line);
    while (len > 0 && line[len - 1] == '\n')
        len--;
    log_write(level & LLL_ERR ? LOG_WARN : LOG_DEBUG, "libwebsockets: %.*s", (int)len, line);
}

static bool adopt_epoll(struct loop *loop)
{
    struct lws_vhost *vhost = lws_get_vhost_by_name(loop->context, "default");
    lws_sock_file_fd_type fd = {.filefd = loop->epoll_fd};
    return vhost && lws_adopt_descriptor_vhost(vhost, LWS_ADOPT_RAW_FILE_DESC, fd,
                                               OWN_FDS_PROTOCOL_NAME, NULL) != NULL;
}

struct loop *loop_create(const char *ca_file)
{
    struct loop *loop = calloc(1, sizeof *loop);
    if (!loop)
        return NULL;
    loop->signal_fd = -1;
    loop->now = mono_clock_now();
    lws_set_log_level(LLL_ERR | LLL_WARN, log_from_lws);
    struct lws_context_creation_info info = {
        .port = CONTEXT_PORT_NO_LISTEN,
        .protocols = protocols,
        .gid = -1,
        .uid = -1,
        .options = LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT,
        .client_ssl_ca_filepath = ca_file,
        .fd_limit_per_thread = LWS_FD_LIMIT,
        .user = loop,
    };
    loop->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    if (loop->epoll_fd >= 0)
        loop->context = lws_create_context(&info);
    if (!loop->context || !adopt_epoll(loop)) {
        log_error("the event loop cannot be set up: %s", strerror(errno));
        loop_destroy(loop);
        return NULL;
    }
    return loop;
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

void loop_destroy(struct loop *loop)
{
    if (!loop)
        return;
    loop_fd_remove(loop->signal_watch);
    if (loop->signal_fd >= 0)
        close(loop->signal_fd);
    run_deferred(loop);
    if (loop->context)
        lws_context_destroy(loop->context);
    else if (loop->epoll_fd >= 0)
        close(loop->epoll_fd);
    run_deferred(loop);
    free(loop);
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
        if (lws_service(loop->context, 0) < 0)
            return;
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

struct loop_timer *loop_timer_create(struct loop *loop,
                                     void (*fire)(void *user, struct mono_time now), void *user)
{
    struct loop_timer *timer = calloc(1, sizeof *timer);
    if (!timer)
        return NULL;
    timer->loop = loop;
    timer->fire = fire;
    timer->user = user;
    return timer;
}

static void fire_timer(lws_sorted_usec_list_t *sul)
{
    struct loop_timer *timer = (struct loop_timer *)sul;
    struct loop *loop = timer->loop;
    loop_enter(loop);
    timer->fire(timer->user, loop->now);
    loop_leave(loop);
}

void loop_timer_set_in(struct loop_timer *timer, int64_t delay_ns)
{
    /* lws takes 0 and less for "cancel"; round up, so that a timer never fires early. */
    int64_t delay_us = delay_ns <= 0 ? 1 : (delay_ns + NS_PER_US - 1) / NS_PER_US;
    lws_sul_schedule(timer->loop->context, 0, &timer->sul, fire_timer, (lws_usec_t)delay_us);
}

void loop_timer_set(struct loop_timer *timer, struct mono_time at)
{
    loop_timer_set_in(timer, mono_sub(at, mono_clock_now()));
}

void loop_timer_cancel(struct loop_timer *timer)
{
    lws_sul_cancel(&timer->sul);
}

void loop_timer_destroy(struct loop_timer *timer)
{
    if (!timer)
        return;
    lws_sul_cancel(&timer->sul);
    loop_defer_free(timer->loop, free, timer);
}

static uint32_t epoll_events(unsigned events)
{
    uint32_t wanted = 0;
    if (events & LOOP_READ)
        wanted |= EPOLLIN;
    if (events & LOOP_WRITE)
        wanted |= EPOLLOUT;
    return wanted;
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
    if (!watch)
        return;
    epoll_ctl(watch->loop->epoll_fd, EPOLL_CTL_DEL, watch->fd, NULL);
    watch->removed = true;
    loop_defer_free(watch->loop, free, watch);
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
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGHUP);
    if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
        return -errno;
    signal(SIGPIPE, SIG_IGN);
    loop->signal_fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
    if (loop->signal_fd < 0)
        return -errno;
    loop->signaled = signaled;
    loop->signal_user = user;
    loop->signal_watch = loop_fd_add(loop, loop->signal_fd, LOOP_READ, signal_ready, loop);
    return loop->signal_watch ? 0 : -errno;
}

void loop_defer_free(struct loop *loop, void (*destroy)(void *object), void *object)
{
    struct deferred *deferred = malloc(sizeof *deferred);
    if (!deferred)
        return; /* a small leak is better than a dangling pointer */
    *deferred = (struct deferred){destroy, object, loop->deferred};
    loop->deferred = deferred;
}

int64_t loop_longest_stall_ns(const struct loop *loop)
{
    return loop->longest_stall_ns;
}

void loop_reset_longest_stall(struct loop *loop)
{
    loop->longest_stall_ns = 0;
}
