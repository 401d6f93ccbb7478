/*
 * http_header.h: what a stranger's header fields say, as far as it can be believed.
 */
#ifndef TUTTI_IO_HTTP_HEADER_H
#define TUTTI_IO_HTTP_HEADER_H

#include "tutti/base/units.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Whether a text may stand in a header field, received or sent: no control characters. RFC 9110,
 * 5.5. */
bool http_header_is_value(const char *text);

/* The value of this line if it is the field's (name: with its colon, any case) and fits. Otherwise,
 * and when no value of a field may look so, false, to[] untouched. */
bool http_header_take(const char *line, size_t bytes, const char *name, char *to, size_t room);

/* "bytes FIRST-LAST/TOTAL" of a 206; total_bytes -1: "*". RFC 9110, 14.4. */
struct http_range {
    int64_t first;
    int64_t last;
    int64_t total_bytes;
};
/* False for everything else, also for the "bytes *" of a 416. */
bool http_header_range(const char *value, struct http_range *ret_range);

/* A Date's whole seconds; false when it is no date, or of a year that cannot be now. */
bool http_header_date(const char *value, struct server_time *ret_date);

#endif
