/*
 * group_message.h: what the speakers of one session say to each other, as typed messages and bytes.
 *
 * Every message is of one size, so that no answer is longer than its question. Encoding and
 * decoding are pure and bounded; that a message comes from a member and was not altered is
 * io/group_socket's business, which adds a tag around these bytes and drops what has none. That it
 * is not one of yesterday's is core/group's, by counter and nonce.
 *
 * Integers are big-endian; what is not said is 0.
 */
#ifndef TUTTI_CORE_GROUP_MESSAGE_H
#define TUTTI_CORE_GROUP_MESSAGE_H

#include "tutti/base/units.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define GROUP_MESSAGE_BYTES 192

/* Where a message goes or came from: an address, as io/group_socket numbers them. */
typedef uint32_t group_peer;
#define GROUP_PEER_ALL ((group_peer)0) /* by multicast */

/* The monotonic clock of another speaker: its zero means nothing here, and only core/group converts
 * between it and ours. */
struct peer_time {
    int64_t ns;
};

enum group_message_kind {
    GROUP_WORD = 1, /* by multicast, or to a peer that multicast does not reach */
    GROUP_PROBE,    /* to one: what time is it with you? */
    GROUP_ANSWER,   /* to the prober, at once */
};

/* How good the evidence of the backend's time is: more is better. */
enum group_evidence {
    GROUP_EVIDENCE_NONE,
    GROUP_EVIDENCE_LOOSE,   /* stamps, Dates, a disciplined wall clock */
    GROUP_EVIDENCE_COMMAND, /* a stamp that a command of its own caused */
    GROUP_EVIDENCE_ECHO,
};

/* server - reference's clock = offset_ns + frequency * (t - from), from `from` on. */
struct group_segment {
    struct peer_time from;
    int64_t offset_ns;
    double frequency; /* within +-2e-3; its resolution is 1e-12 */
};

#define GROUP_SEGMENTS 2

/* The line that all are to follow: what holds now, and what follows it. The first segment holds
 * before its beginning, too. */
struct group_line {
    unsigned segments; /* 0: none */
    struct group_segment segment[GROUP_SEGMENTS];
    int64_t uncertainty_ns; /* of the server's time that it says */
};

/* What a member says of itself, with every message. */
struct group_word {
    uint64_t reference; /* whom it follows; its own id: it is the reference; 0: it looks for one */
    uint64_t doubted;   /* a reference whose clock or line contradicts what it knows; 0: none */
    enum group_evidence evidence;
    int64_t uncertainty_ns; /* of its own evidence */
    bool wired;
    bool playing;
    unsigned members;       /* in the group, itself included, as far as it knows; at most 255 */
    uint32_t age_ms;        /* since it began; the longest there is preferred */
    uint32_t next_ms;       /* until its next word, as planned: who is silent for longer is gone */
    struct group_line line; /* references only */
    /* What it heard last of the backend. */
    int64_t heard_ns;    /* the newest updated_at; 0: nothing yet */
    bool heard_at_known; /* when it arrived, by the clock of the reference that it follows */
    struct peer_time heard_at;
    uint64_t playlist; /* a digest; 0: not known */
    /* Followers: how far the server's time by its own evidence is after the line's; its bound. */
    int64_t off_ns;
    int64_t off_bound_ns;
    double crystal; /* followers: the reference's clock runs faster than its own by this */
};

struct group_message {
    enum group_message_kind kind;
    uint64_t sender;  /* random at each start of a program, never 0 */
    uint64_t counter; /* grows with each of a sender's messages */
    /* By the sender's clock: set by io/group_socket just before it seals and sends. */
    struct peer_time sent_at;
    uint64_t nonce;               /* of probes, and of the answer to each */
    struct peer_time received_at; /* answers: when the probe came, by the sender's clock */
    struct group_word word;
};

void group_message_encode(const struct group_message *message, uint8_t to[GROUP_MESSAGE_BYTES]);

/* False: not a message of this version, or a value that cannot be. On false nothing is set. */
bool group_message_decode(const uint8_t *from, size_t bytes, struct group_message *ret_message);

#endif
