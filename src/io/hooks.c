/*
 * hooks.c: a queue of commands; the first of it is a process that a pidfd and a pipe tell about.
 *
 * The end of a command is the end of its shell: what it leaves running in the background keeps
 * running, and is not listened to any more.
 */
#include "tutti/io/hooks.h"

#include "tutti/base/log.h"
#include "tutti/io/loop.h"
#include "tutti/io/mono_clock.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>

/* From SIGTERM to SIGKILL. */
static const int64_t GRACE_NS = NS_PER_S;
#define LINE_BYTES 256
#define PIECE_BYTES 4096
/* A command that talks without end does not fill the journal. */
#define LINES_MAX 50

struct command {
    const char *name;
    char text[HOOKS_COMMAND_MAX];
};

struct hooks {
    struct loop *loop;
    int64_t timeout_ns;
    struct command queue[HOOKS_WAITING_MAX + 1]; /* the first one runs */
    int count;

    pid_t pid; /* of what runs; 0: nothing */
    int pid_fd;
    int output_fd;
    struct loop_fd *pid_watch;
    struct loop_fd *output_watch;
    struct loop_timer *limit;
    struct mono_time started_at;
    bool ending; /* was told to */
    char line[LINE_BYTES];
    size_t line_bytes;
    int lines;

    void (*idle)(void *user);
    void *user;
};

static void start_next(struct hooks *hooks);

/* --- what it prints --- */

static void log_line(struct hooks *hooks)
{
    const char *name = hooks->queue[0].name;
    hooks->line[hooks->line_bytes] = '\0';
    if (hooks->line_bytes > 0 && hooks->lines < LINES_MAX)
        log_info("%s: %s", name, hooks->line);
    else if (hooks->line_bytes > 0 && hooks->lines == LINES_MAX)
        log_info("%s: (and more)", name);
    hooks->lines += hooks->line_bytes > 0;
    hooks->line_bytes = 0;
}

static void take_output(struct hooks *hooks, const char *text, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++) {
        bool printable = (unsigned char)text[i] >= ' ' && text[i] != 0x7f;
        if (text[i] == '\n' || hooks->line_bytes == LINE_BYTES - 1)
            log_line(hooks);
        if (text[i] != '\n')
            hooks->line[hooks->line_bytes++] = printable ? text[i] : ' ';
    }
}

static void stop_listening(struct hooks *hooks)
{
    loop_fd_remove(hooks->output_watch);
    hooks->output_watch = NULL;
    if (hooks->output_fd >= 0)
        close(hooks->output_fd);
    hooks->output_fd = -1;
    log_line(hooks);
}

/* One piece. False when there is nothing (more) to be had now. */
static bool listen_once(struct hooks *hooks)
{
    char piece[PIECE_BYTES];
    ssize_t got = hooks->output_fd < 0 ? -1 : read(hooks->output_fd, piece, sizeof piece);
    if (got > 0)
        take_output(hooks, piece, (size_t)got);
    else if (got == 0)
        stop_listening(hooks);
    return got > 0;
}

static void output_ready(void *user, unsigned events)
{
    (void)events;
    listen_once(user);
}

/* --- how it ends --- */

static void log_end(const struct hooks *hooks, const siginfo_t *end)
{
    const char *name = hooks->queue[0].name;
    double took_ms = ns_to_ms(mono_sub(loop_now(hooks->loop), hooks->started_at));
    if (hooks->ending)
        log_warn("%s: ended after %.1f s, which is its limit", name, took_ms / 1e3);
    else if (end->si_code != CLD_EXITED)
        log_warn("%s: killed by signal %d after %.0f ms", name, end->si_status, took_ms);
    else if (end->si_status != 0)
        log_warn("%s: exit status %d after %.0f ms", name, end->si_status, took_ms);
    else
        log_info("%s: done in %.0f ms", name, took_ms);
}

static void close_process(struct hooks *hooks)
{
    loop_timer_cancel(hooks->limit);
    loop_fd_remove(hooks->pid_watch);
    hooks->pid_watch = NULL;
    if (hooks->pid_fd >= 0)
        close(hooks->pid_fd);
    hooks->pid_fd = -1;
    hooks->pid = 0;
    stop_listening(hooks);
}

static void drop_first(struct hooks *hooks)
{
    hooks->count--;
    memmove(hooks->queue, hooks->queue + 1, (size_t)hooks->count * sizeof *hooks->queue);
}

static void process_ended(void *user, unsigned events)
{
    struct hooks *hooks = user;
    siginfo_t end = {0};
    (void)events;
    if (waitid(P_PID, (id_t)hooks->pid, &end, WEXITED | WNOHANG) < 0 || end.si_pid == 0)
        return;
    for (int i = 0; i < LINES_MAX && listen_once(hooks); i++) {
    }
    log_end(hooks, &end);
    close_process(hooks);
    drop_first(hooks);
    start_next(hooks);
}

static void limit_reached(void *user, struct mono_time now)
{
    struct hooks *hooks = user;
    (void)now;
    kill(-hooks->pid, hooks->ending ? SIGKILL : SIGTERM);
    if (!hooks->ending)
        loop_timer_set_in(hooks->limit, GRACE_NS);
    hooks->ending = true;
}

/* --- how it begins --- */

/* What a command has no business with: our options, tokens among them, and the service manager's
 * talk with us. */
