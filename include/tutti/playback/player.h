/*
 * player.h: makes one speaker sound what the timeline says, when it says so.
 *
 * The player owns the output and the voice of the current track. It is told what should be played
 * (track, timeline, gain, latency) and how late it is (server_clock); it decides when to join, to
 * correct and to jump. It reads no clock and sets no timer: player_tick() says when it wants to be
 * called again.
 *
 * Errors are heard - wanted: positive, this speaker is ahead.
 */
#ifndef TUTTI_PLAYBACK_PLAYER_H
#define TUTTI_PLAYBACK_PLAYER_H

#include "tutti/audio/resampler.h"
#include "tutti/base/units.h"
#include "tutti/core/drift.h"
#include "tutti/core/loudness.h"
#include "tutti/core/server_clock.h"
#include "tutti/core/timeline.h"
#include "tutti/core/transport.h"
#include "tutti/playback/output.h"

#include <stdbool.h>
#include <stdint.h>

struct player;
struct voice_backend;

struct player_config {
    struct output_config output;
    struct drift_config drift;
    enum resampler_quality quality;
    int64_t idle_release_ns;            /* 0: keep the device for ever */
    const struct server_clock *clock;   /* the caller's; outlives the player */
    const struct voice_backend *voices; /* NULL: tracks are decoded */
};

struct player_status {
    enum transport_state state;
    double position_s; /* heard; or where it would be, when silent */
    bool error_known;
    double error_s;           /* heard - wanted, only while sounding */
    double rate_ppm;          /* playback rate in use, card's error included */
    double correction_ppm;    /* the part of it that corrects */
    double length_s;          /* < 0: not known */
    bool cue_waits;           /* a chime or the first click was asked for, and is not queued yet */
    bool cueing;              /* that, or one is heard, or more are to come */
    bool clicking;            /* of these, clicks */
    uint64_t seeks;           /* jumps because of drift, not those that the timeline asked for */
    uint64_t rendered_frames; /* of tracks, for the card, so far */
    const char *track_error;  /* "" or why the track cannot be decoded */
    struct output_status output;
};

/* NULL when out of memory. */
struct player *player_create(const struct player_config *config);
void player_destroy(struct player *player);

/*
 * The file of the current track, as in decoder.h, or fd -1: none, silence. A new track ends the one
 * before it, with the next tick: what is queued of the old one sounds until the new one does, if it
 * can be had at once. One that has begun at the end of the one before (player_announce()) goes on.
 * The descriptor must stay open until another track is set.
 */
void player_set_track(struct player *player, int fd, int64_t available_bytes, int64_t total_bytes,
                      struct mono_time now);
/* The whole file of the track that may follow, to have its decoder primed; it is the current one
 * when player_set_track() is told the same descriptor. -1: none; before it is closed. */
void player_set_next(struct player *player, int fd, int64_t bytes);
/*
 * What was told of the end of the current track: there the one of player_set_next() begins, on this
 * timeline. Its first frame follows the last of the current one, without a gap, if both files are
 * there and the current one's length is as told; otherwise it is a change like any other. It is the
 * current track when player_set_timeline() is told this timeline. NULL: nothing, or not any more.
 * Another timeline, too, ends it. The same again changes nothing.
 */
void player_announce(struct player *player, const struct timeline *next);
/* How loud tracks are played among others, and what the backend tells of these two's loudness: before
 * they are set, and whenever it tells more. A track that has started keeps its level. */
void player_set_loudness(struct player *player, enum replaygain mode,
                         const struct loudness *current, const struct loudness *next);
void player_track_grew(struct player *player, int64_t available_bytes, bool complete);

/* What the backend says now; a tick is due. The same again changes nothing. */
void player_set_timeline(struct player *player, const struct timeline *timeline,
                         struct mono_time now);

/* Linear gain (0: mute), heard within 20 ms or so. */
void player_set_gain(struct player *player, float gain, struct mono_time now);
/* Takes effect by rate, or by a jump if it is a large change. */
void player_set_latency(struct player *player, int64_t latency_ns);
void player_set_drift(struct player *player, const struct drift_config *config);

/* Goes on, in sync, on another device; it may take half a second. */
void player_set_device(struct player *player, const char *device, double remembered_ppm,
                       struct mono_time now);
/* A sound card has come or gone: one that is wanted is tried at once. */
void player_device_changed(struct player *player);

/*
 * Cues sound over whatever is played, or not; the device is opened for them, and let go as ever. A
 * chime is heard as soon as it can be: one at a time, another one meanwhile is the same.
 */
void player_chime(struct player *player);
/* While so (an amplifier is being switched on), a chime waits. */
void player_hold_chime(struct player *player, bool hold);
/* A click at each half second of the server's time, once that is known, until then. */
void player_set_clicks(struct player *player, struct mono_time until, struct mono_time now);
/* Takes back what has not begun. */
void player_end_cues(struct player *player);

/*
 * Does what is due, a bounded number of frames of it. Returns when it wants to be called again:
 * now, when it had to leave off, so that others have their turn.
 */
struct mono_time player_tick(struct player *player, struct mono_time now);

struct player_status player_get_status(const struct player *player, struct mono_time now);

#endif
