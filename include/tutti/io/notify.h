/*
 * notify.h: what systemd is told. Everything is a no-op when it does not listen.
 */
#ifndef TUTTI_IO_NOTIFY_H
#define TUTTI_IO_NOTIFY_H

#include <stdint.h>

void notify_ready(void);
void notify_reloading(void); /* until the next notify_ready() */
void notify_stopping(void);
void notify_status(const char *line); /* one line for systemctl status */
/* Half the watchdog's time: how often to call notify_alive(); 0: there is no watchdog. */
int64_t notify_watchdog_interval_ns(void);
void notify_alive(void);

#endif
