/*
 * curl_loop.c: curl's "multi socket" interface on the loop.
 *
 * curl tells which sockets it wants watched and when it wants to be called; both go to the loop.
 * How much of a round a body may take is bounded where it arrives, in http.c: curl itself reads on
 * for as long as the sender keeps up.
 */
#include "curl_loop.h"

#include "tutti/io/loop.h"

#include <stdlib.h>

struct curl_loop {
    struct loop *loop;
    CURLM *multi;
    struct loop_timer *timeout; /* curl's own; set by curl alone, or it would lose count of it */
    struct loop_timer *kick;
    void (*served)(void *user);
    void *user;
    int inside;
};

struct socket_watch {
    struct curl_loop *curl;
    curl_socket_t socket;
    struct loop_fd *fd;
};

static void act(struct curl_loop *curl, curl_socket_t socket, int mask)
{
    int running;
    curl->inside++;
    curl_multi_socket_action(curl->multi, socket, mask, &running);
    curl->inside--;
    curl->served(curl->user);
}

static void socket_ready(void *user, unsigned events)
{
    struct socket_watch *watch = user;
    int mask = (events & LOOP_READ ? CURL_CSELECT_IN : 0) |
               (events & LOOP_WRITE ? CURL_CSELECT_OUT : 0) |
               (events & LOOP_HANGUP ? CURL_CSELECT_ERR : 0);
    act(watch->curl, watch->socket, mask);
}

static void forget_socket(struct curl_loop *curl, struct socket_watch *watch)
{
    if (!watch)
        return;
    curl_multi_assign(curl->multi, watch->socket, NULL);
    loop_fd_remove(watch->fd);
    loop_defer_free(curl->loop, free, watch);
}

static int watch_socket(CURL *easy, curl_socket_t socket, int what, void *user, void *data)
{
    struct curl_loop *curl = user;
    struct socket_watch *watch = data;
    unsigned events =
        (what & CURL_POLL_IN ? LOOP_READ : 0) | (what & CURL_POLL_OUT ? LOOP_WRITE : 0);
    (void)easy;
    if (what == CURL_POLL_REMOVE) {
        forget_socket(curl, watch);
        return 0;
    }
    if (watch) {
        loop_fd_set_events(watch->fd, events);
        return 0;
    }
    watch = calloc(1, sizeof *watch);
    if (!watch)
        return -1;
    *watch = (struct socket_watch){.curl = curl, .socket = socket};
    watch->fd = loop_fd_add(curl->loop, socket, events, socket_ready, watch);
    if (!watch->fd) {
        free(watch);
        return -1;
    }
    curl_multi_assign(curl->multi, socket, watch);
    return 0;
}

static int set_timeout(CURLM *multi, long timeout_ms, void *user)
{
    struct curl_loop *curl = user;
    (void)multi;
    if (timeout_ms < 0)
        loop_timer_cancel(curl->timeout);
    else
        loop_timer_set_in(curl->timeout, timeout_ms * NS_PER_MS);
    return 0;
}

static void timeout_fired(void *user, struct mono_time now)
{
    (void)now;
    act(user, CURL_SOCKET_TIMEOUT, 0);
}

static void kick_fired(void *user, struct mono_time now)
{
    struct curl_loop *curl = user;
    (void)now;
    curl->served(curl->user);
}

struct curl_loop *curl_loop_create(struct loop *loop, void (*served)(void *user), void *user)
{
    struct curl_loop *curl = calloc(1, sizeof *curl);
    if (!curl)
        return NULL;
    *curl = (struct curl_loop){.loop = loop, .served = served, .user = user};
    curl->timeout = loop_timer_create(loop, timeout_fired, curl);
    curl->kick = loop_timer_create(loop, kick_fired, curl);
    if (curl_global_init(CURL_GLOBAL_DEFAULT) == 0)
        curl->multi = curl_multi_init();
    if (!curl->multi || !curl->timeout || !curl->kick) {
        curl_loop_destroy(curl);
        return NULL;
    }
    curl_multi_setopt(curl->multi, CURLMOPT_SOCKETFUNCTION, watch_socket);
    curl_multi_setopt(curl->multi, CURLMOPT_SOCKETDATA, curl);
    curl_multi_setopt(curl->multi, CURLMOPT_TIMERFUNCTION, set_timeout);
    curl_multi_setopt(curl->multi, CURLMOPT_TIMERDATA, curl);
    return curl;
}

void curl_loop_destroy(struct curl_loop *curl)
{
    if (!curl)
        return;
    if (curl->multi)
        curl_multi_cleanup(curl->multi); /* which has its sockets forgotten */
    loop_timer_destroy(curl->timeout);
    loop_timer_destroy(curl->kick);
    free(curl);
}

CURLM *curl_loop_multi(struct curl_loop *curl)
{
    return curl->multi;
}

bool curl_loop_is_inside(const struct curl_loop *curl)
{
    return curl->inside > 0;
}

void curl_loop_unpause(struct curl_loop *curl, CURL *easy)
{
    curl->inside++;
    curl_easy_pause(easy, CURLPAUSE_CONT);
    curl->inside--;
    curl_loop_kick(curl);
}

void curl_loop_kick(struct curl_loop *curl)
{
    loop_timer_set_in(curl->kick, 0);
}
