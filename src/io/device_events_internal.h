/*
 * device_events_internal.h: any subsystem's events, for a test on machines without a sound card.
 */
#ifndef TUTTI_IO_DEVICE_EVENTS_INTERNAL_H
#define TUTTI_IO_DEVICE_EVENTS_INTERNAL_H

#include "tutti/io/device_events.h"

struct device_events *device_events_create_for(struct loop *loop, const char *subsystem,
                                               void (*changed)(void *user), void *user);

#endif
