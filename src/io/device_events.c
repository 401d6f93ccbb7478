/*
 * device_events.c: a libudev monitor in the loop, and a timer that waits until it is quiet.
 *
 * Where udevd runs, its own events are taken: they come when the device's permissions are set.
 * Elsewhere (small containers) the kernel's. What came or went is not looked at: whoever asks tries
 * to open the device anyway.
 */
#include "device_events_internal.h"
#include "tutti/base/log.h"
#include "tutti/io/loop.h"

#include <libudev.h>
#include <stdlib.h>
#include <unistd.h>

#define UDEV_RUNS "/run/udev/control"

struct device_events {
    struct loop *loop;
    struct udev *udev;
    struct udev_monitor *monitor;
    struct loop_fd *watch;
    struct loop_timer *quiet;
    bool pending;
    struct mono_time latest;
    void (*changed)(void *user);
    void *user;
};

static void note_event(struct device_events *events, struct mono_time now)
{
    struct mono_time at = mono_add(now, DEVICE_EVENTS_QUIET_MS * NS_PER_MS);
    if (!events->pending)
        events->latest = mono_add(now, DEVICE_EVENTS_LATEST_MS * NS_PER_MS);
    events->pending = true;
    loop_timer_set(events->quiet, mono_sub(at, events->latest) < 0 ? at : events->latest);
}

static void monitor_ready(void *user, unsigned ready)
{
    struct device_events *events = user;
    struct udev_device *device;
    (void)ready;
    while ((device = udev_monitor_receive_device(events->monitor))) {
        udev_device_unref(device);
        note_event(events, loop_now(events->loop));
    }
}

static void quiet_fired(void *user, struct mono_time now)
{
    struct device_events *events = user;
    (void)now;
    events->pending = false;
    events->changed(events->user);
}

static bool start_monitor(struct device_events *events, const char *subsystem)
{
    const char *source = access(UDEV_RUNS, F_OK) == 0 ? "udev" : "kernel";
    events->udev = udev_new();
    if (events->udev)
        events->monitor = udev_monitor_new_from_netlink(events->udev, source);
    return events->monitor &&
           udev_monitor_filter_add_match_subsystem_devtype(events->monitor, subsystem, NULL) >= 0 &&
           udev_monitor_enable_receiving(events->monitor) >= 0;
}

struct device_events *device_events_create_for(struct loop *loop, const char *subsystem,
                                               void (*changed)(void *user), void *user)
{
    struct device_events *events = calloc(1, sizeof *events);
    if (!events)
        return NULL;
    *events = (struct device_events){.loop = loop, .changed = changed, .user = user};
    events->quiet = loop_timer_create(loop, quiet_fired, events);
    if (events->quiet && start_monitor(events, subsystem))
        events->watch = loop_fd_add(loop, udev_monitor_get_fd(events->monitor), LOOP_READ,
                                    monitor_ready, events);
    if (events->watch)
        return events;
    log_warn("no device events from the kernel: a card that returns is found by trying");
    device_events_destroy(events);
    return NULL;
}

struct device_events *device_events_create(struct loop *loop, void (*changed)(void *user),
                                           void *user)
{
    return device_events_create_for(loop, "sound", changed, user);
}

void device_events_destroy(struct device_events *events)
{
    if (!events)
        return;
    loop_fd_remove(events->watch);
    loop_timer_destroy(events->quiet);
    udev_monitor_unref(events->monitor);
    udev_unref(events->udev);
    loop_defer_free(events->loop, free, events);
}