static bool is_ours(const char *variable)
{
    static const char *const prefixes[] = {"TUTTI_", "NOTIFY_SOCKET=", "WATCHDOG_",
                                           "CREDENTIALS_DIRECTORY="};
    for (size_t i = 0; i < sizeof prefixes / sizeof *prefixes; i++) {
        if (strncmp(variable, prefixes[i], strlen(prefixes[i])) == 0)
            return true;
    }
    return false;
}

static char **make_environment(void)
{
    size_t count = 0, kept = 0;
    while (environ[count])
        count++;
    char **made = calloc(count + 1, sizeof *made);
    for (size_t i = 0; made && i < count; i++) {
        if (!is_ours(environ[i]))
            made[kept++] = environ[i];
    }
    return made;
}

static int spawn(pid_t *ret_pid, const char *command, int output_fd)
{
    static char shell[] = "/bin/sh", option[] = "-c";
    char text[HOOKS_COMMAND_MAX];
    snprintf(text, sizeof text, "%s", command);
    char *const arguments[] = {shell, option, text, NULL};
    char **environment = make_environment();
    posix_spawn_file_actions_t files;
    posix_spawnattr_t attributes;
    sigset_t none, all;
    if (!environment)
        return ENOMEM;
    sigemptyset(&none);
    sigfillset(&all);
    posix_spawn_file_actions_init(&files);
    posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&files, output_fd, STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&files, output_fd, STDERR_FILENO);
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK |
                                              POSIX_SPAWN_SETSIGDEF);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setsigdefault(&attributes, &all);
    int result = posix_spawn(ret_pid, shell, &files, &attributes, arguments, environment);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&files);
    free(environment);
    return result;
}

static bool watch(struct hooks *hooks)
{
    hooks->pid_fd = pidfd_open(hooks->pid, 0);
    if (hooks->pid_fd >= 0)
        hooks->pid_watch = loop_fd_add(hooks->loop, hooks->pid_fd, LOOP_READ, process_ended, hooks);
    if (hooks->pid_watch)
        hooks->output_watch =
            loop_fd_add(hooks->loop, hooks->output_fd, LOOP_READ, output_ready, hooks);
    return hooks->output_watch != NULL;
}

static void kill_now(struct hooks *hooks)
{
    kill(-hooks->pid, SIGKILL);
    waitpid(hooks->pid, NULL, 0);
    close_process(hooks);
}

/* Only our end never waits: a command that finds no room in its standard output would fail. */
static int make_pipe(int output[2])
{
    if (pipe2(output, O_CLOEXEC) < 0)
        return -1;
    return fcntl(output[0], F_SETFL, O_NONBLOCK);
}

/* 0, or an errno. */
static int start(struct hooks *hooks)
{
    int output[2];
    pid_t pid = 0;
    if (make_pipe(output) < 0)
        return errno;
    int result = spawn(&pid, hooks->queue[0].text, output[1]);
    close(output[1]);
    if (result != 0) {
        close(output[0]);
        return result;
    }
    hooks->pid = pid;
    hooks->output_fd = output[0];
    hooks->started_at = loop_now(hooks->loop);
    hooks->ending = false;
    hooks->lines = 0;
    hooks->line_bytes = 0;
    if (!watch(hooks)) {
        result = errno;
        kill_now(hooks);
        return result;
    }
    loop_timer_set_in(hooks->limit, hooks->timeout_ns);
    return 0;
}

static void start_next(struct hooks *hooks)
{
    while (hooks->count > 0 && hooks->pid == 0) {
        int result = start(hooks);
        if (result == 0)
            return;
        log_error("%s: it cannot be run: %s", hooks->queue[0].name, strerror(result));
        drop_first(hooks);
    }
    void (*idle)(void *user) = hooks->idle;
    hooks->idle = NULL;
    if (idle && hooks->count == 0)
        idle(hooks->user);
}

/* --- the queue --- */

struct hooks *hooks_create(struct loop *loop, int64_t timeout_ns)
{
    struct hooks *hooks = calloc(1, sizeof *hooks);
    if (!hooks)
        return NULL;
    hooks->loop = loop;
    hooks->timeout_ns = timeout_ns;
    hooks->pid_fd = hooks->output_fd = -1;
    hooks->limit = loop_timer_create(loop, limit_reached, hooks);
    if (hooks->limit)
        return hooks;
    free(hooks);
    return NULL;
}

void hooks_destroy(struct hooks *hooks)
{
    if (!hooks)
        return;
    if (hooks->pid != 0)
        kill_now(hooks);
    loop_timer_destroy(hooks->limit);
    free(hooks);
}

void hooks_run(struct hooks *hooks, const char *name, const char *command)
{
    if (!command[0])
        return;
    if (hooks->count > HOOKS_WAITING_MAX)
        hooks->count--;
    struct command *last = &hooks->queue[hooks->count++];
    last->name = name;
    snprintf(last->text, sizeof last->text, "%s", command);
    if (hooks->count == 1)
        start_next(hooks);
}

bool hooks_idle(const struct hooks *hooks)
{
    return hooks->count == 0;
}

void hooks_when_idle(struct hooks *hooks, void (*idle)(void *user), void *user)
{
    hooks->idle = hooks_idle(hooks) ? NULL : idle;
    hooks->user = user;
}
