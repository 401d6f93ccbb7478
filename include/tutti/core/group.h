/*
 * group.h: one clock for the speakers of a session that hear each other.
 *
 * One member, the reference, tells the others one line: server time by its own monotonic clock. The
 * others measure that clock against theirs in volleys of probes, and so have the same line by
 * theirs, which they give to their server_clock. The machine is pure: datagrams and times come in,
 * messages to be sent go out. It knows speakers by their ids, and addresses as numbers that
 * io/group_socket gives out.
 *
 * Use:  group_receive() for each datagram, group_fired() when group_due() has come, group_heard()
 * for what the backend says; after each of them, group_next_send() until it says no, each sent at
 * once and then reported by group_sent(); and group_take_look().
 */
#ifndef TUTTI_CORE_GROUP_H
#define TUTTI_CORE_GROUP_H

#include "tutti/base/units.h"
#include "tutti/core/group_message.h"
#include "tutti/core/peer_clock.h"
#include "tutti/core/probe_plan.h"
#include "tutti/core/server_clock.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define GROUP_MEMBERS_MAX 64
#define GROUP_PEERS_MAX 32
#define GROUP_ANSWERS_MAX 32
#define GROUP_PROBES 16
#define GROUP_HEARERS 16

enum group_role {
    GROUP_ALONE, /* nobody is heard */
    GROUP_FOLLOWER,
    GROUP_REFERENCE,
    GROUP_APART, /* others are heard, and not followed: they contradict what is known here */
};

struct group_config {
    uint64_t id;   /* random at each start, not 0 */
    uint64_t seed; /* random: of nonces, and of when to speak */
};

/* One whom we hear. */
struct group_member {
    uint64_t id; /* 0: free */
    uint64_t counter;
    group_peer peer;
    int64_t heard_ns;         /* its last message */
    int64_t multicast_ns;     /* its last one by multicast */
    int64_t gone_ns;          /* if nothing comes until then */
    int64_t began_ns;         /* its age, by our clock */
    int64_t excluded_ns;      /* until then it is no reference for us */
    bool outvoted;            /* and most others thought so, too */
    int64_t looked_ns;        /* when its word last made us look at the backend's state */
    uint64_t looked_playlist; /* what we had looked for */
    struct group_word word;
};

/* A reference's clock, as it is being measured. */
struct group_measure {
    uint64_t id; /* 0: none */
    struct peer_clock clock;
    struct probe_plan plan;
    struct mono_time since;
    unsigned unanswered;
    struct group_line line; /* as the reference told it last */
};

struct group_probe {
    uint64_t nonce; /* 0: none */
    uint64_t id;    /* of whom was asked */
    struct mono_time sent_at;
    bool sent;
};

struct group_answer {
    group_peer to;
    uint64_t nonce;
    struct mono_time received_at;
};

/* Who heard the newest stamp when, by our clock. */
struct group_hearing {
    uint64_t id;
    int64_t at_ns;
};

/* How our own evidence and the line that we follow agreed when that was looked at last. */
struct group_watch {
    int64_t at_ns; /* 0: not yet */
    int64_t off_ns;
    bool impossible;
    bool off;
};

struct group {
    struct group_config config;
    struct server_clock *clock; /* the caller's */
    uint64_t random;
    uint64_t counter;
    bool wired;
    bool resting;
    bool left;
    struct mono_time began;
    struct mono_time fired; /* the last time that time was known to pass */
    struct group_member members[GROUP_MEMBERS_MAX];
    group_peer peers[GROUP_PEERS_MAX]; /* spoken to though nothing was heard of them */
    size_t peer_count;

    /* Whom we follow. */
    uint64_t reference; /* ourselves, another, or nobody: 0 */
    uint64_t wanted;    /* whose clock is being measured to be followed; 0: nobody */
    bool pointed;       /* our reference has told us to go there */
    struct group_measure measures[2];
    int in_force;                  /* which of them is the reference's; -1: none */
    struct server_clock_line line; /* in force; it goes on when its reference is gone */
    bool has_line;
    struct mono_time followed_at; /* when the reference in force became it */
    int64_t looking_since_ns;     /* for a reference; INT64_MAX: there is one */
    int64_t preferable_since_ns;  /* we would be a better one; INT64_MAX: no */

