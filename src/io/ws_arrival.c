/*
 * ws_arrival.c: MSG_PEEK with a stamp, just before lws reads.
 *
 * Between the peek and lws's reading more may arrive, and would be read with it: a stamp that is
 * too early, which is worse than one that is too late. The connection's count of received bytes,
 * asked before the peek and after the reading, tells whether that was so. (lws 4.1 to 4.3 read at
 * most their service buffer at a time, 4096 bytes unless told otherwise: less than is peeked at.)
 */
#include "ws_arrival.h"

#include "arrival.h"
#include "loop_internal.h"

#include <linux/tcp.h> /* netinet/tcp.h has an older tcp_info, and cannot stand beside it */
#include <netinet/in.h>
#include <stddef.h>

static bool received_bytes(int fd, uint64_t *ret)
{
    struct tcp_info info;
    socklen_t bytes = sizeof info;
    if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &bytes) < 0 ||
        bytes < offsetof(struct tcp_info, tcpi_bytes_received) + sizeof info.tcpi_bytes_received)
        return false;
    *ret = info.tcpi_bytes_received;
    return true;
}

static void socket_ready(void *user, unsigned events)
{
    struct ws_arrival *arrival = user;
    char data[LOOP_SOCKET_RX_BYTES];
    _Alignas(struct cmsghdr) char control[ARRIVAL_CONTROL_BYTES];
    struct iovec room = {data, sizeof data};
    struct msghdr message = {
        .msg_iov = &room,
        .msg_iovlen = 1,
        .msg_control = control,
        .msg_controllen = sizeof control,
    };
    (void)events;
    arrival->known = received_bytes(arrival->fd, &arrival->received_bytes) &&
                     recvmsg(arrival->fd, &message, MSG_PEEK | MSG_DONTWAIT) > 0 &&
                     arrival_of(loop_arrival_clock(arrival->loop), &message, &arrival->at);
}

void ws_arrival_start(struct ws_arrival *arrival, struct loop *loop, int fd)
{
    uint64_t bytes;
    ws_arrival_stop(arrival);
    arrival->loop = loop;
    arrival->fd = fd;
    if (received_bytes(fd, &bytes) && arrival_ask(fd) == 0)
        arrival->watch = loop_fd_add(loop, fd, LOOP_READ, socket_ready, arrival);
}

void ws_arrival_stop(struct ws_arrival *arrival)
{
    loop_fd_remove(arrival->watch);
    arrival->watch = NULL;
    arrival->known = false;
}

struct mono_time ws_arrival_time(const struct ws_arrival *arrival, struct mono_time now)
{
    uint64_t bytes;
    if (!arrival->known || !received_bytes(arrival->fd, &bytes) || bytes != arrival->received_bytes)
        return now;
    return mono_sub(arrival->at, now) < 0 ? arrival->at : now;
}
