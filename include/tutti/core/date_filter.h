/*
 * date_filter.h: the server's time to a tenth of a second from Dates of whole seconds.
 *
 * A backend's Date is its time when it last looked at its clock, cut to whole seconds. Some look
 * for every answer, some about every 1.006 s; of neither is it known which, when, or how often
 * exactly. So every combination of (offset, how often it looks, age of its last look) on a grid has
 * a probability: it spreads with time, and every answer rules out what does not fit it. What
 * matters is when it is asked: at the same fraction of a second, answers always say the same; where
 * the next second may have begun or not, each halves what is left.
 *
 * A server that looks for every answer is known better than by the grid: each answer bounds its
 * time to the fraction of a second, and those around the turn of one do so to their round trips.
 */
#ifndef TUTTI_CORE_DATE_FILTER_H
#define TUTTI_CORE_DATE_FILTER_H

#include "tutti/base/units.h"

#include <stdbool.h>
#include <stdint.h>

/* No Date is older: a second of cutting, a second and a bit between two looks. */
#define DATE_FILTER_LAG_MAX_NS (2100 * NS_PER_MS)
#define DATE_FILTER_CELLS 128 /* of offset, 20 ms each: 2.1 s, and a slow answer's round trip */
#define DATE_FILTER_AGES 32   /* of the last look, 31 ms each */
#define DATE_FILTER_PERIODS 3

/* How a server looks at its clock, by the name that it gives itself. */
enum date_server {
    DATE_SERVER_UNKNOWN,
    DATE_SERVER_EACH_TIME, /* for every answer: nginx, Apache, Caddy */
    DATE_SERVER_AT_TIMES,  /* about every second: uvicorn */
};

struct date_filter {
    enum date_server server;
    bool known;
    int64_t at_ns;    /* local, in the middle of the last exchange */
    int64_t first_ns; /* server - local in the first cell */
    /* Bounds of server - local, if it looks for every answer. */
    int64_t exact_low_ns;
    int64_t exact_high_ns;
    float each_time[DATE_FILTER_CELLS];
    float at_times[DATE_FILTER_PERIODS][DATE_FILTER_CELLS][DATE_FILTER_AGES];
};

struct date_range {
    int64_t low_ns; /* of server - local */
    int64_t high_ns;
    int64_t best_ns; /* the likeliest: as probably before as after it */
};

void date_filter_init(struct date_filter *filter);

/* What the Server header of an answer, "" if none, says of its Dates. */
enum date_server date_server_of(const char *name);

/* Who answers, as far as it says so. It may lie, and is believed only until Dates say otherwise. A
 * change begins anew. Before the answer's Date. */
void date_filter_expect(struct date_filter *filter, enum date_server server);

/* The Date of an answer that was not kept from earlier ones. A contradiction to what was known,
 * such as a stepped server clock, starts anew with it. */
void date_filter_add(struct date_filter *filter, struct mono_time sent, struct mono_time received,
                     struct server_time date);

/* What holds the offset with a probability of 99.8 %. There must have been an answer. */
struct date_range date_filter_range(const struct date_filter *filter);

/*
 * When, from `from` to `to`, an answer would say most: the middle of its exchange. *ret_bits: how
 * much it is expected to say, at most; much less than 1: no time there is worth a request. Without
 * an answer so far: at once, 1.
 */
struct mono_time date_filter_aim(const struct date_filter *filter, struct mono_time from,
                                 struct mono_time to, double *ret_bits);

#endif
