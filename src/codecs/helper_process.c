/*
 * helper_process.c: see helper_process.h.
 *
 * A killed process may take the kernel a while to be done with (it may be waiting for a disk), and
 * nobody waits for it here: its number is kept, and collected with the next chance.
 */
#include "helper_process.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

/* Which descriptors the program finds what in. */
#define SOCKET_FD 3
#define FILE_FD 4
/* What the process writes before it waits for us: most of a second at usual rates. */
#define SOCKET_BYTES (256 * 1024)
#define PATH_BYTES 512

/* Files are looked at beside the loop, too: of what follows there is one for all threads. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static char program[PATH_BYTES];

void helper_set_program(const char *path)
{
    pthread_mutex_lock(&lock);
    snprintf(program, sizeof program, "%s", path);
    pthread_mutex_unlock(&lock);
}

/* Beside our own, as in a build; else where it is installed. */
static void find_program(void)
{
    static const char name[] = "tutti-decode";
    if (program[0])
        return;
    ssize_t bytes = readlink("/proc/self/exe", program, sizeof program - sizeof name);
    while (bytes > 0 && program[bytes - 1] != '/')
        bytes--;
    memcpy(program + (bytes > 0 ? bytes : 0), name, sizeof name);
    if (bytes <= 0 || access(program, X_OK) < 0)
        snprintf(program, sizeof program, "%s", TUTTI_DECODE_PROGRAM);
}

/* --- what is left of those that were killed --- */

#define LEFT_MAX 64
static pid_t left[LEFT_MAX];

static void collect(void)
{
    for (size_t i = 0; i < LEFT_MAX; i++)
        if (left[i] != 0 && waitpid(left[i], NULL, WNOHANG) != 0)
            left[i] = 0;
}

static void leave(pid_t pid)
{
    pthread_mutex_lock(&lock);
    collect();
    for (size_t i = 0; i < LEFT_MAX; i++)
        if (left[i] == 0) {
            left[i] = pid;
            break;
        }
    pthread_mutex_unlock(&lock);
}

/* --- its beginning --- */

/* file: -1: none yet. word: NULL: none. */
static int spawn(pid_t *ret_pid, int socket, int file, char *word)
{
    char name[] = "tutti-decode";
    char *const arguments[] = {name, word, NULL}, *const environment[] = {NULL};
    posix_spawn_file_actions_t files;
    posix_spawnattr_t attributes;
    sigset_t none, all;
    sigemptyset(&none);
    sigfillset(&all);
    posix_spawn_file_actions_init(&files);
    for (int fd = 0; fd < SOCKET_FD; fd++)
        posix_spawn_file_actions_addopen(&files, fd, "/dev/null", O_RDWR, 0);
    posix_spawn_file_actions_adddup2(&files, socket, SOCKET_FD);
    if (file >= 0)
        posix_spawn_file_actions_adddup2(&files, file, FILE_FD);
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK |
                                              POSIX_SPAWN_SETSIGDEF);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setsigdefault(&attributes, &all);
    pthread_mutex_lock(&lock);
    collect();
    find_program();
    int result = posix_spawn(ret_pid, program, &files, &attributes, arguments, environment);
    pthread_mutex_unlock(&lock);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&files);
    return result;
}

/* The same file, for reading only, beyond the numbers that the program finds things in. One that we
 * may only read is not opened anew: whoever passed it to us may be the one who is allowed to. */
static int open_for_reading(int fd)
{
    char path[64];
    int flags = fcntl(fd, F_GETFL);
    if (flags >= 0 && (flags & O_ACCMODE) == O_RDONLY)
        return fcntl(fd, F_DUPFD_CLOEXEC, FILE_FD + 1);
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    int low = open(path, O_RDONLY | O_CLOEXEC);
    int high = low < 0 ? -1 : fcntl(low, F_DUPFD_CLOEXEC, FILE_FD + 1);
    if (low >= 0)
        close(low);
    return high;
}

static bool make_sockets(int ours_theirs[2])
{
    int size = SOCKET_BYTES;
    int pair[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
        return false;
    setsockopt(pair[1], SOL_SOCKET, SO_SNDBUF, &size, sizeof size); /* what it gets is enough */
    ours_theirs[0] = pair[0];
    ours_theirs[1] = fcntl(pair[1], F_DUPFD_CLOEXEC, FILE_FD + 1);
    close(pair[1]);
    if (ours_theirs[1] >= 0 && fcntl(pair[0], F_SETFL, O_NONBLOCK) == 0)
        return true;
    close(pair[0]);
    if (ours_theirs[1] >= 0)
        close(ours_theirs[1]);
    return false;
}

static void say_why_not(int error, char *to)
{
    if (error == ENOENT)
        snprintf(to, HELPER_ERROR_MAX, "needs tutti-codecs: apt install tutti-codecs");
    else
        snprintf(to, HELPER_ERROR_MAX, "its decoder cannot be started: %s", strerror(error));
}

/* The sockets are the process's, and closed, from now on. */
static bool start(struct helper_process *process, const int sockets[2], int file, char *word,
                  char *error)
{
    int result = spawn(&process->pid, sockets[1], file, word);
    close(sockets[1]);
    if (result == 0) {
        process->socket = sockets[0];
        return true;
    }
    close(sockets[0]);
    process->pid = 0;
    say_why_not(result, error);
    return false;
}

bool helper_process_start(struct helper_process *process, int file_fd, bool is_mp3, char *error)
{
    char mp3[] = "mp3";
    int sockets[2];
    *process = (struct helper_process){.socket = -1};
    int file = open_for_reading(file_fd);
    if (file < 0 || !make_sockets(sockets)) {
        say_why_not(errno == ENOENT ? EBADF : errno, error);
        if (file >= 0)
            close(file);
        return false;
    }
    bool started = start(process, sockets, file, is_mp3 ? mp3 : NULL, error);
    close(file);
    return started;
}

bool helper_process_start_for_files(struct helper_process *process, char *error)
{
    char word[] = "files";
    int sockets[2];
    *process = (struct helper_process){.socket = -1};
    if (make_sockets(sockets))
        return start(process, sockets, -1, word, error);
    say_why_not(errno == ENOENT ? EBADF : errno, error);
    return false;
}

/* --- its end --- */

static void close_socket(struct helper_process *process)
{
    if (process->socket >= 0)
        close(process->socket);
    process->socket = -1;
}

void helper_process_kill(struct helper_process *process)
{
    close_socket(process);
    if (process->pid == 0)
        return;
    kill(process->pid, SIGKILL);
    leave(process->pid);
    process->pid = 0;
}

bool helper_process_why(struct helper_process *process, char *to)
{
    int status = 0;
    if (waitpid(process->pid, &status, WNOHANG) == 0)
        return false;
    process->pid = 0;
    close_socket(process);
    if (WIFSIGNALED(status))
        snprintf(to, HELPER_ERROR_MAX, "its decoder crashed (%s)", strsignal(WTERMSIG(status)));
    else
        snprintf(to, HELPER_ERROR_MAX, "its decoder ended (exit status %d)", WEXITSTATUS(status));
    return true;
}
