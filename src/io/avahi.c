/*
 * avahi.c: the thread, the bus, and whether Avahi is on it.
 */
#include "tutti/io/avahi.h"

#include "avahi_internal.h"
#include "tutti/base/log.h"
#include "tutti/io/mono_clock.h"
#include "tutti/io/thread.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

/* The bus may come after us, at boot. */
static const int64_t RETRY_MIN_NS = 2 * NS_PER_S;
static const int64_t RETRY_MAX_NS = 300 * NS_PER_S;

/* --- whether it is there ------------------------------------------------------------------- */

static void arrive(struct avahi *avahi)
{
    if (avahi->is_there)
        return;
    avahi->is_there = true;
    avahi->said = false;
    avahi_announce_begin(avahi);
    avahi_browse_begin(avahi);
}

static void leave(struct avahi *avahi)
{
    avahi->is_there = false;
    avahi_announce_forget(avahi);
    avahi_browse_forget(avahi);
}

static void miss(struct avahi *avahi, const char *why)
{
    if (!avahi->said)
        log_write(avahi->optional ? LOG_DEBUG : LOG_INFO,
                  "Avahi is out of reach (%s): nothing is announced or found until it is there",
                  why);
    avahi->said = true;
}

static int owner_told(sd_bus_message *answer, void *user, sd_bus_error *error)
{
    (void)error;
    if (sd_bus_message_is_method_error(answer, NULL))
        miss(user, "it does not run");
    else
        arrive(user);
    return 0;
}

static int owner_changed(sd_bus_message *message, void *user, sd_bus_error *error)
{
    const char *name, *before, *after;
    (void)error;
    if (sd_bus_message_read(message, "sss", &name, &before, &after) < 0)
        return 0;
    if (before[0])
        leave(user);
    if (after[0])
        arrive(user);
    return 0;
}

static int ask_for_owner(struct avahi *avahi)
{
    int result = sd_bus_add_match(avahi->bus, NULL,
                                  "type='signal',sender='org.freedesktop.DBus',"
                                  "interface='org.freedesktop.DBus',member='NameOwnerChanged',"
                                  "arg0='" AVAHI_BUS_NAME "'",
                                  owner_changed, avahi);
    if (result < 0)
        return result;
    return sd_bus_call_method_async(avahi->bus, NULL, "org.freedesktop.DBus",
                                    "/org/freedesktop/DBus", "org.freedesktop.DBus", "GetNameOwner",
                                    owner_told, avahi, "s", AVAHI_BUS_NAME);
}

/* --- the bus ------------------------------------------------------------------------------- */

static void disconnect(struct avahi *avahi, int error)
{
    miss(avahi, strerror(-error));
    leave(avahi);
    if (avahi->bus)
        sd_bus_close(avahi->bus);
    avahi->bus = sd_bus_unref(avahi->bus);
    avahi->retry_at = mono_add(mono_clock_now(), avahi->retry_ns);
    avahi->retry_ns = avahi->retry_ns * 2 < RETRY_MAX_NS ? avahi->retry_ns * 2 : RETRY_MAX_NS;
}

static void connect_bus(struct avahi *avahi)
{
    int result = sd_bus_open_system(&avahi->bus);
    if (result >= 0)
        result = avahi_announce_watch(avahi);
    if (result >= 0)
        result = avahi_browse_watch(avahi);
    if (result >= 0)
        result = ask_for_owner(avahi);
    if (result < 0)
        disconnect(avahi, result);
    else
        avahi->retry_ns = RETRY_MIN_NS;
}

static int64_t bus_wait_ns(struct avahi *avahi)
{
    uint64_t until_us = UINT64_MAX;
    struct timespec now;
    if (sd_bus_get_timeout(avahi->bus, &until_us) < 0 || until_us == UINT64_MAX)
        return INT64_MAX;
    clock_gettime(CLOCK_MONOTONIC, &now); /* sd-bus's */
    int64_t wait_ns = (int64_t)until_us * 1000 - (now.tv_sec * NS_PER_S + now.tv_nsec);
    return wait_ns > 0 ? wait_ns : 0;
}