    /* A reference whose line or clock is not where it should be; see group_follow.c. */
    uint64_t doubted;
    bool surprised; /* until the others have said what they think, its line is not taken */
    struct mono_time doubted_at;
    int64_t self_excluded_ns; /* most others doubt us: until then we are no reference */

    struct group_watch watch;

    /* What we know by ourselves, kept for a moment. */
    struct server_clock_own own;
    struct mono_time own_at;
    bool own_is_old;

    /* References: what is told to the others, by our own clock. */
    struct group_line told;
    double told_base;         /* its rate without what corrects it */
    int64_t told_known_ns;    /* how well the time is known, of which the line may still be off */
    struct mono_time told_at; /* when that was found */

    /* What was heard of the backend. */
    int64_t heard_ns;
    bool heard_at_known;
    struct mono_time heard_at;
    uint64_t playlist;
    struct group_hearing hearings[GROUP_HEARERS];
    size_t hearing_count;
    int64_t reported_ns; /* the stamp whose arrival was told to a reference that did not hear it */
    int64_t shared_ns;   /* the best arrival that was made evidence of; INT64_MAX: none yet */
    int64_t tell_ns;     /* when to tell of it, if nobody else does; INT64_MAX: no */
    int64_t look_ns;     /* when to look, if we are still behind; INT64_MAX: we are not */
    uint64_t look_for;   /* whose word it was */
    bool look;

    /* What is to be sent. */
    struct group_answer answers[GROUP_ANSWERS_MAX];
    size_t answer_head;
    size_t answer_count;
    struct group_probe probes[GROUP_PROBES];
    size_t probe_head;
    int64_t word_ns; /* when to speak next */
    int64_t spoke_ns;
    enum group_evidence said_evidence;
    int64_t urgent_ns;     /* what is urgent, a word or a question, is so again from then on */
    unsigned first_words;  /* still to be said in quick succession */
    bool speaking;         /* by multicast first, then to each that it does not reach */
    size_t spoken_members; /* so many of either have been spoken to */
    size_t spoken_peers;
};

struct group_status {
    enum group_role role;
    unsigned members;      /* ourselves included */
    uint64_t reference;    /* its id; 0: none */
    bool measured;         /* what follows is known */
    int64_t round_trip_ns; /* to the reference */
    int64_t apart_ns;      /* from the line as the reference knows it */
    uint64_t doubted;      /* a reference that contradicts what is known; 0: none */
};

void group_init(struct group *group, const struct group_config *config, struct server_clock *clock,
                struct mono_time now);
/* Peers of the configuration, or of the last time: spoken to though nothing was heard of them. */
void group_add_peer(struct group *group, group_peer peer);
void group_set_wired(struct group *group, bool wired);
/* While nothing sounds, a board is to sleep. */
void group_rest(struct group *group, bool resting, struct mono_time now);
/* A goodbye is to be sent: the others need not wait for us. */
void group_leave(struct group *group, struct mono_time now);

/* message: authenticated. arrived: when the kernel got it, by our clock. */
void group_receive(struct group *group, group_peer from, bool by_multicast,
                   const struct group_message *message, struct mono_time arrived);
void group_fired(struct group *group, struct mono_time now);
struct mono_time group_due(const struct group *group);

/* A state of the backend's. arrived: NULL: it is a connection's first, which may be old. */
void group_heard(struct group *group, struct server_time updated_at,
                 const struct mono_time *arrived, struct mono_time now);
/* A digest of the playlist as it is known here. */
void group_set_playlist(struct group *group, uint64_t digest, struct mono_time now);
/* True, once: others have heard what we have not; the backend's state is to be looked at. */
bool group_take_look(struct group *group);

bool group_next_send(struct group *group, struct mono_time now, group_peer *ret_to,
                     struct group_message *ret_message);
/* It went out, with sent_at set. What could not be sent is not reported. */
void group_sent(struct group *group, const struct group_message *message);

/* The addresses of those that are heard, one after another: *index from 0 on. */
bool group_next_address(const struct group *group, size_t *index, group_peer *ret_peer);
/* Where a member is; GROUP_PEER_ALL: not known, or it is ourselves. */
group_peer group_address(const struct group *group, uint64_t id);

struct group_status group_get_status(const struct group *group, struct mono_time now);
const char *group_role_name(enum group_role role);

#endif
