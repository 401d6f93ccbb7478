/*
 * client.h: a conversation with the daemon: lines of JSON each way, docs/control.md.
 */
#ifndef TUTTI_CTL_CLIENT_H
#define TUTTI_CTL_CLIENT_H

#include "lines.h"

#include <cjson/cJSON.h>
#include <stdint.h>

struct client {
    int fd; /* -1: not connected */
    int last_id;
    double answered_ms; /* how long the last answer took */
    struct lines in;
};

/* Of a clock that never goes back. */
int64_t client_now_ms(void);

/* 0 or -errno. client_close() in either case. */
int client_open(struct client *client, const char *path);
void client_close(struct client *client);

/* One line on standard error: why nothing answers at path, and what to do about it. */
void client_explain(const char *path, int error);

/*
 * Sends request (which becomes the callee's) under an id of its own, and beside it a descriptor, or
 * -1. The id, or -errno.
 */
int client_send(struct client *client, cJSON *request, int descriptor);

/* Of a request under way: where it is. */
typedef void client_on_progress(void *user, const cJSON *progress);

/*
 * The answer to request, which becomes the callee's; on_progress may be NULL. Gives up when nothing
 * comes for patience_s. NULL after one line on standard error. The caller deletes the answer.
 */
cJSON *client_ask(struct client *client, cJSON *request, int descriptor, int patience_s,
                  client_on_progress *on_progress, void *user);

#endif
