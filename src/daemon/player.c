/*
 * player.c: join, correct, stop.
 *
 *   join     choose an instant a little ahead; what the timeline wants then is what the voice is
 *            started at; silence fills the queue up to that frame. Nothing has been heard yet, so
 *            the first frame is exact, and needs no correction.
 *   correct  at every tick the error is taken at the end of the queue: the position that the next
 *            frame would sound, less the one wanted when that frame will be heard. drift turns it
 *            into a rate for the frames that are appended now.
 *   stop     cut the queue as close to the DAC as it allows, with a fade.
 */
#include "tutti/daemon/player.h"

#include "tutti/base/log.h"
#include "tutti/daemon/voice.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* How much is queued while a track sounds: long enough for a busy board, short enough that a rate
 * is in effect soon. */
static const int64_t QUEUE_SOUND_NS = 500 * NS_PER_MS;
/* Silence is queued as deep as the device allows: the board may sleep. Where the device cannot take
 * frames back, what is queued delays the next start. */
static const int64_t QUEUE_FIXED_NS = 120 * NS_PER_MS;
/* From the decision to the first frame: the cut, a seek in the file, the first slices. */
static const int64_t JOIN_LEAD_NS = 30 * NS_PER_MS;
/* Between two ticks while sounding: 6 to 8 wake-ups a second. The interval walks through a range by
 * the golden ratio, so that looks at a coarse pointer fall at all phases of its steps. */
static const int64_t TICK_NS = 120 * NS_PER_MS;
static const int64_t TICK_RANGE_NS = 40 * NS_PER_MS;
static const double GOLDEN = 0.6180339887498949;
/* The first seconds after a start: more looks, so that the card's rate is known soon. */
static const int64_t EAGER_NS = 3 * NS_PER_S;
static const int64_t EAGER_TICK_NS = 25 * NS_PER_MS;
static const int64_t EAGER_RANGE_NS = 30 * NS_PER_MS;
/* A pointer that moves in steps larger than this wants as many looks all the time. */
static const double COARSE_S = 1.5e-3;
/* In silence: an idle board is to sleep. */
static const int64_t IDLE_TICK_NS = 5 * NS_PER_S;
static const int64_t SILENT_TICK_MIN_NS = 2 * NS_PER_MS;
/* A decoder that searches in slices, or bytes that are still arriving. */
static const int64_t POLL_TIME_NS = 2 * NS_PER_MS;
static const int64_t POLL_BYTES_NS = 50 * NS_PER_MS;
/* Frames rendered at a time: 10 ms of work at most, even on a small board. */
#define SLICE_FRAMES 1024
#define FIRST_FILL_SLICES 6
/* A timeline that differs less than this from the one in force is the same, told again. */
static const double SAME_TIMELINE_S = 50e-6;
/* Shorter corrections at the end of a track than this are not worth a stop. */
static const double END_SLACK_S = 0.05;

struct player {
    struct player_config config;
    struct output *output;
    struct voice *voice;
    struct timeline timeline;
    bool has_timeline;
    struct drift drift;
    enum transport_state state;

    bool joined;          /* the voice's frames are being queued */
    bool begin_with_fade; /* the next slice is the first */
    int64_t join_frame;   /* of the card */
    unsigned generation;  /* of the output, when it was joined or last filled */
    double rate_ppm;
    uint64_t seeks;

    struct mono_time eager_until;
    struct mono_time active_at; /* something sounded, or changed */
    double tick_phase;
    float slice[SLICE_FRAMES * SINK_CHANNELS];
};

struct player *player_create(const struct player_config *config)
{
    struct player *player = calloc(1, sizeof *player);
    if (!player)
        return NULL;
    player->config = *config;
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
    output_destroy(player->output);
    free(player);
}

/* What the timeline wants to be heard at an instant. */
static double wanted_at(const struct player *player, struct mono_time heard_at)
{
    return timeline_position_at(&player->timeline, server_clock_at(player->config.clock, heard_at));
}

static bool output_is_ready(const struct player *player)
{
    return output_get_status(player->output).state == OUTPUT_READY;
}

