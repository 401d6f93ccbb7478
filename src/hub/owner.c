/*
 * owner.c: see owner.h. The real user stays root, so that it can be taken back.
 */
#include "owner.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Another effective user has lost root's capabilities; to pass and to read it needs one. */
static int keep_search(void)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct data[2] = {{0}};
    if (syscall(SYS_capget, &header, data) < 0)
        return -errno;
    data[0].effective |= data[0].permitted & (UINT32_C(1) << CAP_DAC_READ_SEARCH);
    return syscall(SYS_capset, &header, data) < 0 ? -errno : 0;
}

int owner_enter(const char *directory)
{
    struct stat status;
    if (geteuid() != 0 || stat(directory, &status) < 0 || status.st_uid == 0)
        return 0;
    if (setgroups(0, NULL) < 0 || setegid(status.st_gid) < 0 || seteuid(status.st_uid) < 0)
        return -errno;
    return keep_search();
}

void owner_leave(void)
{
    if (getuid() != 0 || geteuid() == 0)
        return;
    if (seteuid(0) < 0 || setegid(0) < 0)
        perror("tutti-hub: root");
}

int owner_lock(const char *directory)
{
    char path[1024];
    snprintf(path, sizeof path, "%s/hub.lock", directory);
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0)
        return -errno;
    if (flock(fd, LOCK_EX | LOCK_NB) == 0)
        return fd;
    int error = errno;
    close(fd);
    return -error;
}

bool owner_is_locked(const char *directory)
{
    char path[1024];
    snprintf(path, sizeof path, "%s/hub.lock", directory);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    bool locked = flock(fd, LOCK_SH | LOCK_NB) < 0 && errno == EWOULDBLOCK;
    close(fd);
    return locked;
}
