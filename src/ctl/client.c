/*
 * client.c: see client.h. Blocking: there is nothing else to do meanwhile.
 */
#include "client.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define ANSWER_MAX_BYTES (64u * 1024 * 1024)

static void explain(const char *path)
{
    if (errno == ENOENT || errno == ECONNREFUSED)
        fprintf(stderr, "tuttictl: no tuttid at %s: is the service running?\n", path);
    else if (errno == EACCES)
        fprintf(stderr, "tuttictl: %s: permission denied: are you in the group tutti?\n", path);
    else
        fprintf(stderr, "tuttictl: %s: %s\n", path, strerror(errno));
}

int client_connect(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof address.sun_path) {
        fprintf(stderr, "tuttictl: the socket's path is too long: %s\n", path);
        return -1;
    }
    strcpy(address.sun_path, path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof address) < 0) {
        explain(path);
        if (fd >= 0)
            close(fd);
        return -1;
    }
    return fd;
}

static int send_line(int fd, const cJSON *request)
{
    char *text = cJSON_PrintUnformatted(request);
    if (!text)
        return -1;
    size_t bytes = strlen(text), at = 0;
    text[bytes++] = '\n'; /* in place of the terminator */
    while (at < bytes) {
        ssize_t sent = send(fd, text + at, bytes - at, MSG_NOSIGNAL);
        if (sent < 0 && errno != EINTR)
            break;
        if (sent > 0)
            at += (size_t)sent;
    }
    free(text);
    return at == bytes ? 0 : -1;
}

static long long now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

/* A whole line, NUL-terminated; NULL at the end of the connection or of the patience. */
static char *receive_line(int fd, int timeout_s)
{
    size_t bytes = 0, capacity = 4096;
    char *line = malloc(capacity);
    long long until = now_ms() + timeout_s * 1000LL;
    while (line) {
        struct pollfd ready = {fd, POLLIN, 0};
        long long left = until - now_ms();
        if (left <= 0 || poll(&ready, 1, (int)left) <= 0)
            break;
        ssize_t got = recv(fd, line + bytes, capacity - bytes - 1, 0);
        if (got <= 0)
            break;
        bytes += (size_t)got;
        line[bytes] = '\0';
        char *end = strchr(line, '\n');
        if (end) {
            *end = '\0';
            return line;
        }
        if (bytes + 1 < capacity)
            continue;
        capacity *= 2;
        char *grown = capacity <= ANSWER_MAX_BYTES ? realloc(line, capacity) : NULL;
        if (!grown)
            break;
        line = grown;
    }
    free(line);
    return NULL;
}

cJSON *client_ask(int fd, cJSON *request, int timeout_s)
{
    cJSON_AddNumberToObject(request, "id", 1);
    int result = send_line(fd, request);
    cJSON_Delete(request);
    char *line = result == 0 ? receive_line(fd, timeout_s) : NULL;
    cJSON *answer = line ? cJSON_Parse(line) : NULL;
    free(line);
    if (!answer)
        fprintf(stderr, "tuttictl: the daemon did not answer\n");
    return answer;
}