/* The first frame of the track has been reached; before it, an earlier one may still be heard. */
static bool is_sounding(const struct player *player, struct mono_time now)
{
    return player->joined && output_is_ready(player) &&
           output_frame_at(player->output, now) >= (double)player->join_frame;
}

/* Silence as soon as the device allows; the voice is free for another start. */
static void leave(struct player *player, struct mono_time now)
{
    if (player->joined && output_is_ready(player))
        output_cut(player->output, output_earliest_cut(player->output, now), now);
    player->joined = false;
}

void player_set_track(struct player *player, int fd, int64_t available_bytes, int64_t total_bytes,
                      struct mono_time now)
{
    leave(player, now);
    player->active_at = now;
    voice_destroy(player->voice);
    player->voice = fd < 0 ? NULL : voice_create(fd, available_bytes, total_bytes);
}

void player_track_grew(struct player *player, int64_t available_bytes, bool complete)
{
    if (player->voice)
        voice_set_available(player->voice, available_bytes, complete);
}

void player_set_timeline(struct player *player, const struct timeline *timeline,
                         struct mono_time now)
{
    if (player->has_timeline && timeline_equal(&player->timeline, timeline, SAME_TIMELINE_S))
        return;
    player->has_timeline = true;
    player->timeline = *timeline;
    player->active_at = now;
    if (!player->joined)
        return;
    double error_s = player_get_status(player, now).error_s;
    if (!timeline->playing || fabs(error_s) > player->config.drift.jump_s)
        leave(player, now);
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
    leave(player, now);
    output_set_device(player->output, device, remembered_ppm);
}

void player_device_changed(struct player *player)
{
    output_retry(player->output);
}

/* Track time that the frame after the queue will be heard at, by the timeline. */
static double wanted_at_frame(const struct player *player, double frame)
{
    return wanted_at(player, output_time_of(player->output, frame));
}

/* ppm around nominal at which the wanted position passes, per card frame: card and server clock in
 * one figure. Taken over a second. */
static double feed_forward_ppm(const struct player *player, int64_t frame)
{
    double rate_hz = output_rate_hz(player->output);
    double from_s = wanted_at_frame(player, (double)frame);
    double to_s = wanted_at_frame(player, (double)frame + rate_hz);
    return factor_to_ppm(to_s - from_s);
}

static bool past_end(const struct player *player, struct mono_time now)
{
    double length_s = player->voice ? voice_length_s(player->voice) : -1;
    return length_s >= 0 && wanted_at(player, now) >= length_s + END_SLACK_S;
}

/* The voice is ready to sound what is wanted when that frame is heard. */
static bool start_voice(struct player *player, int64_t frame)
{
    return voice_start(player->voice, wanted_at_frame(player, (double)frame),
                       output_rate_hz(player->output)) == VOICE_OK;
}

static void begin_join(struct player *player, struct mono_time now)
{
    struct output *output = player->output;
    int64_t join = (int64_t)ceil(output_frame_at(output, mono_add(now, JOIN_LEAD_NS)));
    if (!start_voice(player, join))
        return;
    int64_t silent = output_cut(output, output_earliest_cut(output, now), now);
    if (silent > join) { /* the device gave back less than hoped for */
        join = silent;
        if (!start_voice(player, join))
            return;
    }
    player->rate_ppm = feed_forward_ppm(player, join);
    voice_set_ppm(player->voice, player->rate_ppm);
    drift_reset(&player->drift);
    if (join > silent)
        output_append_silence(output, (size_t)(join - silent));
    player->join_frame = join;
    player->joined = true;
    player->begin_with_fade = true;
    player->eager_until = mono_add(now, EAGER_NS);
}

