/*
 * test_sandbox.c: what a decoding process can still do when it has locked itself in.
 */
#include "../../../src/decode/sandbox.h"
#include "../cmocka_all.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define NOT_LOCKED 99
/* ASan's own memory is no limit of ours. */
#ifdef __SANITIZE_ADDRESS__
#define LIMITS_MEMORY 0
#else
#define LIMITS_MEMORY 1
#endif

/* In a process of its own, locked in with the descriptors up to this one: does it hold? */
static void holds(const char *name, bool (*what)(void))
{
    pid_t pid = fork();
    int status = 0;
    if (pid == 0)
        _exit(!sandbox_enter(STDERR_FILENO) ? NOT_LOCKED : what() ? 0 : 1);
    assert_true(pid > 0 && waitpid(pid, &status, 0) == pid);
    if (WIFEXITED(status) && WEXITSTATUS(status) == NOT_LOCKED)
        fail_msg("it could not lock itself in");
    if (status != 0)
        fail_msg("it does not hold that it %s (status %d)", name, status);
}

static bool refused(long result)
{
    return result == -1 && errno == EPERM;
}

static bool opens_nothing(void)
{
    return refused(syscall(SYS_openat, AT_FDCWD, "/etc/passwd", O_RDONLY, 0)) &&
           refused(syscall(SYS_openat, AT_FDCWD, "/tmp/x", O_RDWR | O_CREAT, 0600)) &&
           refused(syscall(SYS_unlinkat, AT_FDCWD, "/tmp/x", 0));
}

static bool writes_nothing(void)
{
    return refused(syscall(SYS_write, STDERR_FILENO, "x", 1)) &&
           refused(syscall(SYS_ftruncate, STDERR_FILENO, 0L));
}

static bool has_no_network(void)
{
    return refused(syscall(SYS_socket, AF_INET, SOCK_STREAM, 0)) &&
           refused(syscall(SYS_socket, AF_UNIX, SOCK_STREAM, 0)) &&
           refused(syscall(SYS_connect, 3, NULL, 0));
}

static bool starts_nothing(void)
{
    char *const none[] = {NULL};
    return refused(syscall(SYS_clone, SIGCHLD, 0L, 0L, 0L, 0L)) &&
           refused(syscall(SYS_execve, "/bin/true", none, none));
}

static bool touches_nobody(void)
{
    return refused(syscall(SYS_kill, getppid(), SIGTERM)) &&
           refused(syscall(SYS_ptrace, 0L, 0L, 0L, 0L)) &&
           refused(syscall(SYS_tgkill, getppid(), getppid(), SIGTERM));
}

static bool makes_no_code(void)
{
    void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return page != MAP_FAILED && refused(mprotect(page, 4096, PROT_READ | PROT_EXEC)) &&
           mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) ==
               MAP_FAILED &&
           mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, STDERR_FILENO, 0) == MAP_FAILED;
}

static bool has_so_much_memory(void)
{
    void *much = malloc(200u << 20), *some = malloc(8u << 20);
    return some && (!much || !LIMITS_MEMORY);
}

static bool has_no_other_descriptors(void)
{
    char byte;
    for (int fd = STDERR_FILENO + 1; fd < 100; fd++)
        if (pread(fd, &byte, 1, 0) != -1 || errno != EBADF)
            return false;
    return true;
}

static void is_locked_in(void **state)
{
    (void)state;
    int open_before = open("/dev/zero", O_RDONLY | O_CLOEXEC);
    assert_true(open_before >= 0);
    holds("opens nothing", opens_nothing);
    holds("writes nothing", writes_nothing);
    holds("has no network", has_no_network);
    holds("starts nothing", starts_nothing);
    holds("touches nobody", touches_nobody);
    holds("makes no code", makes_no_code);
    holds("has so much memory", has_so_much_memory);
    holds("has no other descriptors", has_no_other_descriptors);
    close(open_before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(is_locked_in)};
    if (getenv("TUTTI_EMULATED")) /* the filter would be the emulator's */
        return 0;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
