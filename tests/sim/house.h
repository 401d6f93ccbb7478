/*
 * house.h: the speakers of one session on one network, each with its crystals, its evidence and the
 * real core/group, and a backend that tells nobody the time, or does.
 *
 * True time is t in seconds; the backend's clock shows it. What is delivered when is decided by the
 * models; everything is seeded.
 */
#ifndef TUTTI_SIM_HOUSE_H
#define TUTTI_SIM_HOUSE_H

#include "speaker.h"
#include "tutti/core/group.h"

#define HOUSE_MAX 24
#define HOUSE_FLYING_MAX 8192

/* What a member that lies says. */
enum house_lie {
    HOUSE_HONEST,
    HOUSE_LIES_LINE,   /* it has an echo, and the backend's time is 300 ms later */
    HOUSE_LIES_REPORT, /* it heard every stamp 200 ms before it was made */
    HOUSE_LIES_NEWS,   /* it always heard something newer */
};

struct house_member {
    struct sim_speaker speaker;
    struct group group;
    double starts_s;
    double ends_s;                     /* killed; INFINITY: never */
    double frozen_from_s, frozen_to_s; /* stopped */
    double unplugged_from_s, unplugged_to_s;
    bool wireless;
    bool began;
    bool off; /* does not take part in groups */
    enum house_lie lie;
    double lies_from_s;
    double next_date_s;
    unsigned dates;
    double heard_s; /* updated_at of the newest state it knows */
    double look_s;  /* a look at the backend under way is answered then; INFINITY: none */
    unsigned looks;
    uint64_t sent;
    double idle_since_s;  /* when it was last awake */
    double burst_until_s; /* power save: nothing reaches it until then */
};

struct house_datagram {
    double at_s;
    int from;
    int to;
    bool by_multicast;
    struct group_message message;
};

struct house {
    struct sim_random random;
    struct sim_network network;
    bool power_save; /* what is on its way to a speaker waits up to 200 ms, now and then */
    bool no_multicast;
    double date_period_s;              /* 0: for every answer */
    double parted_from_s, parted_to_s; /* the first half and the rest do not hear each other */
    int count;
    struct house_member members[HOUSE_MAX];
    struct house_datagram flying[HOUSE_FLYING_MAX]; /* a heap: the next is the first */
    int flying_count;
    double now_s;
    bool played;          /* there was a command */
    const char *unwanted; /* what a script has found; NULL: nothing */
};

/* Everybody wired, on a quiet network, from 0 on; the fields may be changed before it begins. */
void house_init(struct house *house, int count, bool echo, bool silent, uint64_t seed);
void house_run(struct house *house, double to_s);
/* The backend stamps a state at t = now, and tells it late_s later; each hears it up to spread_s
 * after that; missed: one that does not, or -1. */
void house_command(struct house *house, double late_s, double spread_s, int missed);
void house_leave(struct house *house, int index);

bool house_is_there(const struct house *house, int index);
/* The largest distance between any two that are there and may be listened to (a mask of those who
 * may not: bit 0 is the first), in s, by what sounds or, if they are silent, by their clocks.
 * Negative: not two of them are heard. */
double house_apart_s(const struct house *house, unsigned except);
/* Who is followed by most; -1: nobody. */
int house_reference(const struct house *house);

#endif
