/*
 * notices.h: which of the things that keep happening are worth a line in the log now.
 *
 * Each text once an hour, however many others come between; and of texts that are all different a
 * handful at once, then one a minute. Zeroed memory is a valid start.
 */
#ifndef TUTTI_CORE_NOTICES_H
#define TUTTI_CORE_NOTICES_H

#include "tutti/base/units.h"

#include <stdbool.h>
#include <stdint.h>

/* Texts that are remembered: more than there are reasons in the protocol. */
#define NOTICES_MAX 16
#define NOTICES_BURST 8
#define NOTICES_AGAIN_NS (INT64_C(3600) * NS_PER_S)
#define NOTICES_REFILL_NS (INT64_C(60) * NS_PER_S)

struct notices {
    struct {
        uint64_t text; /* a hash; 0: none */
        struct mono_time at;
    } said[NOTICES_MAX];
    unsigned count;           /* ever said */
    struct mono_time full_at; /* when all of the burst will be there again */
    unsigned withheld;        /* since something was said last */
};

/* Whether to say it now. ret_withheld: how many were not said since the last that was. */
bool notices_take(struct notices *notices, const char *text, struct mono_time now,
                  unsigned *ret_withheld);
/* The same for what may be said again whenever it happens again, if only not too often. */
bool notices_pass(struct notices *notices, struct mono_time now, unsigned *ret_withheld);

/* To be put behind the line: how many before it were not logged; "" for none. */
#define NOTICES_WITHHELD_MAX 48
void notices_print_withheld(unsigned withheld, char to[NOTICES_WITHHELD_MAX]);

#endif
