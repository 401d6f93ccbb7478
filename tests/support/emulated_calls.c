/*
 * emulated_calls.c: what an emulated program of 64 bits asks of qemu-user in a way that it understands; preloaded into all of
 * an emulated machine's.
 *
 * QEMU (7.2 at least) takes the interface's number in struct ip_mreqn for a long, where it is an int, and hands on what it finds
 * beside it: Avahi then hears nothing over IPv4. And it refuses to make a process and its mounts in one call, as systemd does for
 * a unit with credentials, but not one after the other.
 */
#include <dlfcn.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdarg.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

int setsockopt(int fd, int level, int name, const void *value, socklen_t length)
{
    int (*real)(int, int, int, const void *, socklen_t) = NULL;
    *(void **)&real = dlsym(RTLD_NEXT, "setsockopt");
    if (level != IPPROTO_IP || (name != IP_ADD_MEMBERSHIP && name != IP_DROP_MEMBERSHIP) ||
        length != sizeof(struct ip_mreqn))
        return real(fd, level, name, value, length);
    struct ip_mreqn asked;
    memcpy(&asked, value, sizeof asked);
    struct {
        struct in_addr group, address;
        long interface;
    } wide = {asked.imr_multiaddr, asked.imr_address, asked.imr_ifindex};
    return real(fd, level, name, &wide, sizeof wide);
}

long syscall(long number, ...)
{
    long (*real)(long, ...) = NULL;
    *(void **)&real = dlsym(RTLD_NEXT, "syscall");
    long to[6];
    va_list rest;
    va_start(rest, number);
    for (int i = 0; i < 6; i++)
        to[i] = va_arg(rest, long);
    va_end(rest);
    long own_mounts = number == SYS_clone ? to[0] & CLONE_NEWNS : 0;
    long made = real(number, to[0] & ~own_mounts, to[1], to[2], to[3], to[4], to[5]);
    if (own_mounts && made == 0 && unshare(CLONE_NEWNS) < 0)
        _exit(1);
    return made;
}
