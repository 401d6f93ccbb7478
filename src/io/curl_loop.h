/*
 * curl_loop.h: a curl multi handle whose sockets and timeouts the loop serves.
 */
#ifndef TUTTI_IO_CURL_LOOP_H
#define TUTTI_IO_CURL_LOOP_H

#include <curl/curl.h>
#include <stdbool.h>

struct loop;
struct curl_loop;

/* served: called whenever curl has done something, outside of curl. */
struct curl_loop *curl_loop_create(struct loop *loop, void (*served)(void *user), void *user);
/* Not inside curl. No easy handle is in it any more. NULL is fine. */
void curl_loop_destroy(struct curl_loop *curl);

CURLM *curl_loop_multi(struct curl_loop *curl);
/* Inside one of curl's own callbacks, where handles can neither be added nor removed. */
bool curl_loop_is_inside(const struct curl_loop *curl);
/* After a callback of this handle has paused it; not inside curl. */
void curl_loop_unpause(struct curl_loop *curl, CURL *easy);
/* Has served() called in the next round. */
void curl_loop_kick(struct curl_loop *curl);

#endif
