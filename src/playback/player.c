/*
 * player.c: what is to sound, and whether: the track, the timeline, the state, the device's
 * keeping. How it is made to sound in time is in player_sound.c.
 */
#include "tutti/playback/player.h"

#include "player_internal.h"
#include "tutti/base/log.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* A device that cannot take frames back is fed so much: what is queued delays every pause and seek.
 * More after an underrun. */
static const int64_t FIXED_QUEUE_NS = 80 * NS_PER_MS;
static const int64_t FIXED_QUEUE_MAX_NS = 640 * NS_PER_MS;
/* A timeline that differs less than this from the one in force is the same, told again. */
static const double SAME_TIMELINE_S = 50e-6;
/* Shorter corrections at the end of a track than this are not worth a stop. */
static const double END_SLACK_S = 0.05;
/* Of a device that is opened for a cue alone, if it has this one. */
static const unsigned CUE_RATE_HZ = 48000;

struct player *player_create(const struct player_config *config)
{
    struct player *player = calloc(1, sizeof *player);
    if (!player)
        return NULL;
    player->config = *config;
    player->rejoin_frame = INT64_MIN;
    player->fixed_queue_ns = FIXED_QUEUE_NS;
    player->loudness = player->next_loudness = loudness_unknown();
    drift_init(&player->drift, &config->drift);
    player->output = output_create(&config->output);
    if (!player->output) {
        free(player);
        return NULL;
    }
    return player;
}

void player_destroy(struct player *player)
{
    if (!player)
        return;
    voice_destroy(player->voice);
    voice_destroy(player->next);
    output_destroy(player->output);
    free(player);
}

/* The first frame of the track has been reached; before it, an earlier one may still be heard. */
static bool is_sounding(const struct player *player, struct mono_time now)
{
    return (player->joined || player_is_rejoining(player)) && player_output_is_ready(player) &&
           output_frame_at(player->output, now) >= (double)player->join_frame;
}

void player_set_track(struct player *player, int fd, int64_t available_bytes, int64_t total_bytes,
                      struct mono_time now)
{
    bool turned = player->turned && fd == player->voice_fd;
    player->turned = false;
    if (turned)
        return;
    player_outdate(player);
    player->ran_dry = false;
    player->active_at = now;
    voice_destroy(player->voice);
    player->voice = NULL;
    player->voice_fd = fd;
    player->failure_said = false;
    if (fd < 0)
        return;
    if (player->next && player->next_fd == fd) {
        player->voice = player->next;
        player->next = NULL;
    } else {
        player->voice = voice_create(player->config.voices, fd, available_bytes, total_bytes,
                                     player->config.quality);
    }
    player_level_voice(player, player->voice, &player->loudness);
}

void player_track_grew(struct player *player, int64_t available_bytes, bool complete)
{
    if (player->voice)
        voice_set_available(player->voice, available_bytes, complete);
}

/* How far this timeline is from what is queued: from what it is joined on, or is to be farther on. */
static double off_s(const struct player *player, const struct timeline *before)
{
    if (!player_is_rejoining(player))
        return fabs(player_queue_error_s(player));
    struct server_time at = player->timeline.anchored_at;
    return fabs(timeline_position_at(before, at) - player->timeline.position_s);
}

void player_set_timeline(struct player *player, const struct timeline *timeline,
                         struct mono_time now)
{
    if (player->has_timeline && timeline_equal(&player->timeline, timeline, SAME_TIMELINE_S))
        return;
    if (player_turn_take(player, timeline))
        return;
    struct timeline before = player->timeline;
    player_turn_forget(player);
    player->has_timeline = true;
    player->timeline = *timeline;
    player->active_at = now;
    if (!timeline->playing)
        player_leave(player, now);
    else if (off_s(player, &before) > player->config.drift.jump_s)
        player_outdate(player);
}

void player_set_gain(struct player *player, float gain, struct mono_time now)
{
    output_set_gain(player->output, gain, now);
}

void player_set_latency(struct player *player, int64_t latency_ns)
{
    output_set_latency(player->output, latency_ns);
}

void player_set_drift(struct player *player, const struct drift_config *config)
{
    player->config.drift = *config;
    player->drift.config = *config;
}

void player_set_device(struct player *player, const char *device, double remembered_ppm,
                       struct mono_time now)
{
    player_leave(player, now);
    output_set_device(player->output, device, remembered_ppm);
}

void player_device_changed(struct player *player)
{
    output_retry(player->output);
}

static bool past_end(const struct player *player, struct mono_time now)
{
    double length_s = player->voice ? voice_length_s(player->voice) : -1;
    return length_s >= 0 && !player_hears_next(player, now) &&
           player_wanted_at(player, now) >= length_s + END_SLACK_S;
}

static struct transport_facts gather_facts(const struct player *player, enum voice_result prepared,
                                           struct mono_time now)
{
    bool ready = player_output_is_ready(player);
    struct server_clock_estimate clock = server_clock_estimate(player->config.clock, now);
    return (struct transport_facts){
        .track = player->voice != NULL && player->has_timeline,
        .failed = prepared == VOICE_ERROR,
        .playing = player->timeline.playing,
        .past_end = clock.ready && past_end(player, now),
        .clock_ready = clock.ready,
        .output_ready = ready,
        .joined = player->joined || player_is_rejoining(player),
        .sounding = is_sounding(player, now),
    };
}

