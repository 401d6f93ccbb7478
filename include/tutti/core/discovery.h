/*
 * discovery.h: which of the hubs that announce themselves on the network a speaker goes to.
 *
 * A speaker that is a member somewhere belongs there: it stays at that hub's last address, whatever
 * is announced, and takes another address only for the same hub, which has to prove it. One that is
 * a member nowhere takes the only hub there is; where there are several, none.
 *
 * Announcements are anybody's: they may be false, flap, or come by the thousand.
 */
#ifndef TUTTI_CORE_DISCOVERY_H
#define TUTTI_CORE_DISCOVERY_H

#include "tutti/base/units.h"

#include <stdbool.h>
#include <stddef.h>

#define DISCOVERY_HUBS_MAX 64
#define DISCOVERY_NAME_MAX 64
#define DISCOVERY_HOST_MAX 128
#define DISCOVERY_URL_MAX 256
#define DISCOVERY_PROBLEM_MAX 256

/* One announcement, on one network interface, over one of the two protocols. */
struct discovery_sighting {
    int interface;
    int protocol;
    char name[DISCOVERY_NAME_MAX]; /* of the service; any text */
    char host[DISCOVERY_HOST_MAX]; /* whose it is: of one hub, all have the same name and host */
    char url[DISCOVERY_URL_MAX];
    int rank; /* of several addresses of one hub, the lowest is taken */
};

struct discovery_entry {
    struct discovery_sighting sighting;
    struct mono_time seen_at;
    struct mono_time probed_at;
    bool probed;
};

struct discovery {
    struct discovery_entry entries[DISCOVERY_HUBS_MAX];
    int count;
    bool crowded;                   /* there are more than fit */
    char choice[DISCOVERY_URL_MAX]; /* where we are, or try to be; "": nowhere */
    char name[DISCOVERY_NAME_MAX];  /* of the chosen hub, where it was not known before */
    char host[DISCOVERY_HOST_MAX];
    bool belongs; /* a member there: the choice changes by a proof only */
    bool live;
    struct mono_time live_until; /* since when it is not */
    bool gone;                   /* the chosen hub is announced no more */
    struct mono_time gone_since;
    bool probing;
    bool moved; /* by a proof, and it has not been said yet */
    struct mono_time probed_at;
    bool has_probed;
};

/* known_url: of the hub that the speaker is a member of; "" none. */
void discovery_init(struct discovery *discovery, const char *known_url, struct mono_time now);

/* What the network says. The same announcement again replaces what it said before. */
void discovery_seen(struct discovery *discovery, const struct discovery_sighting *sighting,
                    struct mono_time now);
void discovery_vanished(struct discovery *discovery, int interface, int protocol, const char *name,
                        struct mono_time now);
/* Nothing is known of the network any more. */
void discovery_lost_sight(struct discovery *discovery, struct mono_time now);
/* There are more than are told: none of them is the only one. Until discovery_lost_sight(). */
void discovery_is_crowded(struct discovery *discovery);

/* The speaker is a member at the choice, or is not any more. */
void discovery_belongs(struct discovery *discovery, bool belongs);
void discovery_live(struct discovery *discovery, bool live, struct mono_time now);
/* What came of a probe: whether that address is our hub's. */
void discovery_probed(struct discovery *discovery, const char *url, bool proven,
                      struct mono_time now);

enum discovery_action {
    DISCOVERY_WAIT,
    DISCOVERY_USE,   /* url is the choice from now on; "": none is */
    DISCOVERY_PROBE, /* ask url for a proof; discovery_probed() tells what came of it */
};

struct discovery_step {
    enum discovery_action action;
    const char *url;      /* valid until the next call */
    struct mono_time due; /* of DISCOVERY_WAIT: when to ask again at the latest */
};

/* To be called after anything else, and when it is due, until it says to wait. */
struct discovery_step discovery_next(struct discovery *discovery, struct mono_time now);

/* Why there is no choice, as one line; "" where there is one. */
void discovery_problem(const struct discovery *discovery, char to[DISCOVERY_PROBLEM_MAX]);

#endif
