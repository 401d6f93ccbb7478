/*
 * control_socket.h: a UNIX socket on which clients exchange lines with the daemon, and pass it
 * files that they have opened: what a person may read, the daemon need not be allowed to.
 */
#ifndef TUTTI_IO_CONTROL_SOCKET_H
#define TUTTI_IO_CONTROL_SOCKET_H

#include <stdbool.h>
#include <stddef.h>

#define CONTROL_SOCKET_CLIENTS_MAX 16
#define CONTROL_SOCKET_LINE_MAX 65536
/* A client that does not read is closed when this much waits for it. */
#define CONTROL_SOCKET_QUEUE_MAX 4194304u /* 4 MiB */
/* Likewise when so many long lines do, or when it has taken nothing of one for so long. */
#define CONTROL_SOCKET_LONG_MAX 4
#define CONTROL_SOCKET_STALLED_S 30
#define CONTROL_SOCKET_PIECE_BYTES 65536u

struct loop;
struct control_socket;
struct control_client;

struct control_socket_handlers {
    /* One line without its end; answer now or later with control_client_send(). */
    void (*on_line)(void *user, struct control_client *client, char *line);
    /* The client is gone: forget the pointer. */
    void (*on_gone)(void *user, struct control_client *client);
};

/* path: a stale socket there is replaced, a live one is not. group: "" or who may use it, besides
 * the owner. NULL after one line in the log. */
struct control_socket *control_socket_create(struct loop *loop, const char *path, const char *group,
                                             const struct control_socket_handlers *handlers,
                                             void *user);
void control_socket_destroy(struct control_socket *control);

/* line without its end. False when the client was too slow, and is closed. */
bool control_client_send(struct control_client *client, const char *line);

/* A line of any length, made as the client takes it. */
struct control_source {
    /* The next piece: how many bytes were put into `to`, CONTROL_SOCKET_PIECE_BYTES at most; 0:
     * that was all. One call must not take long. */
    size_t (*more)(void *user, char *to, size_t room);
    void (*finish)(void *user); /* once, whatever became of it */
    void *user;
};
/* Like control_client_send(); the source is finished in any case. */
bool control_client_send_long(struct control_client *client, const struct control_source *source);

/*
 * The open file that came beside the line being handled (SCM_RIGHTS): the caller's from here on.
 * -1: there was none. One at a time is kept for a client, until a line takes it or its lines have
 * been handled; whatever else is passed is closed.
 */
int control_client_take_file(struct control_client *client);

/* A subscriber gets every line that is broadcast. */
void control_client_subscribe(struct control_client *client);
void control_socket_broadcast(struct control_socket *control, const char *line);
void control_socket_each_subscriber(struct control_socket *control,
                                    void (*each)(void *user, struct control_client *client),
                                    void *user);
bool control_socket_has_subscribers(const struct control_socket *control);

#endif
