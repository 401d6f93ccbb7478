/*
 * control_socket.c: line buffering over non-blocking UNIX stream sockets in the loop.
 *
 * A client can cost only so much: a line, a queue, a few lines a round. Whoever has shut down its
 * sending side still gets its answers, until it has gone altogether.
 */
#include "tutti/io/control_socket.h"

#include "control_output.h"
#include "tutti/base/log.h"
#include "tutti/io/loop.h"

#include <errno.h>
#include <grp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

/* A line may be a command with a long answer; a round of the loop must stay short: lines of one
 * client, those of all together, and their bytes, which have to be parsed. */
#define LINES_PER_TURN 4
#define ROUND_LINES 16
#define ROUND_BYTES 16384
/* Out of descriptors: until somebody gives one back. */
#define ACCEPT_AGAIN_NS NS_PER_S

struct control_client {
    struct control_socket *control;
    int fd;
    struct loop_fd *watch;
    bool subscribed;
    bool ended; /* it sends no more */
    bool closed;
    int passed_fd; /* -1: none */
    char in[CONTROL_SOCKET_LINE_MAX];
    size_t in_bytes;
    struct control_output out;
    struct mono_time taken_at; /* something of it, or there was nothing to be taken */
    struct control_client *next;
};

struct control_socket {
    struct loop *loop;
    struct control_socket_handlers handlers;
    void *user;
    int fd;
    struct loop_fd *watch;
    struct loop_timer *accept_again;
    struct loop_timer *lines_left; /* in the buffers of clients */
    struct loop_timer *stalled;
    char path[sizeof(((struct sockaddr_un *)0)->sun_path)];
    struct control_client *clients;
    unsigned client_count;
    struct mono_time round; /* of the loop, and what was taken in it: */
    int round_lines;
    size_t round_bytes;
};

/* --- one client --- */

static void keep_file(struct control_client *client, int fd)
{
    if (client->passed_fd >= 0)
        close(client->passed_fd);
    client->passed_fd = fd;
}

static void free_client(void *object)
{
    struct control_client *client = object;
    control_output_finish(&client->out);
    free(client);
}

static void close_client(struct control_client *client)
{
    struct control_socket *control = client->control;
    struct control_client **link = &control->clients;
    if (client->closed)
        return;
    client->closed = true;
    while (*link != client)
        link = &(*link)->next;
    *link = client->next;
    control->client_count--;
    loop_fd_remove(client->watch);
    control_output_finish(&client->out);
    close(client->fd);
    keep_file(client, -1);
    loop_defer_free(control->loop, free_client, client);
    control->handlers.on_gone(control->user, client);
}

static bool has_line(const struct control_client *client)
{
    return memchr(client->in, '\n', client->in_bytes) != NULL;
}

/* Reads on only when the lines that came are done with. */
static void watch_what_matters(struct control_client *client)
{
    bool reads = !client->ended && !has_line(client);
    loop_fd_set_events(client->watch, (reads ? LOOP_READ : 0) |
                                          (control_output_is_empty(&client->out) ? 0 : LOOP_WRITE));
}

static void write_out(struct control_client *client)
{
    long sent = control_output_send(&client->out, client->fd);
    if (sent < 0) {
        close_client(client);
        return;
    }
    if (sent > 0)
        client->taken_at = loop_now(client->control->loop);
    watch_what_matters(client);
}

static bool close_slow(struct control_client *client)
{
    log_warn("control socket: a client does not read its answers and is closed");
    close_client(client);
    return false;
}

/* The first of what waits is tried at once. */
static bool begin_to_send(struct control_client *client, bool was_empty)
{
    if (was_empty) {
        client->taken_at = loop_now(client->control->loop);
        write_out(client);
    }
    return !client->closed;
}

bool control_client_send(struct control_client *client, const char *line)
{
    bool was_empty = control_output_is_empty(&client->out);
    if (client->closed)
        return false;
    if (!control_output_put(&client->out, line))
        return close_slow(client);
    return begin_to_send(client, was_empty);
}

