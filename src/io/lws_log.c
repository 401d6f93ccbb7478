/*
 * lws_log.c: see lws_log.h.
 */
#include "tutti/io/lws_log.h"

#include "tutti/base/log.h"

#include <libwebsockets.h>
#include <string.h>

static void write_line(int level, const char *line)
{
    log_write(level & LLL_ERR ? LOG_WARN : LOG_DEBUG, "libwebsockets: %.*s",
              (int)strcspn(line, "\n"), line);
}

void lws_log_start(void)
{
    lws_set_log_level(LLL_ERR | LLL_WARN, write_line);
}
