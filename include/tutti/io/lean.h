/*
 * lean.h: what keeps a speaker small.
 */
#ifndef TUTTI_IO_LEAN_H
#define TUTTI_IO_LEAN_H

#include <stdbool.h>

/*
 * The first thing in a program. Without tls, OpenSSL leaves its tables and texts unloaded, which
 * are a tenth of a speaker's memory: TLS works all the same, but some of its failures are numbers.
 */
void lean_start(bool tls);

#endif
