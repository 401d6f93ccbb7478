/*
 * rooms.h: what is asked of other rooms' speakers: who is meant, and how it ended for each.
 */
#ifndef TUTTI_CTL_ROOMS_H
#define TUTTI_CTL_ROOMS_H

#include "orders.h"

/* It is about other rooms. */
bool rooms_are_named(const struct order_call *call);
/* Leaves in the answer's speakers those that the call is about. */
void rooms_pick(const struct order_call *call, cJSON *answer);
/* The command has ended well there, or there was none. */
bool rooms_is_done(const cJSON *speaker);
/* Says where a command did not end well. True: everywhere it did. */
bool rooms_complain(const struct order_call *call, const cJSON *answer);

#endif
