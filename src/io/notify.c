/*
 * notify.c: sd_notify(3).
 */
#include "tutti/io/notify.h"

#include "tutti/base/units.h"

#include <systemd/sd-daemon.h>

void notify_ready(void)
{
    sd_notify(0, "READY=1");
}

void notify_stopping(void)
{
    sd_notify(0, "STOPPING=1");
}

void notify_status(const char *line)
{
    sd_notifyf(0, "STATUS=%s", line);
}

int64_t notify_watchdog_interval_ns(void)
{
    uint64_t us = 0;
    if (sd_watchdog_enabled(0, &us) <= 0)
        return 0;
    return (int64_t)us * NS_PER_US / 2;
}

void notify_alive(void)
{
    sd_notify(0, "WATCHDOG=1");
}
