/*
 * client.c: see client.h. Asking blocks: there is nothing else to do meanwhile.
 */
#include "client.h"

#include "members.h"
#include "paper.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

void client_explain(const char *path, int error)
{
    if (error == -ENOENT || error == -ECONNREFUSED)
        complain("no tuttid at %s: is the service running?", path);
    else if (error == -EACCES)
        complain("%s: permission denied: are you in the group tutti?", path);
    else if (error == -ENAMETOOLONG)
        complain("%s: the socket's path is too long", path);
    else
        complain("%s: %s", path, strerror(-error));
}

int client_open(struct client *client, const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    *client = (struct client){.fd = -1};
    if (strlen(path) >= sizeof address.sun_path)
        return -ENAMETOOLONG;
    strcpy(address.sun_path, path);
    client->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (client->fd < 0 || connect(client->fd, (struct sockaddr *)&address, sizeof address) < 0)
        return -errno;
    return 0;
}

void client_close(struct client *client)
{
    if (client->fd >= 0)
        close(client->fd);
    lines_finish(&client->in);
    *client = (struct client){.fd = -1};
}

/* The descriptor goes with the first byte. */
static ssize_t send_beside(int fd, const char *bytes, size_t count, int descriptor)
{
    struct iovec part = {(void *)bytes, count};
    union {
        char space[CMSG_SPACE(sizeof(int))];
        struct cmsghdr aligned;
    } control = {0};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
    if (descriptor >= 0) {
        message.msg_control = control.space;
        message.msg_controllen = sizeof control.space;
        struct cmsghdr *header = CMSG_FIRSTHDR(&message);
        header->cmsg_level = SOL_SOCKET;
        header->cmsg_type = SCM_RIGHTS;
        header->cmsg_len = CMSG_LEN(sizeof(int));
        memcpy(CMSG_DATA(header), &descriptor, sizeof descriptor);
    }
    return sendmsg(fd, &message, MSG_NOSIGNAL);
}

static int send_all(int fd, const char *bytes, size_t count, int descriptor)
{
    size_t at = 0;
    while (at < count) {
        ssize_t sent = send_beside(fd, bytes + at, count - at, at == 0 ? descriptor : -1);
        if (sent < 0 && errno != EINTR)
            return -errno;
        if (sent > 0)
            at += (size_t)sent;
    }
    return 0;
}

int client_send(struct client *client, cJSON *request, int descriptor)
{
    int id = ++client->last_id;
    cJSON_AddNumberToObject(request, "id", id);
    char *text = cJSON_PrintUnformatted(request);
    cJSON_Delete(request);
    if (!text)
        return -ENOMEM;
    size_t bytes = strlen(text);
    text[bytes++] = '\n'; /* in place of the terminator */
    int result = send_all(client->fd, text, bytes, descriptor);
    free(text);
    return result < 0 ? result : id;
}

int64_t client_now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* NULL at the end of the connection or of the patience. */
static char *receive_line(struct client *client, int patience_s)
{
    int64_t until = client_now_ms() + patience_s * INT64_C(1000);
    char *line;
    while ((line = lines_next(&client->in)) == NULL) {
        struct pollfd ready = {client->fd, POLLIN, 0};
        int64_t left = until - client_now_ms();
        int count = left > 0 ? poll(&ready, 1, (int)left) : 0;
        if (count < 0 && errno == EINTR)
            continue;
        if (count <= 0 || lines_fill(&client->in, client->fd) <= 0)
            return NULL;
    }
    return line;
}

cJSON *client_ask(struct client *client, cJSON *request, int descriptor, int patience_s,
                  client_on_progress *on_progress, void *user)
{
    int64_t asked_ms = client_now_ms();
    int id = client_send(client, request, descriptor);
    char *line;
    while (id > 0 && (line = receive_line(client, patience_s)) != NULL) {
        cJSON *answer = cJSON_Parse(line);
        bool ours = member_number(answer, "id") == id;
        const cJSON *progress = member(answer, "progress");
        client->answered_ms = (double)(client_now_ms() - asked_ms);
        if (ours && !progress)
            return answer;
        if (ours && on_progress)
            on_progress(user, progress);
        cJSON_Delete(answer);
    }
    complain("the daemon did not answer");
    return NULL;
}