bool control_client_send_long(struct control_client *client, const struct control_source *source)
{
    struct control_socket *control = client->control;
    bool was_empty = control_output_is_empty(&client->out);
    if (client->closed || !control_output_put_long(&client->out, source)) {
        source->finish(source->user);
        return client->closed ? false : close_slow(client);
    }
    loop_timer_set_in(control->stalled, CONTROL_SOCKET_STALLED_S * NS_PER_S);
    return begin_to_send(client, was_empty);
}

/* What a long line is made from is held for whoever has asked for it. */
static void close_stalled(void *user, struct mono_time now)
{
    struct control_socket *control = user;
    struct control_client *next;
    bool waits = false;
    for (struct control_client *client = control->clients; client; client = next) {
        next = client->next;
        if (client->out.long_count == 0)
            continue;
        if (mono_sub(now, client->taken_at) >= CONTROL_SOCKET_STALLED_S * NS_PER_S)
            close_slow(client);
        else
            waits = true;
    }
    if (waits)
        loop_timer_set_in(control->stalled, CONTROL_SOCKET_STALLED_S * NS_PER_S / 2);
}

static bool may_take(struct control_socket *control)
{
    struct mono_time now = loop_now(control->loop);
    if (now.ns != control->round.ns) {
        control->round = now;
        control->round_lines = 0;
        control->round_bytes = 0;
    }
    return control->round_lines < ROUND_LINES && control->round_bytes < ROUND_BYTES;
}

static void take_lines(struct control_client *client)
{
    struct control_socket *control = client->control;
    char *start = client->in, *end = NULL;
    for (int lines = 0; lines < LINES_PER_TURN && !client->closed && may_take(control); lines++) {
        end = memchr(start, '\n', client->in_bytes - (size_t)(start - client->in));
        if (!end)
            break;
        *end = '\0';
        control->round_lines++;
        control->round_bytes += (size_t)(end - start);
        control->handlers.on_line(control->user, client, start);
        start = end + 1;
    }
    if (client->closed)
        return;
    client->in_bytes -= (size_t)(start - client->in);
    memmove(client->in, start, client->in_bytes);
    if (client->in_bytes == 0)
        keep_file(client, -1); /* which no line has taken */
    if (has_line(client))
        loop_timer_set_in(control->lines_left, 0);
    watch_what_matters(client);
}

/* Whose turn it is: the last of those who have one; NULL: nobody has. */
static struct control_client *next_with_line(const struct control_socket *control)
{
    struct control_client *found = NULL;
    for (struct control_client *client = control->clients; client; client = client->next)
        if (has_line(client))
            found = client;
    return found;
}

/* Who has had his turn comes after all others. */
static void bring_to_front(struct control_socket *control, struct control_client *client)
{
    struct control_client **link = &control->clients;
    while (*link != client)
        link = &(*link)->next;
    *link = client->next;
    client->next = control->clients;
    control->clients = client;
}

static void take_lines_left(void *user, struct mono_time now)
{
    struct control_socket *control = user;
    struct control_client *client;
    (void)now;
    while ((client = next_with_line(control)) && may_take(control)) {
        bring_to_front(control, client);
        take_lines(client);
    }
    if (client)
        loop_timer_set_in(control->lines_left, 0);
}

/* Room for one descriptor has room for two, for alignment's sake; beyond that the kernel closes
 * what is passed. The last one is kept. */
