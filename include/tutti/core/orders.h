/*
 * orders.h: what was asked of the backend, each until it has been done, or is known not to be.
 *
 *   HELD            there is no connection; one is tried at once
 *   SENT            its echo is waited for, or the answer to its call
 *   SENDING         an upload, or joining a session: for as long as the call takes
 *   AGREED          the backend has said yes; the playlist does not show it yet
 *   DOUBTED         nothing came, or an answer that says nothing (a 500, a time-out: the backend
 *                   may have done it): the socket is replaced, and what the new one says decides
 *   REPEATED        it had not happened; the answer to the second try is waited for
 *   REPEAT_DOUBTED  that one says nothing either: decided as before, and not tried again
 *
 * Each ends exactly once. Only what can be asked for twice is repeated: an approval would be
 * applied twice, and a request or an upload would be there twice.
 *
 * Whoever owns the connection tells what happens (begin, heard, answered, due, compare), and does
 * what orders_next() says, until that is nothing, after each.
 */
#ifndef TUTTI_CORE_ORDERS_H
#define TUTTI_CORE_ORDERS_H

#include "tutti/core/order.h"

#define ORDERS_MAX 16
#define ORDERS_ERROR_MAX (PROTOCOL_REASON_MAX + 128)

enum orders_phase {
    ORDERS_HELD,
    ORDERS_SENT,
    ORDERS_SENDING,
    ORDERS_AGREED,
    ORDERS_DOUBTED,
    ORDERS_REPEATED,
    ORDERS_REPEAT_DOUBTED,
};

enum orders_act {
    ORDERS_NOTHING,
    ORDERS_CONNECT, /* at once, whatever the backoff says */
    ORDERS_SEND,    /* then orders_sent() or orders_calls() */
    ORDERS_REPLACE, /* the socket: what it said, or kept to itself, is not to be trusted */
    ORDERS_REPEAT,  /* by a call */
    ORDERS_END,     /* tell who asked; the order is not there any more */
};

struct orders_entry {
    uint64_t number; /* ever growing; 0: free */
    struct order order;
    enum orders_phase phase;
    enum orders_act todo;
    bool by_socket; /* and so its echo, or its refusal, comes by the socket */
    bool replaced;  /* which has been replaced since */
    bool calls;     /* an answer is to come */
    bool agreed;    /* before it was doubted */
    struct mono_time asked_at, sent_at, due;
    char failure[PROTOCOL_REASON_MAX]; /* why an answer said nothing; "" none came */
    char error[ORDERS_ERROR_MAX];      /* of the end; "" it is done */
};

/* Zeroed: none. */
struct orders {
    struct orders_entry entries[ORDERS_MAX];
    uint64_t count;
};

enum orders_connection {
    ORDERS_LIVE,
    ORDERS_AWAY, /* it comes back, at the latest when it is tried */
    ORDERS_OUT,  /* of every session, as somebody wished */
};

/* The order's number; 0: it cannot be asked for, with the reason. */
uint64_t orders_begin(struct orders *orders, const struct order *order,
                      enum orders_connection connection, struct mono_time now,
                      const char **ret_error);
/* What is to be done next; NOTHING: no more. Of an END, *ret_entry is the order as it was, else as
 * it is. */
enum orders_act orders_next(struct orders *orders, struct orders_entry *ret_entry);
/* The order of that number; NULL: it has ended. */
struct orders_entry *orders_find(struct orders *orders, uint64_t number);
/* When orders_due() is to be called; INT64_MAX: never. */
struct mono_time orders_deadline(const struct orders *orders);

/* What came of a SEND or a REPEAT: it went out by the socket (or could not), or a call was begun.
 */
void orders_sent(struct orders *orders, uint64_t number, bool sent, struct mono_time now);
void orders_calls(struct orders *orders, uint64_t number);
/* On this side, and for good. */
void orders_fail(struct orders *orders, uint64_t number, const char *error);

/* A yes ends it, unless the playlist is to show it and does not yet. */
struct orders_answer {
    int status;      /* of HTTP; 0: none came */
    const char *why; /* for people, where it is no yes */
    bool is_request; /* it has become one, of a guest's: the playlist does not show it */
};
void orders_answered(struct orders *orders, uint64_t number, const struct orders_answer *answer,
                     const struct session *session, struct mono_time now);
/* Joining has an answer: what the session tells is to follow. */
void orders_joined(struct orders *orders, uint64_t number, struct mono_time now);

/* Which socket tells: the one that was replaced tells again what the new one has told, too, and
 * answers only what went out by it. */
enum orders_socket { ORDERS_BY_LIVE, ORDERS_BY_REPLACED };

/* An echo: true with when its order was sent, if it says something of the time that this takes. */
bool orders_heard_playback(struct orders *orders, const struct playback_state *playback,
                           enum orders_socket by, struct mono_time *ret_sent_at);
/* The number of the order that it answers; 0: none. By whatever socket; known: it was told before,
 * and so is nothing that was just asked for. */
uint64_t orders_heard_request(struct orders *orders, const struct request_message *request,
                              bool known);
void orders_heard_playlist(struct orders *orders, const struct session *session);
/* Of a message that was sent; false: there is none. */
bool orders_heard_refusal(struct orders *orders, const char *detail, enum orders_socket by);
/* Something was sent by the socket and is not echoed yet. */
bool orders_on_socket(const struct orders *orders);

void orders_due(struct orders *orders, struct mono_time now);
/* A fresh connection has told the whole state, and replaces what there was. */
void orders_compare(struct orders *orders, const struct session *session, struct mono_time now);
/* A try to connect has failed: what is held ends. */
void orders_not_connected(struct orders *orders, const char *why);

/* except: 0: none. */
void orders_end_all(struct orders *orders, uint64_t except, const char *error);
/* Without a word to who asked. */
void orders_cancel(struct orders *orders, uint64_t number);

#endif
