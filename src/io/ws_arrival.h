/*
 * ws_arrival.h: when the data arrived that libwebsockets reads from a TCP socket.
 *
 * lws reads by itself, without the kernel's stamps. So the loop's own descriptors, which are served
 * before the sockets that lws serves in the same round, have the socket too: what is there is
 * peeked at with its stamp, and lws reads it next. TLS does not matter: its records are complete
 * when their last byte is there.
 */
#ifndef TUTTI_IO_WS_ARRIVAL_H
#define TUTTI_IO_WS_ARRIVAL_H

#include "tutti/base/units.h"

#include <stdbool.h>
#include <stdint.h>

struct loop;
struct loop_fd;

struct ws_arrival {
    struct loop *loop;
    struct loop_fd *watch;
    int fd;
    bool known;
    struct mono_time at;     /* of the last byte that was peeked at */
    uint64_t received_bytes; /* over the whole connection, just before it was */
};

/* From here on; without the kernel's help nothing is known of arrivals. Zeroed before. */
void ws_arrival_start(struct ws_arrival *arrival, struct loop *loop, int fd);
void ws_arrival_stop(struct ws_arrival *arrival); /* before the socket is closed; again is fine */

/* When the last of what lws has read arrived, if that is known; else `now`. Never before it
 * arrived. */
struct mono_time ws_arrival_time(const struct ws_arrival *arrival, struct mono_time now);

#endif