/* Rounded up: a wait that ends too early would spin. */
static int poll_ms(int64_t wait_ns)
{
    int64_t wait_ms = wait_ns <= 0 ? 0 : (wait_ns - 1) / NS_PER_MS + 1;
    return wait_ms > 3600000 ? 3600000 : (int)wait_ms;
}

/* False: stopping. */
static bool sleep_until_something(struct avahi *avahi)
{
    struct pollfd fds[2] = {{.fd = avahi->stop_fd, .events = POLLIN}, {.fd = -1}};
    int64_t wait_ns = mono_sub(avahi->retry_at, mono_clock_now());
    if (avahi->bus) {
        int64_t bus_ns = bus_wait_ns(avahi);
        wait_ns = mono_sub(avahi_browse_due(avahi), mono_clock_now());
        wait_ns = bus_ns < wait_ns ? bus_ns : wait_ns;
        fds[1].fd = sd_bus_get_fd(avahi->bus);
        fds[1].events = (short)sd_bus_get_events(avahi->bus);
    }
    poll(fds, 2, poll_ms(wait_ns));
    return !(fds[0].revents & POLLIN);
}

/* More than this at a time, and stopping would wait for it. */
static bool work(struct avahi *avahi)
{
    int result = sd_bus_process(avahi->bus, NULL);
    if (result < 0)
        disconnect(avahi, result);
    else
        avahi_browse_look(avahi, mono_clock_now());
    return result > 0;
}

static bool is_stopping(struct avahi *avahi)
{
    pthread_mutex_lock(&avahi->lock);
    bool stopping = avahi->stopping;
    pthread_mutex_unlock(&avahi->lock);
    return stopping;
}

static void *serve(void *user)
{
    struct avahi *avahi = user;
    while (!is_stopping(avahi)) {
        if (!avahi->bus && mono_sub(avahi->retry_at, mono_clock_now()) <= 0)
            connect_bus(avahi);
        if (avahi->bus && work(avahi))
            continue;
        if (!sleep_until_something(avahi))
            break;
    }
    /* Whoever disconnects withdraws all that was announced. */
    sd_bus_close(avahi->bus);
    sd_bus_unref(avahi->bus);
    return NULL;
}

/* --- start and end ------------------------------------------------------------------------- */

static void release(struct avahi *avahi)
{
    if (avahi->stop_fd >= 0)
        close(avahi->stop_fd);
    if (avahi->news_fd >= 0)
        close(avahi->news_fd);
    pthread_cond_destroy(&avahi->room);
    pthread_mutex_destroy(&avahi->lock);
    free(avahi);
}

struct avahi *avahi_start(const struct avahi_config *config)
{
    struct avahi *avahi = calloc(1, sizeof *avahi);
    if (!avahi)
        return NULL;
    pthread_mutex_init(&avahi->lock, NULL);
    pthread_cond_init(&avahi->room, NULL);
    avahi->retry_ns = RETRY_MIN_NS;
    avahi->retry_at = mono_clock_now();
    avahi->stop_fd = eventfd(0, EFD_CLOEXEC);
    avahi->news_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    avahi->optional = config->optional;
    if (config->announce) {
        avahi->announcing.service = *config->announce;
        memcpy(avahi->announcing.name, config->announce->name, AVAHI_NAME_MAX);
    }
    if (config->browse)
        snprintf(avahi->browsing.type, AVAHI_NAME_MAX, "%s", config->browse);
    if (avahi->stop_fd >= 0 && avahi->news_fd >= 0 && thread_start(&avahi->thread, serve, avahi))
        return avahi;
    log_error("no thread for Avahi: nothing is announced or found");
    release(avahi);
    return NULL;
}

void avahi_stop(struct avahi *avahi)
{
    uint64_t one = 1;
    if (!avahi)
        return;
    pthread_mutex_lock(&avahi->lock);
    avahi->stopping = true;
    pthread_cond_signal(&avahi->room);
    pthread_mutex_unlock(&avahi->lock);
    ssize_t written = write(avahi->stop_fd, &one, sizeof one);
    (void)written;
    pthread_join(avahi->thread, NULL);
    release(avahi);
}