/* The rate of what is appended next; false when the error calls for a jump. */
static bool correct(struct player *player, int64_t frames)
{
    int64_t end = output_end(player->output);
    double error_s = voice_position_s(player->voice) - wanted_at_frame(player, (double)end);
    double dt_s = (double)frames / output_rate_hz(player->output);
    struct output_status output = output_get_status(player->output);
    struct drift_quality quality = {output.steady_s, output.sigma_s};
    struct drift_decision decision =
        drift_step(&player->drift, error_s, feed_forward_ppm(player, end), &quality, dt_s);
    if (decision.action == DRIFT_JUMP)
        return false;
    voice_set_ppm(player->voice, decision.rate_ppm);
    player->rate_ppm = decision.rate_ppm;
    return true;
}

/* Renders up to `frames`, in slices. False when the track has no more to give now. */
static bool append_sound(struct player *player, int64_t frames, int slices)
{
    while (frames > 0 && slices-- > 0) {
        double position_s = voice_position_s(player->voice);
        double step_s = voice_step_s(player->voice);
        size_t count = frames < SLICE_FRAMES ? (size_t)frames : SLICE_FRAMES;
        size_t done = voice_render(player->voice, player->slice, count);
        if (done == 0)
            return false;
        output_append_sound(player->output, player->slice, done, position_s, step_s,
                            player->begin_with_fade);
        player->begin_with_fade = false;
        frames -= (int64_t)done;
        if (done < count)
            return false;
    }
    return true;
}

static int64_t frames_short_of(const struct player *player, int64_t queue_ns, struct mono_time now)
{
    double full = output_frame_at(player->output, mono_add(now, queue_ns));
    int64_t missing = (int64_t)full - output_end(player->output);
    int64_t space = (int64_t)output_space(player->output, now);
    return missing < space ? missing : space;
}

/* Keeps the queue full of the track. Returns false when it had to give up its place. */
static bool fill_sound(struct player *player, struct mono_time now)
{
    int64_t frames = frames_short_of(player, QUEUE_SOUND_NS, now);
    if (frames <= 0)
        return true;
    bool first = player->begin_with_fade;
    if (!first && !correct(player, frames)) {
        player->seeks++;
        log_info("drift beyond %.0f ms: seeking to the timeline",
                 player->config.drift.jump_s * 1e3);
        leave(player, now);
        return false;
    }
    if (append_sound(player, frames, first ? FIRST_FILL_SLICES : INT32_MAX))
        return true;
    /* Out of bytes: what is queued still sounds. Once it has, the wait goes on in silence. */
    if (output_end(player->output) <= output_earliest_cut(player->output, now)) {
        log_warn("the download is slower than the music: waiting in silence");
        player->joined = false;
        return false;
    }
    return true;
}

static void fill_silence(struct player *player, struct mono_time now)
{
    bool deep = output_get_status(player->output).sink.can_rewind;
    int64_t frames = deep ? (int64_t)output_space(player->output, now)
                          : frames_short_of(player, QUEUE_FIXED_NS, now);
    if (frames > 0)
        output_append_silence(player->output, (size_t)frames);
}

static struct transport_facts gather_facts(const struct player *player, struct mono_time now)
{
    bool ready = output_is_ready(player);
    enum voice_result prepared = player->voice ? voice_prepare(player->voice) : VOICE_AGAIN;
    struct server_clock_estimate clock = server_clock_estimate(player->config.clock, now);
    return (struct transport_facts){
        .track = player->voice != NULL && player->has_timeline,
        .failed = prepared == VOICE_ERROR,
        .playing = player->timeline.playing,
        .past_end = clock.settled && past_end(player, now),
        .clock_settled = clock.settled,
        .output_ready = ready,
        .joined = player->joined,
        .sounding = is_sounding(player, now),
    };
}

/* The device is held while something sounds or has just changed, and for a while after: a paused
 * speaker is ready to go on at once. */
static void keep_device(struct player *player, enum transport_state state, struct mono_time now)
{
    if (state == TRANSPORT_LOADING || state == TRANSPORT_ARMED || state == TRANSPORT_PLAYING ||
        state == TRANSPORT_RECOVERING)
        player->active_at = now;
    bool idle = player->config.idle_release_ns > 0 &&
                mono_sub(now, player->active_at) > player->config.idle_release_ns;
    bool prepared = player->voice && voice_prepare(player->voice) == VOICE_OK;
    if (prepared && !idle)
        output_want(player->output, voice_rate_hz(player->voice));
    else if (idle)
        output_release(player->output);
}

