/*
 * io_test.h: what the tests of the io layer share: running the loop until something is true,
 * helper processes that cannot outlive the test, and a directory that is removed at the end.
 */
#ifndef TUTTI_TESTS_IO_TEST_H
#define TUTTI_TESTS_IO_TEST_H

#include "../cmocka_all.h"
#include "../remove_tree.h"
#include "tutti/io/loop.h"
#include "tutti/io/mono_clock.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define IO_TEST_LIMIT_NS (20 * NS_PER_S)
#define IO_TEST_POLL_NS (2 * NS_PER_MS)

/* For what an emulator changes: its threads are in /proc as ours are, and its time is not ours. */
static inline void io_test_not_emulated(void)
{
    if (getenv("TUTTI_EMULATED"))
        skip();
}

struct io_test_wait {
    struct loop *loop;
    struct loop_timer *timer;
    bool (*done)(void *user);
    void *user;
    struct mono_time deadline;
    bool reached;
};

static inline void io_test_check(void *user, struct mono_time now)
{
    struct io_test_wait *wait = user;
    wait->reached = wait->done(wait->user);
    if (wait->reached || mono_sub(now, wait->deadline) > 0)
        loop_stop(wait->loop);
    else
        loop_timer_set(wait->timer, mono_add(now, IO_TEST_POLL_NS));
}

/* Runs the loop until done(user), for limit_ns at most. */
static inline bool io_test_run(struct loop *loop, bool (*done)(void *user), void *user,
                               int64_t limit_ns)
{
    struct io_test_wait wait = {.loop = loop, .done = done, .user = user};
    wait.deadline = mono_add(mono_clock_now(), limit_ns);
    wait.timer = loop_timer_create(loop, io_test_check, &wait);
    loop_timer_set_in(wait.timer, 0);
    loop_run(loop);
    loop_timer_destroy(wait.timer);
    return wait.reached;
}

static inline bool io_test_flag(void *user)
{
    return *(const bool *)user;
}

static inline bool io_test_never(void *user)
{
    (void)user;
    return false;
}

#define assert_comes_true(loop, flag)                                                              \
    assert_true(io_test_run((loop), io_test_flag, (flag), IO_TEST_LIMIT_NS))

/* A helper process whose first line of output is a port; killed with the test. */
struct io_test_helper {
    pid_t pid;
    int port;
    FILE *output;
};

static inline struct io_test_helper io_test_helper_start(const char *const argv[])
{
    struct io_test_helper helper = {0};
    int out[2];
    assert_int_equal(pipe2(out, O_CLOEXEC), 0);
    helper.pid = fork();
    assert_true(helper.pid >= 0);
    if (helper.pid == 0) {
        sigset_t none;
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        sigemptyset(&none);
        sigprocmask(SIG_SETMASK, &none, NULL);
        dup2(out[1], STDOUT_FILENO);
        execvp(argv[0], (char *const *)(uintptr_t)argv);
        _exit(127);
    }
    close(out[1]);
    helper.output = fdopen(out[0], "r");
    assert_non_null(helper.output);
    if (fscanf(helper.output, "%d%*c", &helper.port) != 1)
        fail_msg("%s did not start", argv[0]);
    return helper;
}

static inline void io_test_helper_stop(struct io_test_helper *helper)
{
    if (helper->pid <= 0)
        return;
    kill(helper->pid, SIGKILL);
    waitpid(helper->pid, NULL, 0);
    fclose(helper->output);
    helper->pid = 0;
}

/* A fresh directory; path needs room for 64 characters. */
static inline void io_test_make_dir(char *path)
{
    strcpy(path, "/tmp/tutti-io-XXXXXX");
    assert_non_null(mkdtemp(path));
}

static inline void io_test_remove_dir(const char *path)
{
    remove_tree(path);
}

static inline void io_test_write_file(const char *path, const char *text, mode_t mode)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    fchmod(fd, mode);
    close(fd);
}

#endif
