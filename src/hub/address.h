/*
 * address.h: where callers are, as texts that are counted by: IPv4 addresses as they are written,
 * IPv6 as their network of 64 bits, since a household has as many addresses in it as it likes.
 */
#ifndef TUTTI_HUB_ADDRESS_H
#define TUTTI_HUB_ADDRESS_H

#include <stdbool.h>

#define ADDRESS_MAX 64

/* text: "192.0.2.1", "::ffff:192.0.2.1" or "2001:db8::1". False when it is none: to is "" then. */
bool address_group(const char *text, char to[ADDRESS_MAX]);

/* Is it one of these, written with blanks or commas between them? */
bool address_is_listed(const char *text, const char *list);

/*
 * Who calls through a proxy: X-Forwarded-For has each hop's caller appended, so the last one that
 * is no trusted proxy is the caller; what stands before him he may have made up. False when there
 * is none: the proxy itself calls.
 */
bool address_forwarded(const char *forwarded, const char *trusted, char to[ADDRESS_MAX]);

#endif
