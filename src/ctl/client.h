/*
 * client.h: a conversation with the daemon: one line of JSON each way.
 */
#ifndef TUTTI_CTL_CLIENT_H
#define TUTTI_CTL_CLIENT_H

#include <cjson/cJSON.h>

/* A connected socket, or -1 after one line on stderr that says what to do about it. */
int client_connect(const char *path);

/*
 * Sends request (which becomes the callee's) and waits for its answer, at most timeout_s seconds.
 * NULL after one line on stderr. The caller deletes the answer.
 */
cJSON *client_ask(int fd, cJSON *request, int timeout_s);

#endif
