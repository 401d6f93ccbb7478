/*
 * stamps_on.h: the kernel begins to stamp what arrives a moment after the first socket has asked
 * for it.
 */
#ifndef TUTTI_TESTS_STAMPS_ON_H
#define TUTTI_TESTS_STAMPS_ON_H

#include "io_test.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <time.h>

/* Is a datagram to oneself stamped before it is read? */
static inline bool io_test_is_stamped(int fd, const struct sockaddr_in *to)
{
    _Alignas(struct cmsghdr) char control[256];
    char data[8];
    struct iovec room = {data, sizeof data};
    struct msghdr message = {.msg_iov = &room,
                             .msg_iovlen = 1,
                             .msg_control = control,
                             .msg_controllen = sizeof control};
    struct pollfd wanted = {.fd = fd, .events = POLLIN};
    struct timespec stamp, there, pause = {0, 1000000};
    assert_int_equal(sendto(fd, "x", 1, 0, (const struct sockaddr *)to, sizeof *to), 1);
    assert_int_equal(poll(&wanted, 1, 5000), 1);
    clock_gettime(CLOCK_REALTIME, &there);
    nanosleep(&pause, NULL);
    assert_int_equal(recvmsg(fd, &message, 0), 1);
    struct cmsghdr *part = CMSG_FIRSTHDR(&message);
    assert_non_null(part);
    memcpy(&stamp, CMSG_DATA(part), sizeof stamp);
    return stamp.tv_sec < there.tv_sec ||
           (stamp.tv_sec == there.tv_sec && stamp.tv_nsec <= there.tv_nsec);
}

/* Returns when arrivals are stamped, which they are while the descriptor stays open. */
static inline int io_test_turn_stamps_on(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t bytes = sizeof address;
    int on = 1, fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, bytes), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &bytes), 0);
    assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof on), 0);
    for (int i = 0; i < 5000; i++)
        if (io_test_is_stamped(fd, &address))
            return fd;
    fail_msg("the kernel does not stamp what arrives");
    return -1;
}

#endif
