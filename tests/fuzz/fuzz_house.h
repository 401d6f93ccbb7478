/*
 * fuzz_house.h: for the targets that fuzz the hub: a session with its host and a guest, and a
 * stranger, who is host of another one.
 */
#ifndef TUTTI_FUZZ_HOUSE_H
#define TUTTI_FUZZ_HOUSE_H

#include "../../src/hub/service.h"

/* Where everybody is. */
#define FUZZ_ADDRESS "127.0.0.1"

struct fuzz_person {
    char id[STORE_ID_MAX];
    char token[STORE_TOKEN_MAX];
};

struct fuzz_house {
    struct fuzz_person host, guest, stranger;
    char session_id[STORE_ID_MAX];
    char code[16];
};

/* A service on a database and a folder in memory. Its announcer is the caller's. */
void fuzz_house_open(struct service *service, const struct service_limits *limits);

/* As in the beginning: nothing of what was done before an input is left for the next one. */
void fuzz_house_start_over(struct service *service, struct fuzz_house *house);

#endif
