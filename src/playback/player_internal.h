/*
 * player_internal.h: what player.c (what is to sound, and whether), player_sound.c (making it
 * sound) and player_pace.c (when to look again) share.
 */
#ifndef TUTTI_PLAYBACK_PLAYER_INTERNAL_H
#define TUTTI_PLAYBACK_PLAYER_INTERNAL_H

#include "tutti/core/notices.h"
#include "tutti/playback/player.h"
#include "tutti/playback/voice.h"

/* Frames rendered at a time. */
#define PLAYER_SLICE_FRAMES 1024
/* And in one round of the loop, whose other callbacks wait for them: 1 ms or so on a PC, ten times
 * as much on a small board. A queue that is not full then is filled in the rounds that follow.
 * Silence is only copied. */
#define PLAYER_ROUND_FRAMES 4096
#define PLAYER_SILENT_ROUND_FRAMES 65536

struct player {
    struct player_config config;
    struct output *output;
    struct voice *voice;
    struct voice *next; /* of the track that may follow, primed; NULL: none */
    int next_fd;
    struct timeline timeline;
    bool has_timeline;
    struct drift drift;
    enum transport_state state;
    bool failure_said; /* of this voice */
    struct notices failures;

    bool joined;          /* the voice's frames are being queued */
    bool outdated;        /* what is queued is not wanted any more, and not cut yet */
    bool begin_with_fade; /* the next slice is the first */
    bool opening;         /* the voice is not ready yet */
    bool unfilled;        /* the last round had to stop before the queue was full */
    bool out_of_bytes;    /* the queue cannot be filled; it sounds on, and is looked at in time */
    bool ran_dry;         /* it has come to its end: some reserve is waited for */
    int64_t join_frame;   /* of the card */
    unsigned restarts;    /* of this start, before it was heard */
    unsigned generation;  /* of the output, when it was joined or last filled */
    double rate_ppm;
    uint64_t seeks;
    uint64_t rendered_frames;

    int64_t fixed_queue_ns; /* how much a device that gives nothing back is fed */
    uint64_t xruns_seen;

    struct mono_time eager_until;
    struct mono_time active_at; /* something sounded, or changed */
    double tick_phase;
    float slice[PLAYER_SLICE_FRAMES * SINK_CHANNELS];
};

/* A queue that cannot be filled is ended, with a fade, when so much is left of it. */
#define PLAYER_DRY_NS (40 * NS_PER_MS)

/* player_facts.c. What the timeline wants to be heard at an instant. */
double player_wanted_at(const struct player *player, struct mono_time heard_at);
bool player_output_is_ready(const struct player *player);
/* The device takes nothing back: what is queued delays every pause and seek. */
bool player_has_short_queue(const struct player *player);
/* When a queue that is out of bytes has to be looked at, at the latest. */
struct mono_time player_dry_at(const struct player *player);

/* player_sound.c */
/* Starts the voice on the timeline, a little ahead. It stays unjoined when the voice needs time. */
void player_join(struct player *player, struct mono_time now);
/* What is queued is of before. It sounds on until something is joined, or is cut, in this round. */
void player_outdate(struct player *player);
/* Silence as soon as the device allows; the voice is free for another start. */
void player_leave(struct player *player, struct mono_time now);
/* The error of the frame after the queue, as it would be heard; 0 while nothing is joined. */
double player_queue_error_s(const struct player *player);
/* Keeps the queue full of the track, or of silence. */
void player_fill(struct player *player, struct mono_time now);

/* player_pace.c */
struct mono_time player_next_tick(struct player *player, struct mono_time now);
/* The first seconds after a start ask for more looks. */
void player_be_eager(struct player *player, struct mono_time now);

#endif
