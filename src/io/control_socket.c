/*
 * control_socket.c: line buffering over non-blocking UNIX stream sockets in the loop.
 */
#include "tutti/io/control_socket.h"

#include "tutti/base/log.h"
#include "tutti/io/loop.h"

#include <errno.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

struct control_client {
    struct control_socket *control;
    int fd;
    struct loop_fd *watch;
    bool subscribed;
    bool closed;
    char in[CONTROL_SOCKET_LINE_MAX];
    size_t in_bytes;
    char *out;
    size_t out_bytes;
    struct control_client *next;
};

struct control_socket {
    struct loop *loop;
    struct control_socket_handlers handlers;
    void *user;
    int fd;
    struct loop_fd *watch;
    char path[sizeof(((struct sockaddr_un *)0)->sun_path)];
    struct control_client *clients;
    unsigned client_count;
};

static void free_client(void *object)
{
    struct control_client *client = object;
    free(client->out);
    free(client);
}

static void close_client(struct control_client *client)
{
    struct control_socket *control = client->control;
    if (client->closed)
        return;
    client->closed = true;
    for (struct control_client **at = &control->clients; *at; at = &(*at)->next) {
        if (*at == client) {
            *at = client->next;
            break;
        }
    }
    control->client_count--;
    loop_fd_remove(client->watch);
    close(client->fd);
    control->handlers.on_gone(control->user, client);
    loop_defer_free(control->loop, free_client, client);
}

static void write_out(struct control_client *client)
{
    while (client->out_bytes > 0) {
        ssize_t sent = send(client->fd, client->out, client->out_bytes, MSG_NOSIGNAL);
        if (sent < 0 && errno == EINTR)
            continue;
        if (sent < 0 && errno == EAGAIN)
            break;
        if (sent <= 0) {
            close_client(client);
            return;
        }
        client->out_bytes -= (size_t)sent;
        memmove(client->out, client->out + sent, client->out_bytes);
    }
    loop_fd_set_events(client->watch, LOOP_READ | (client->out_bytes ? LOOP_WRITE : 0));
}

bool control_client_send(struct control_client *client, const char *line)
{
    size_t bytes = strlen(line);
    if (client->closed)
        return false;
    char *grown = client->out_bytes + bytes + 1 > CONTROL_SOCKET_QUEUE_MAX
                      ? NULL
                      : realloc(client->out, client->out_bytes + bytes + 1);
    if (!grown) {
        log_warn("control socket: a client does not read its answers and is closed");
        close_client(client);
        return false;
    }
    client->out = grown;
    memcpy(client->out + client->out_bytes, line, bytes);
    client->out[client->out_bytes + bytes] = '\n';
    client->out_bytes += bytes + 1;
    write_out(client);
    return !client->closed;
}

static void take_lines(struct control_client *client)
{
    struct control_socket *control = client->control;
    char *start = client->in, *end;
    while (!client->closed &&
           (end = memchr(start, '\n', client->in_bytes - (size_t)(start - client->in)))) {
        *end = '\0';
        control->handlers.on_line(control->user, client, start);
        start = end + 1;
    }
    client->in_bytes -= (size_t)(start - client->in);
    memmove(client->in, start, client->in_bytes);
}

static void client_ready(void *user, unsigned events)
{
    struct control_client *client = user;
    if (events & LOOP_WRITE)
        write_out(client);
    if (client->closed || !(events & (LOOP_READ | LOOP_HANGUP)))
        return;
    size_t room = sizeof client->in - client->in_bytes;
    ssize_t got = room ? recv(client->fd, client->in + client->in_bytes, room, 0) : 0;
    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (got <= 0) { /* the end, an error, or a line that is too long */
        close_client(client);
        return;
    }
    client->in_bytes += (size_t)got;
    take_lines(client);
}

static void accept_client(void *user, unsigned events)
{
    struct control_socket *control = user;
    (void)events;
    int fd = accept4(control->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0)
        return;
    struct control_client *client =
        control->client_count < CONTROL_SOCKET_CLIENTS_MAX ? calloc(1, sizeof *client) : NULL;
    if (client) {
        client->control = control;
        client->fd = fd;
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

/* A socket file that nobody answers on is left over from a daemon that was killed. */
static bool is_stale(const struct sockaddr_un *address)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return false;
    int result = connect(fd, (const struct sockaddr *)address, sizeof *address);
    int error = errno;
    close(fd);
    return result < 0 && error == ECONNREFUSED;
}

static void give_to_group(const char *path, const char *group)
{
    const struct group *entry = getgrnam(group);
    if (!entry)
        log_warn("control socket: there is no group %s; only the daemon's own may use it", group);
    else if (chown(path, (uid_t)-1, entry->gr_gid) < 0)
        log_warn("control socket: cannot be given to group %s: %s", group, strerror(errno));
}

static int listen_at(const char *path, const char *group)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof address.sun_path) {
        errno = ENAMETOOLONG;
        return -1;
    }
    strcpy(address.sun_path, path);
    if (is_stale(&address))
        unlink(path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    mode_t mask = umask(0117); /* 0660 from the beginning */
    int result = bind(fd, (const struct sockaddr *)&address, sizeof address);
    umask(mask);
    if (result < 0 || listen(fd, 8) < 0) {
        int error = errno;
        close(fd);
        errno = error;
        return -1;
    }
    if (group[0])
        give_to_group(path, group);
    return fd;
}

struct control_socket *control_socket_create(struct loop *loop, const char *path, const char *group,
                                             const struct control_socket_handlers *handlers,
                                             void *user)
{
    int fd = listen_at(path, group);
    if (fd < 0) {
        log_error("control socket %s: %s", path,
                  errno == EADDRINUSE ? "another tuttid is using it" : strerror(errno));
        return NULL;
    }
    struct control_socket *control = calloc(1, sizeof *control);
    if (control) {
        control->loop = loop;
        control->handlers = *handlers;
        control->user = user;
        control->fd = fd;
        strcpy(control->path, path);
        control->watch = loop_fd_add(loop, fd, LOOP_READ, accept_client, control);
    }
    if (!control || !control->watch) {
        log_error("control socket %s: out of memory", path);
        free(control);
        close(fd);
        return NULL;
    }
    return control;
}

void control_socket_destroy(struct control_socket *control)
{
    if (!control)
        return;
    while (control->clients)
        close_client(control->clients);
    loop_fd_remove(control->watch);
    close(control->fd);
    unlink(control->path);
    free(control);
}

void control_client_subscribe(struct control_client *client)
{
    client->subscribed = true;
}

bool control_socket_has_subscribers(const struct control_socket *control)
{
    for (const struct control_client *client = control->clients; client; client = client->next)
        if (client->subscribed)
            return true;
    return false;
}

void control_socket_broadcast(struct control_socket *control, const char *line)
{
    struct control_client *next;
    for (struct control_client *client = control->clients; client; client = next) {
        next = client->next;
        if (client->subscribed)
            control_client_send(client, line);
    }
}
