/*
 * date_filter.h: the server's time to a tenth of a second from Dates of whole seconds.
 *
 * A backend's Date is its time when it last looked at its clock, cut to whole seconds. Some look
 * for every answer, some about every 1.006 s; of neither is it known which, when, or how often
 * exactly. So every combination of (offset, how often it looks, age of its last look) on a grid has
 * a probability: it spreads with time, and every answer rules out what does not fit it. What
 * matters is that the answers come at ever other fractions of a second: those that always come at
 * the same one always say the same.
 */
#ifndef TUTTI_CORE_DATE_FILTER_H
#define TUTTI_CORE_DATE_FILTER_H

#include "tutti/base/units.h"

#include <stdbool.h>

/* No Date is older: a second of cutting, a second and a bit between two looks. */
#define DATE_FILTER_LAG_MAX_NS (2100 * NS_PER_MS)
#define DATE_FILTER_CELLS 128 /* of offset, 20 ms each: 2.1 s, and a slow answer's round trip */
#define DATE_FILTER_AGES 32   /* of the last look, 31 ms each */
#define DATE_FILTER_PERIODS 3

struct date_filter {
    bool known;
    int64_t at_ns;    /* local, in the middle of the last exchange */
    int64_t first_ns; /* server - local in the first cell */
    float each_time[DATE_FILTER_CELLS];
    float at_times[DATE_FILTER_PERIODS][DATE_FILTER_CELLS][DATE_FILTER_AGES];
};

struct date_range {
    int64_t low_ns; /* of server - local */
    int64_t high_ns;
};

void date_filter_init(struct date_filter *filter);

/* The Date of an answer that was not kept from earlier ones. A contradiction to what was known,
 * such as a stepped server clock, starts anew with it. */
void date_filter_add(struct date_filter *filter, struct mono_time sent, struct mono_time received,
                     struct server_time date);

/* What holds the offset with a probability of 99.8 %. There must have been an answer. */
struct date_range date_filter_range(const struct date_filter *filter);

#endif