static void follow_output(struct player *player, struct mono_time now)
{
    output_look(player->output, now);
    unsigned generation = output_generation(player->output);
    if (generation == player->generation)
        return;
    player->generation = generation;
    player->joined = false;
}

static void follow_state(struct player *player, enum transport_state state, struct mono_time now)
{
    if (state == player->state)
        return;
    log_debug("player: %s -> %s", transport_name(player->state), transport_name(state));
    if (state == TRANSPORT_FAILED)
        log_error("the current track cannot be played: %s", voice_error(player->voice));
    player->state = state;
    if (player->joined && (state == TRANSPORT_PAUSED || state == TRANSPORT_ENDED ||
                           state == TRANSPORT_IDLE || state == TRANSPORT_FAILED))
        leave(player, now);
}

static struct mono_time earlier(struct mono_time a, struct mono_time b)
{
    return mono_sub(a, b) < 0 ? a : b;
}

static struct mono_time next_sound_tick(struct player *player, struct mono_time now)
{
    bool eager = mono_sub(player->eager_until, now) > 0 ||
                 output_get_status(player->output).staleness_s > COARSE_S;
    double range_ns = (double)(eager ? EAGER_RANGE_NS : TICK_RANGE_NS);
    player->tick_phase = fmod(player->tick_phase + GOLDEN, 1);
    return mono_add(now,
                    (eager ? EAGER_TICK_NS : TICK_NS) + (int64_t)(player->tick_phase * range_ns));
}

/* Most of what is queued may pass before the next look at a silent device. */
static struct mono_time next_silent_tick(const struct player *player, struct mono_time now)
{
    struct output_status status = output_get_status(player->output);
    if (status.state == OUTPUT_CLOSED)
        return mono_add(now, IDLE_TICK_NS);
    int64_t wait_ns = status.queued_ns * 3 / 4;
    return mono_add(now, wait_ns > SILENT_TICK_MIN_NS ? wait_ns : SILENT_TICK_MIN_NS);
}

static struct mono_time next_tick(struct player *player, struct mono_time now)
{
    struct mono_time next =
        player->joined ? next_sound_tick(player, now) : next_silent_tick(player, now);
    if (player->state == TRANSPORT_LOADING && player->voice)
        next = earlier(
            next, mono_add(now, voice_wants_time(player->voice) ? POLL_TIME_NS : POLL_BYTES_NS));
    return earlier(next, output_next_look(player->output));
}

struct mono_time player_tick(struct player *player, struct mono_time now)
{
    follow_output(player, now);
    struct transport_facts facts = gather_facts(player, now);
    enum transport_state state = transport_next(&facts);
    keep_device(player, state, now);
    follow_state(player, state, now);
    if (!output_is_ready(player))
        return next_tick(player, now);
    if (state == TRANSPORT_LOADING && facts.clock_settled)
        begin_join(player, now);
    if (player->joined)
        fill_sound(player, now);
    if (!player->joined)
        fill_silence(player, now);
    return next_tick(player, now);
}

struct player_status player_get_status(const struct player *player, struct mono_time now)
{
    struct player_status status = {
        .state = player->state,
        .rate_ppm = player->rate_ppm,
        .correction_ppm = drift_correction_ppm(&player->drift),
        .length_s = player->voice ? voice_length_s(player->voice) : -1,
        .seeks = player->seeks,
        .track_error = player->voice ? voice_error(player->voice) : "",
        .output = output_get_status(player->output),
    };
    double wanted_s = player->has_timeline ? wanted_at(player, now) : 0;
    double heard_s;
    status.position_s = wanted_s;
    if (is_sounding(player, now) && output_position_at(player->output, now, &heard_s)) {
        status.position_s = heard_s;
        status.error_known = true;
        status.error_s = heard_s - wanted_s;
    }
    return status;
}
