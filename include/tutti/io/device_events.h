/*
 * device_events.h: the kernel's word that a sound card has come or gone.
 */
#ifndef TUTTI_IO_DEVICE_EVENTS_H
#define TUTTI_IO_DEVICE_EVENTS_H

struct loop;
struct device_events;

/* A card brings many events (its controls, its streams); they are one change when no more has come
 * for the first time, and late ones are not waited for longer than the second. */
#define DEVICE_EVENTS_QUIET_MS 200
#define DEVICE_EVENTS_LATEST_MS 1000

/* changed: look again at what there is. NULL, logged, where events cannot be had. */
struct device_events *device_events_create(struct loop *loop, void (*changed)(void *user),
                                           void *user);
void device_events_destroy(struct device_events *events); /* also inside changed; NULL is fine */

#endif