static void take_files(struct control_client *client, struct msghdr *message)
{
    for (struct cmsghdr *control = CMSG_FIRSTHDR(message); control;
         control = CMSG_NXTHDR(message, control)) {
        if (control->cmsg_level != SOL_SOCKET || control->cmsg_type != SCM_RIGHTS)
            continue;
        size_t count = (control->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (size_t i = 0; i < count; i++) {
            int fd;
            memcpy(&fd, CMSG_DATA(control) + i * sizeof fd, sizeof fd);
            keep_file(client, fd);
        }
    }
}

static ssize_t receive(struct control_client *client)
{
    _Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(int))];
    struct iovec into = {client->in + client->in_bytes, sizeof client->in - client->in_bytes};
    struct msghdr message = {.msg_iov = &into,
                             .msg_iovlen = 1,
                             .msg_control = control,
                             .msg_controllen = sizeof control};
    ssize_t got = recvmsg(client->fd, &message, MSG_CMSG_CLOEXEC);
    if (got >= 0)
        take_files(client, &message);
    return got;
}

int control_client_take_file(struct control_client *client)
{
    int fd = client->passed_fd;
    client->passed_fd = -1;
    return fd;
}

static void read_in(struct control_client *client)
{
    ssize_t got = receive(client);
    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (got < 0) {
        close_client(client);
        return;
    }
    client->ended = got == 0;
    client->in_bytes += (size_t)got;
    if (client->in_bytes == sizeof client->in && !has_line(client)) {
        log_warn("control socket: a client sends a line of more than %d bytes and is closed",
                 CONTROL_SOCKET_LINE_MAX);
        close_client(client);
        return;
    }
    take_lines(client);
}

static void client_ready(void *user, unsigned events)
{
    struct control_client *client = user;
    /* Its last lines count even when it has not waited for their answers. */
    bool nothing_left = !has_line(client) && (client->ended || !(events & LOOP_READ));
    if (!client->closed && events & LOOP_HANGUP && nothing_left)
        close_client(client);
    if (!client->closed && events & LOOP_WRITE)
        write_out(client);
    if (!client->closed && events & LOOP_READ)
        read_in(client);
}

/* --- the socket --- */

static void accept_again(void *user, struct mono_time now)
{
    struct control_socket *control = user;
    (void)now;
    loop_fd_set_events(control->watch, LOOP_READ);
}

static void accept_client(void *user, unsigned events)
{
    struct control_socket *control = user;
    (void)events;
    int fd = accept4(control->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) {
        if (errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS) {
            log_warn("control socket: %s", strerror(errno));
            loop_fd_set_events(control->watch, 0);
            loop_timer_set_in(control->accept_again, ACCEPT_AGAIN_NS);
        }
        return;
    }
    struct control_client *client =
        control->client_count < CONTROL_SOCKET_CLIENTS_MAX ? calloc(1, sizeof *client) : NULL;
    if (client) {
        client->control = control;
        client->fd = fd;
        client->passed_fd = -1;
        client->watch = loop_fd_add(control->loop, fd, LOOP_READ, client_ready, client);
    }
    if (!client || !client->watch) {
        free(client);
        close(fd);
        return;
    }
    client->next = control->clients;
    control->clients = client;
    control->client_count++;
}

/* A socket file that nobody answers on is left over from a daemon that was killed. What is no
 * socket refuses connections, too, and is not ours to remove. */
static bool is_stale(const struct sockaddr_un *address)
{
    struct stat status;
    if (lstat(address->sun_path, &status) < 0 || !S_ISSOCK(status.st_mode))
        return false;
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return false;
    int result = connect(fd, (const struct sockaddr *)address, sizeof *address);
    int error = errno;
    close(fd);
    return result < 0 && error == ECONNREFUSED;
}

static const char *why_in_use(const char *path)
{
    struct stat status;
    bool is_socket = lstat(path, &status) == 0 && S_ISSOCK(status.st_mode);
    return is_socket ? "another tuttid is using it" : "there is something else at this path";
}

static void give_to_group(const char *path, const char *group)
{
    const struct group *entry = getgrnam(group);
    if (!entry)
        log_warn("control socket: there is no group %s; only the daemon's own may use it", group);
    else if (chown(path, (uid_t)-1, entry->gr_gid) < 0)
        log_warn("control socket: cannot be given to group %s: %s", group, strerror(errno));
}

