/*
 * metrics_server.h: GET /metrics over HTTP, in the loop.
 *
 * Whoever reaches the address may read; it is meant for the loopback or a house's own network.
 */
#ifndef TUTTI_IO_METRICS_SERVER_H
#define TUTTI_IO_METRICS_SERVER_H

struct loop;
struct metrics_server;

/*
 * listen: ADDRESS:PORT, [IPv6]:PORT; port 0: any free one. text: asked at each call for what to
 * answer, to be freed; NULL: out of memory. NULL, logged, when it cannot listen there.
 */
struct metrics_server *metrics_server_create(struct loop *loop, const char *listen,
                                             char *(*text)(void *user), void *user);
int metrics_server_port(const struct metrics_server *server);
/* After the loop, whose connections refer to it. NULL is fine. */
void metrics_server_destroy(struct metrics_server *server);

#endif