/* The device is held while something sounds or has just changed, and for a while after: a paused
 * speaker is ready to go on at once. */
static void keep_device(struct player *player, enum voice_result prepared,
                        enum transport_state state, struct mono_time now)
{
    if (state == TRANSPORT_LOADING || state == TRANSPORT_ARMED || state == TRANSPORT_PLAYING ||
        state == TRANSPORT_RECOVERING)
        player->active_at = now;
    bool cueing = player_wants_cues(player, now);
    if (cueing)
        player->active_at = now;
    bool idle = player->config.idle_release_ns > 0 &&
                mono_sub(now, player->active_at) > player->config.idle_release_ns;
    if (prepared == VOICE_OK && !idle)
        output_want(player->output, voice_rate_hz(player->voice));
    else if (cueing)
        output_want(player->output, CUE_RATE_HZ);
    else if (idle)
        output_release(player->output);
}

/* The bigger queue that it takes, on this board, not to run dry. */
static void feed_more(struct player *player, uint64_t xruns)
{
    if (xruns > player->xruns_seen && player->fixed_queue_ns < FIXED_QUEUE_MAX_NS)
        player->fixed_queue_ns *= 2;
    player->xruns_seen = xruns;
}

static void follow_output(struct player *player, struct mono_time now)
{
    output_look(player->output, now);
    unsigned generation = output_generation(player->output);
    if (generation == player->generation)
        return;
    player->generation = generation;
    player_outdate(player);
    player->outdated = false;
    feed_more(player, output_get_status(player->output).xruns);
}

static void say_failure(struct player *player, struct mono_time now)
{
    unsigned withheld;
    char others[NOTICES_WITHHELD_MAX];
    player->failure_said = true;
    if (!notices_pass(&player->failures, now, &withheld))
        return;
    notices_print_withheld(withheld, others);
    log_error("the current track cannot be played: %s%s", voice_error(player->voice), others);
}

static void follow_state(struct player *player, enum transport_state state, struct mono_time now)
{
    if (state == TRANSPORT_FAILED && !player->failure_said)
        say_failure(player, now);
    if (state == player->state)
        return;
    log_debug("player: %s -> %s", transport_name(player->state), transport_name(state));
    player->state = state;
    if (state == TRANSPORT_ENDED || state == TRANSPORT_FAILED) /* the others: when told */
        player_leave(player, now);
}

/* Opened while there is time: a track change need not wait for it. */
static void prime_next(struct player *player)
{
    if (player->state != TRANSPORT_LOADING && player->state != TRANSPORT_RECOVERING)
        player_turn_prime(player);
}

struct mono_time player_tick(struct player *player, struct mono_time now)
{
    player_note_tick(player, now);
    /* Rounds of one filling share a look: more of them would all meet the same phase of a coarse
     * pointer's steps. */
    if (!player->unfilled || !player_output_is_ready(player))
        follow_output(player, now);
    enum voice_result prepared = player->voice ? voice_prepare(player->voice) : VOICE_AGAIN;
    player->opening = player->voice && prepared == VOICE_AGAIN;
    struct transport_facts facts = gather_facts(player, prepared, now);
    enum transport_state state = transport_next(&facts);
    keep_device(player, prepared, state, now);
    follow_state(player, state, now);
    if (player_output_is_ready(player)) {
        bool apart = state == TRANSPORT_LOADING || player_is_rejoining(player);
        if (apart && facts.clock_ready && prepared == VOICE_OK)
            player_join(player, now);
        player_fill(player, now);
        player_queue_cues(player, now);
    }
    prime_next(player);
    return player_next_tick(player, now);
}

struct player_status player_get_status(const struct player *player, struct mono_time now)
{
    const struct voice *heard = player_hears_next(player, now) ? player->next : player->voice;
    struct player_status status = {
        .state = player->state,
        .rate_ppm = player->rate_ppm,
        .correction_ppm = drift_correction_ppm(&player->drift),
        .length_s = heard ? voice_length_s(heard) : -1,
        .cue_waits = player->chime_waits || player->click_waits,
        .cueing = player_wants_cues(player, now),
        .clicking = mono_sub(player->clicks_until, now) > 0,
        .seeks = player->seeks,
        .rendered_frames = player->rendered_frames,
        .track_error = player->voice ? voice_error(player->voice) : "",
        .output = output_get_status(player->output),
    };
    double wanted_s = player->has_timeline ? player_wanted_at(player, now) : 0;
    double heard_s;
    status.position_s = wanted_s;
    if (is_sounding(player, now) && output_position_at(player->output, now, &heard_s)) {
        status.position_s = heard_s;
        status.error_known = output_frame_at(player->output, now) >= (double)player->track_frame;
        status.error_s = status.error_known ? heard_s - wanted_s : 0;
    }
    return status;
}
