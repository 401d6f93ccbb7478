/*
 * sandbox.c: limits first, then seccomp's filter, which is a list of what is allowed.
 *
 * What is refused fails with EPERM: libraries ask for this and that (how much memory there is, the
 * locale's files), and get on without. Memory cannot be made executable, and no file mapped.
 */
#include "sandbox.h"

#include <errno.h>
#include <seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

/* Of its own memory: a track needs a few MB, the index of a long one some tens. */
#define MEMORY_BYTES (96u << 20)
/* Hours of music on the slowest board; what hangs is ended sooner by who waits for it. */
#define PROCESSOR_S 3600

static bool limit(int what, rlim_t most)
{
    return setrlimit((__rlimit_resource_t)what, &(struct rlimit){most, most}) == 0;
}

static bool set_limits(void)
{
#if defined(__SANITIZE_ADDRESS__)
    bool memory = true; /* of which that has its own idea */
#else
    bool memory = limit(RLIMIT_DATA, MEMORY_BYTES);
#endif
    return memory && limit(RLIMIT_CPU, PROCESSOR_S) && limit(RLIMIT_FSIZE, 0) &&
           limit(RLIMIT_CORE, 0) && limit(RLIMIT_NPROC, 0);
}

/* Whatever its arguments are. A name that this architecture has not is none to be allowed. */
static bool allow_all(scmp_filter_ctx filter)
{
    static const int calls[] = {
        SCMP_SYS(pread64),
        SCMP_SYS(recvfrom),
        SCMP_SYS(recv),
        SCMP_SYS(recvmsg),
        SCMP_SYS(close),
        SCMP_SYS(sendto),
        SCMP_SYS(send),
        SCMP_SYS(poll),
        SCMP_SYS(ppoll),
        SCMP_SYS(ppoll_time64),
        SCMP_SYS(munmap),
        SCMP_SYS(mremap),
        SCMP_SYS(brk),
        SCMP_SYS(madvise),
        SCMP_SYS(futex),
        SCMP_SYS(futex_time64),
        SCMP_SYS(exit),
        SCMP_SYS(exit_group),
        SCMP_SYS(rt_sigreturn),
        SCMP_SYS(sigreturn),
        SCMP_SYS(rt_sigprocmask),
        SCMP_SYS(rt_sigaction),
        SCMP_SYS(restart_syscall),
        SCMP_SYS(clock_gettime),
        SCMP_SYS(clock_gettime64),
        SCMP_SYS(gettimeofday),
        SCMP_SYS(getrandom),
        SCMP_SYS(getpid),
        SCMP_SYS(gettid),
        SCMP_SYS(sched_yield),
        SCMP_SYS(sigaltstack),
    };
    bool good = true;
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++)
        if (calls[i] >= 0)
            good = seccomp_rule_add(filter, SCMP_ACT_ALLOW, calls[i], 0) == 0 && good;
    return good;
}

/* Memory of nobody's file, not executable; on 32 bits the call has another name. */
static bool allow_memory(scmp_filter_ctx filter)
{
    static const int map[] = {SCMP_SYS(mmap), SCMP_SYS(mmap2)};
    bool good = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(mprotect), 1,
                                 SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0)) == 0;
    for (size_t i = 0; i < sizeof map / sizeof *map; i++)
        if (map[i] >= 0)
            good = seccomp_rule_add(
                       filter, SCMP_ACT_ALLOW, map[i], 2, SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0),
                       SCMP_A3(SCMP_CMP_MASKED_EQ, MAP_ANONYMOUS, MAP_ANONYMOUS)) == 0 &&
                   good;
    return good;
}

/* To nobody but itself: abort(). */
static bool allow_abort(scmp_filter_ctx filter)
{
    scmp_datum_t self = (scmp_datum_t)getpid();
    return seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(tgkill), 1,
                            SCMP_A0(SCMP_CMP_EQ, self)) == 0;
}

static bool filter_calls(void)
{
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(EPERM));
    if (!filter)
        return false;
    bool good = allow_all(filter) && allow_memory(filter) && allow_abort(filter) &&
                seccomp_load(filter) == 0;
    seccomp_release(filter);
    return good;
}

bool sandbox_enter(int last_fd)
{
    return close_range((unsigned)last_fd + 1, ~0u, 0) == 0 &&
           prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) == 0 &&
           prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == 0 && set_limits() && filter_calls();
}
