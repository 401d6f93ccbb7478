/*
 * resolver.c: getaddrinfo(3) in a thread of its own, whose answer comes through an eventfd.
 *
 * libwebsockets 4.1 resolves names in the loop, for half a minute where the name server is gone.
 * The thread touches nothing but its lookup, which the last of its two owners frees; it cannot be
 * stopped, so a cancelled one ends by itself.
 */
#include "resolver.h"

#include "tutti/io/loop.h"
#include "tutti/io/thread.h"

#include <netdb.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

struct lookup {
    atomic_int owners;
    atomic_bool answered; /* what orders the thread's writes before the loop's reads */
    int answered_fd;
    char host[256];
    struct resolver_answer answer;
};

struct resolver_query {
    struct loop *loop;
    struct lookup *lookup;
    struct loop_fd *watch;
    void (*done)(void *user, const struct resolver_answer *answer);
    void *user;
};

static void release(struct lookup *lookup)
{
    if (atomic_fetch_sub(&lookup->owners, 1) > 1)
        return;
    close(lookup->answered_fd);
    free(lookup);
}

static void keep_addresses(struct resolver_answer *answer, const struct addrinfo *list)
{
    for (; list && answer->count < RESOLVER_ADDRESSES_MAX; list = list->ai_next) {
        char *to = answer->address[answer->count];
        if (getnameinfo(list->ai_addr, list->ai_addrlen, to, sizeof answer->address[0], NULL, 0,
                        NI_NUMERICHOST) == 0)
            answer->count++;
    }
}

static void *look_up(void *argument)
{
    struct lookup *lookup = argument;
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_ADDRCONFIG};
    struct addrinfo *list = NULL;
    int failure = getaddrinfo(lookup->host, NULL, &hints, &list);
    if (failure)
        lookup->answer.error = gai_strerror(failure);
    else
        keep_addresses(&lookup->answer, list);
    if (list)
        freeaddrinfo(list);
    atomic_store(&lookup->answered, true);
    uint64_t one = 1;
    ssize_t written = write(lookup->answered_fd, &one, sizeof one);
    (void)written; /* an eventfd takes its first count always */
    release(lookup);
    return NULL;
}

static void answered(void *user, unsigned events)
{
    struct resolver_query *query = user;
    struct lookup *lookup = query->lookup;
    void (*done)(void *, const struct resolver_answer *) = query->done;
    void *done_user = query->user;
    (void)events;
    query->lookup = NULL;
    resolver_cancel(query);
    if (atomic_load(&lookup->answered))
        done(done_user, &lookup->answer);
    release(lookup);
}

struct resolver_query *
resolver_start(struct loop *loop, const char *host,
               void (*done)(void *user, const struct resolver_answer *answer), void *user)
{
    struct resolver_query *query = calloc(1, sizeof *query);
    struct lookup *lookup = calloc(1, sizeof *lookup);
    if (!query || !lookup)
        goto fail;
    *query = (struct resolver_query){.loop = loop, .lookup = lookup, .done = done, .user = user};
    atomic_init(&lookup->owners, 2);
    atomic_init(&lookup->answered, false);
    snprintf(lookup->host, sizeof lookup->host, "%s", host);
    lookup->answer.error = "no address";
    lookup->answered_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (lookup->answered_fd < 0)
        goto fail;
    query->watch = loop_fd_add(loop, lookup->answered_fd, LOOP_READ, answered, query);
    if (query->watch && thread_start(NULL, look_up, lookup))
        return query;
    loop_fd_remove(query->watch);
    close(lookup->answered_fd);
fail:
    free(lookup);
    if (query)
        loop_defer_free(loop, free, query); /* its watch may be in the round under way */
    return NULL;
}

void resolver_cancel(struct resolver_query *query)
{
    if (!query)
        return;
    loop_fd_remove(query->watch);
    if (query->lookup)
        release(query->lookup);
    loop_defer_free(query->loop, free, query);
}
