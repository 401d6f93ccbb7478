/*
 * orders_internal.h: what orders.c and orders_heard.c share.
 */
#ifndef TUTTI_CORE_ORDERS_INTERNAL_H
#define TUTTI_CORE_ORDERS_INTERNAL_H

#include "tutti/core/orders.h"

typedef bool orders_holds(const struct orders_entry *entry, const void *what);

/* The oldest that is under way and for which it holds; NULL: none. */
struct orders_entry *orders_oldest(const struct orders *orders, orders_holds *holds,
                                   const void *what);
void orders_wait_in(struct orders_entry *entry, enum orders_phase phase, struct mono_time now);
/* It is to be sent now. */
void orders_send(struct orders_entry *entry, struct mono_time now);
/* error: "" it is done. */
void orders_end(struct orders_entry *entry, const char *error);
/* And what was wrong with an answer, if there was one. */
void orders_end_without_answer(struct orders_entry *entry, const char *error);

#endif
