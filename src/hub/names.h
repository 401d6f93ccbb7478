/*
 * names.h: under which names the hub is called, so that no web page can pass for one of them.
 *
 * A page of evil.example may have its name lead to the hub's address and then call the hub as if
 * that were its own site (DNS rebinding). But the browser still says which name it called, and
 * where the page comes from. A Host that is a bare address is no such page's: it has a name. An
 * Origin must be the very Host that was called, or one of the names.
 */
#ifndef TUTTI_HUB_NAMES_H
#define TUTTI_HUB_NAMES_H

#include <stdbool.h>

/*
 * Is this Host header ("hub.local:8700", "[::1]:8700") one of ours? Ours are addresses, localhost,
 * the machine's name, also with an ending that the public DNS does not have (.local, .lan, ...),
 * and those in extra, with blanks or commas between them; "*" there is any.
 */
bool names_have_host(const char *host, const char *machine, const char *extra);
/* Is a page from this Origin ("http://hub.local:8700") one that may call this host? Not one of
 * another port, unless its name is in extra; not "null", nor what is no URL. */
bool names_have_origin(const char *origin, const char *host, const char *machine,
                       const char *extra);

#endif
