/*
 * player_internal.h: what player.c (what is to sound, and whether), player_sound.c (making it
 * sound), player_turn.c (one track after the other), player_cues.c (what sounds over it) and
 * player_pace.c (when to look again) share.
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

/* From the current track to the next, without a gap. */
struct turn {
    bool announced;
    struct timeline timeline; /* of the next track */
    bool primed;              /* its voice has been started once: it can be again, at once */
    double at_s;              /* where in the current track the next one begins, */
    double from_s;            /* from where on the two are mixed, */
    int64_t cut_frame;        /* and which frame of the card that is */
    size_t tail_wanted;       /* frames of the current track from there on; 0: it is not come to */
    bool queued;              /* the end of the queue is in the next track, */
    int64_t frame;            /* whose first frame of the card this is */
};

struct player {
    struct player_config config;
    struct output *output;
    struct voice *voice;
    struct voice *next; /* of the track that may follow, primed; NULL: none */
    int next_fd;
    enum replaygain replaygain;
    struct loudness loudness, next_loudness; /* as the backend tells them */
    int voice_fd;
    bool turned; /* the voice is the one that had been the next, and has not been told since */
    struct turn turn;
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
    int64_t track_frame;  /* before it another track is heard, or nothing */
    int64_t rejoin_frame; /* what is queued is right up to this one; INT64_MIN: it is not */
    unsigned restarts;    /* of this start, before it was heard */
    unsigned generation;  /* of the output, when it was joined or last filled */
    double rate_ppm;
    uint64_t seeks;
    uint64_t rendered_frames;

    int64_t fixed_queue_ns; /* how much a device that gives nothing back is fed */
    uint64_t xruns_seen;

    bool chime_waits, chime_held;
    bool click_waits; /* the first one */
    struct mono_time clicks_until;
    int64_t next_click; /* half seconds of the server's time */

    struct mono_time eager_until;
    struct mono_time active_at; /* something sounded, or changed */
    double tick_phase;
    struct mono_time due; /* the next tick; */
    int64_t late_ns;      /* by how much they usually come later */
    float slice[PLAYER_SLICE_FRAMES * SINK_CHANNELS];
    /* The end of a track, as far as the next one's beginning has yet to be added to it. */
    float tail[PLAYER_SLICE_FRAMES * SINK_CHANNELS];
    size_t tail_at, tail_count;
};

/* A queue that cannot be filled is ended, with a fade, when so much is left of it. */
#define PLAYER_DRY_NS (40 * NS_PER_MS)

/* player_level.c. The voice may be NULL. */
void player_level_voice(const struct player *player, struct voice *voice,
                        const struct loudness *told);

/* player_facts.c. What the timeline wants to be heard at an instant. */
double player_wanted_at(const struct player *player, struct mono_time heard_at);
bool player_output_is_ready(const struct player *player);
/* The next track is what is heard at that instant. */
bool player_hears_next(const struct player *player, struct mono_time heard_at);
/* The current track sounds from the queue, though nothing is joined: it is to be, farther on. */
bool player_is_rejoining(const struct player *player);
/* The device takes nothing back: what is queued delays every pause and seek. */
bool player_has_short_queue(const struct player *player);
/* When a queue that is out of bytes has to be looked at, at the latest. */
struct mono_time player_dry_at(const struct player *player);

/* player_turn.c */
/* The next track's voice, started while there is time. */
void player_turn_prime(struct player *player);
/* What has been queued of the next track, or taken for it, is not there any more. */
void player_turn_undo(struct player *player);
bool player_turn_is_begun(const struct player *player);
/* Frames until the two have to be mixed; INT64_MAX: they are not, or are already. */
int64_t player_turn_frames_left(struct player *player);
/* The next track begins at the end of the queue. False: it cannot yet. */
bool player_turn_begin(struct player *player);
/* Adds the end of the track before to what was rendered. */
void player_turn_mix(struct player *player, float *frames, size_t count);
/* Whose frames are appended next, and what they sound. */
struct voice *player_queue_voice(const struct player *player);
double player_queue_position_s(const struct player *player);
/* A place before the beginning of the next track, as the current one's. */
double player_turn_position_before(const struct player *player, double next_position_s);
const struct timeline *player_queue_timeline(const struct player *player);

/* player_next.c */
/* The announced timeline is in force: the next track is the current one. False: it has not begun, and
 * is a change like any other. */
bool player_turn_take(struct player *player, const struct timeline *timeline);
/* Nothing is announced any more, and where the queue goes on into it, it is not wanted. */
void player_turn_forget(struct player *player);

/* player_sound.c */
/* Starts the voice on the timeline, a little ahead. It stays unjoined when the voice needs time. */
void player_join(struct player *player, struct mono_time now);
/* What is queued is of before. It sounds on until something is joined, or is cut, in this round. */
void player_outdate(struct player *player);
/* The same, but up to this frame it is right: the current track is joined there. */
void player_outdate_from(struct player *player, int64_t frame);
/* Silence as soon as the device allows; the voice is free for another start. */
void player_leave(struct player *player, struct mono_time now);
/* The error of the frame after the queue, as it would be heard; 0 while nothing is joined. */
double player_queue_error_s(const struct player *player);
/* Keeps the queue full of the track, or of silence. */
void player_fill(struct player *player, struct mono_time now);

/* player_cues.c. Before the device is asked for; and once it is there. */
bool player_wants_cues(const struct player *player, struct mono_time now);
void player_queue_cues(struct player *player, struct mono_time now);

/* player_pace.c */
/* A tick begins: was it in time? */
void player_note_tick(struct player *player, struct mono_time now);
struct mono_time player_next_tick(struct player *player, struct mono_time now);
/* The first seconds after a start ask for more looks. */
void player_be_eager(struct player *player, struct mono_time now);

#endif
