/*
 * json_pool.h: memory for cJSON's trees of long texts, apart from the heap: hundreds of thousands of
 * small pieces, which all go at once. In the heap, whoever asks it for something next would have to
 * tidy them up: milliseconds, in the loop.
 */
#ifndef TUTTI_DAEMON_JSON_POOL_H
#define TUTTI_DAEMON_JSON_POOL_H

/* Once, before anything is parsed. */
void json_pool_start(void);

/* In between, what this thread's cJSON makes is in the pool, and gone at the end. */
void json_pool_begin(void);
void json_pool_end(void);

#endif
