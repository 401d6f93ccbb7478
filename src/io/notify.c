/*
 * notify.c: sd_notify(3), which does nothing where NOTIFY_SOCKET is not set.
 */
#include "tutti/io/notify.h"

#include "tutti/base/text.h"
#include "tutti/base/units.h"

#include <stdio.h>
#include <string.h>
#include <systemd/sd-daemon.h>

void notify_ready(void)
{
    sd_notify(0, "READY=1");
}

void notify_stopping(void)
{
    sd_notify(0, "STOPPING=1");
}

void notify_reloading(void)
{
    sd_notify(0, "RELOADING=1");
}

/* A text that was cut to fit may end within a character, and systemd would drop all of it. */
static void end_at_a_character(char *text)
{
    size_t length = strlen(text), tail = 0;
    while (tail < 3 && tail < length && ((unsigned char)text[length - 1 - tail] & 0xC0) == 0x80)
        tail++;
    if (tail == length)
        return;
    unsigned char lead = (unsigned char)text[length - 1 - tail];
    size_t wanted = lead >= 0xF0 ? 3 : lead >= 0xE0 ? 2 : lead >= 0xC0 ? 1 : 0;
    if (tail < wanted)
        text[length - 1 - tail] = '\0';
}

/* A line break in a name would begin an assignment of its own. */
void notify_status(const char *line)
{
    char status[512];
    snprintf(status, sizeof status, "STATUS=%s", line);
    end_at_a_character(status);
    text_defuse(status, ' ');
    sd_notify(0, status);
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