static void make_parent(const char *path)
{
    char parent[sizeof(((struct sockaddr_un *)0)->sun_path)];
    const char *slash = strrchr(path, '/');
    if (!slash || slash == path)
        return;
    snprintf(parent, sizeof parent, "%.*s", (int)(slash - path), path);
    mkdir(parent, 0755); /* where it is there already, or cannot be, bind() tells */
}

/* 0660 from the beginning: Linux gives the file the descriptor's mode, less the umask. */
static int bind_private(int fd, const struct sockaddr_un *address)
{
    if (fchmod(fd, 0660) < 0 || bind(fd, (const struct sockaddr *)address, sizeof *address) < 0)
        return -1;
    return chmod(address->sun_path, 0660);
}

static int listen_at(const char *path, const char *group)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof address.sun_path) {
        errno = ENAMETOOLONG;
        return -1;
    }
    strcpy(address.sun_path, path);
    make_parent(path);
    if (is_stale(&address))
        unlink(path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    if (bind_private(fd, &address) < 0 || listen(fd, CONTROL_SOCKET_CLIENTS_MAX) < 0) {
        int error = errno;
        close(fd);
        errno = error;
        return -1;
    }
    if (group[0])
        give_to_group(path, group);
    return fd;
}

static bool watch_socket(struct control_socket *control)
{
    control->accept_again = loop_timer_create(control->loop, accept_again, control);
    control->lines_left = loop_timer_create(control->loop, take_lines_left, control);
    control->stalled = loop_timer_create(control->loop, close_stalled, control);
    control->watch = loop_fd_add(control->loop, control->fd, LOOP_READ, accept_client, control);
    return control->accept_again && control->lines_left && control->stalled && control->watch;
}

struct control_socket *control_socket_create(struct loop *loop, const char *path, const char *group,
                                             const struct control_socket_handlers *handlers,
                                             void *user)
{
    int fd = listen_at(path, group);
    if (fd < 0) {
        log_error("control socket %s: %s", path,
                  errno == EADDRINUSE ? why_in_use(path) : strerror(errno));
        return NULL;
    }
    struct control_socket *control = calloc(1, sizeof *control);
    if (!control) {
        log_error("control socket %s: out of memory", path);
        unlink(path);
        close(fd);
        return NULL;
    }
    *control = (struct control_socket){.loop = loop, .handlers = *handlers, .user = user, .fd = fd};
    strcpy(control->path, path);
    if (watch_socket(control))
        return control;
    log_error("control socket %s: out of memory", path);
    control_socket_destroy(control);
    return NULL;
}

void control_socket_destroy(struct control_socket *control)
{
    if (!control)
        return;
    while (control->clients)
        close_client(control->clients);
    loop_fd_remove(control->watch);
    loop_timer_destroy(control->accept_again);
    loop_timer_destroy(control->lines_left);
    loop_timer_destroy(control->stalled);
    close(control->fd);
    unlink(control->path);
    loop_defer_free(control->loop, free, control);
}

void control_client_subscribe(struct control_client *client)
{
    client->subscribed = true;
}

bool control_socket_has_subscribers(const struct control_socket *control)
{
    for (const struct control_client *client = control->clients; client; client = client->next) {
        if (client->subscribed)
            return true;
    }
    return false;
}

void control_socket_each_subscriber(struct control_socket *control,
                                    void (*each)(void *user, struct control_client *client),
                                    void *user)
{
    struct control_client *next;
    for (struct control_client *client = control->clients; client; client = next) {
        next = client->next;
        if (client->subscribed)
            each(user, client);
    }
}

static void send_line(void *line, struct control_client *client)
{
    control_client_send(client, line);
}

void control_socket_broadcast(struct control_socket *control, const char *line)
{
    control_socket_each_subscriber(control, send_line, (void *)(uintptr_t)line);
}
