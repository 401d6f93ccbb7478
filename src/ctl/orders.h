/*
 * orders.h: from a command's arguments to the request that the daemon gets. Pure.
 */
#ifndef TUTTI_CTL_ORDERS_H
#define TUTTI_CTL_ORDERS_H

#include "lookup.h"

struct order_call {
    int argc; /* what follows the command's name */
    char *const *argv;
    const cJSON *playlist;    /* of the daemon; NULL for commands that name no item */
    const cJSON *requests;    /* likewise */
    const cJSON *speakers;    /* likewise */
    const char *const *rooms; /* that it is about, by their names */
    int room_count;           /* 0: the speaker whose daemon is asked */
    bool all;                 /* rooms */
};

struct order {
    cJSON *request;    /* the caller's, with "cmd" set: builders add to it */
    char subject[256]; /* what it is about, for the person who reads of its success */
    char error[LOOKUP_ERROR_MAX];
};

/* False when the arguments are wrong: error says how, or is "" for a matter of usage. */
typedef bool order_build(const struct order_call *call, struct order *order);

order_build order_plain; /* takes no arguments */
order_build order_play;
order_build order_seek;
order_build order_remove;
order_build order_move;
order_build order_request;
order_build order_requests;
order_build order_approve;
order_build order_deny;
order_build order_pairing;
order_build order_join;
order_build order_volume;
order_build order_mute;
order_build order_latency;
order_build order_clicks;
order_build order_log_level;
order_build order_repeat;
order_build order_shuffle;
order_build order_session;
order_build order_speakers; /* asked once; --watch is no order */
order_build order_speaker;

/* In other rooms: the whole request, "cmd" too (rooms.c). */
order_build order_rooms_volume;
order_build order_rooms_mute;
order_build order_rooms_latency;
order_build order_rooms_identify;
order_build order_rooms_clicks;

/* A number and nothing else. */
bool order_number(const char *text, double *ret);
/* With a sign before it. */
bool order_is_relative(const char *text);

#endif
