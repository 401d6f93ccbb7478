/*
 * resolver.h: names to addresses without keeping the loop waiting.
 */
#ifndef TUTTI_IO_RESOLVER_H
#define TUTTI_IO_RESOLVER_H

#include <netinet/in.h>

struct loop;
struct resolver_query;

#define RESOLVER_ADDRESSES_MAX 8
#define RESOLVER_ADDRESS_MAX (INET6_ADDRSTRLEN + 16)

struct resolver_answer {
    char address[RESOLVER_ADDRESSES_MAX][RESOLVER_ADDRESS_MAX]; /* numeric, with any %scope */
    int count;         /* in the order in which they should be tried; 0: see error */
    const char *error; /* for people */
};

/*
 * done comes once, from the loop, unless the query is cancelled first; the query is gone then. NULL
 * when a thread cannot be had.
 */
struct resolver_query *
resolver_start(struct loop *loop, const char *host,
               void (*done)(void *user, const struct resolver_answer *answer), void *user);
void resolver_cancel(struct resolver_query *query); /* NULL is fine */

#endif
