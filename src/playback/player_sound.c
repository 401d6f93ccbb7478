/*
 * player_sound.c: join, correct, stop.
 *
 *   join     choose an instant a little ahead; what the timeline wants then is what the voice is
 *            started at; silence, or what sounded before, fills the queue up to that frame. Nothing
 *            of the new has been heard yet, so its first frame is exact, and needs no correction.
 *   correct  at every tick the error is taken at the end of the queue: the position that the next
 *            frame would sound, less the one wanted when that frame will be heard. drift turns it
 *            into a rate for the frames that are appended now.
 *   stop     cut the queue as close to the DAC as it allows, with a fade.
 */
#include "player_internal.h"
#include "tutti/base/log.h"

#include <math.h>

/* How much is queued while a track sounds: long enough for a busy board, short enough that a rate
 * is in effect soon. */
static const int64_t QUEUE_SOUND_NS = 500 * NS_PER_MS;
/* From the decision to the first frame: the cut, a seek in the file, the first slices. */
static const int64_t JOIN_LEAD_NS = 30 * NS_PER_MS;
/* After it ran dry, so much of the track is waited for before it is joined again: rather one pause
 * than a stutter. */
static const double RESERVE_S = 2;
/* A start that turns out to be so far off before it is heard is made again, so often at most. */
static const double RESTART_S = 2e-3;
static const unsigned RESTARTS_MAX = 3;

void player_outdate(struct player *player)
{
    player->outdated = player->outdated || player->joined;
    player->joined = player->out_of_bytes = false;
    player->rejoin_frame = INT64_MIN;
    player_turn_undo(player);
}

void player_outdate_from(struct player *player, int64_t frame)
{
    bool joined = player->joined;
    player_outdate(player);
    if (joined)
        player->rejoin_frame = frame;
}

void player_leave(struct player *player, struct mono_time now)
{
    player_outdate(player);
    if (player->outdated && player_output_is_ready(player))
        output_cut(player->output, output_earliest_cut(player->output, now), now);
    player->outdated = false;
}

/* Track time that the frame after the queue will be heard at, by the timeline. */
static double wanted_at_frame(const struct player *player, double frame)
{
    return player_wanted_at(player, output_time_of(player->output, frame));
}

/* ppm around nominal at which the wanted position passes, per card frame: card and server clock in
 * one figure. Taken over a second. */
static double feed_forward_ppm(const struct player *player, int64_t frame)
{
    double rate_hz = output_rate_hz(player->output);
    const struct timeline *timeline = player_queue_timeline(player);
    const struct server_clock *clock = player->config.clock;
    struct mono_time from = output_time_of(player->output, (double)frame);
    struct mono_time to = output_time_of(player->output, (double)frame + rate_hz);
    double from_s = timeline_position_at(timeline, server_clock_at(clock, from));
    double to_s = timeline_position_at(timeline, server_clock_at(clock, to));
    return factor_to_ppm(to_s - from_s);
}

/* The voice is ready to sound what is wanted when that frame is heard. */
static bool start_voice(struct player *player, int64_t frame)
{
    double position_s = wanted_at_frame(player, (double)frame);
    if (player->ran_dry && !voice_reaches(player->voice, position_s + RESERVE_S))
        return false;
    return voice_start(player->voice, position_s, output_rate_hz(player->output)) == VOICE_OK;
}

/* The frame that has to be there by then: it is played, or is heard, if that is before. */
static double frame_due_at(const struct player *player, struct mono_time at)
{
    return fmax(output_frame_played_at(player->output, at), output_frame_at(player->output, at));
}

static void join(struct player *player, struct mono_time now)
{
    struct output *output = player->output;
    int64_t join = (int64_t)ceil(frame_due_at(player, mono_add(now, JOIN_LEAD_NS)));
    bool again = player->rejoin_frame >= join; /* what is heard until then is of this track, too */
    if (again)
        join = player->rejoin_frame;
    else
        player->rejoin_frame = INT64_MIN;
    if (!start_voice(player, join))
        return;
    int64_t end = output_cut(output, join, now);
    player->outdated = false;
    if (end > join) { /* the device gave back less than hoped for */
        join = end;
        if (!start_voice(player, join))
            return;
    }
    player->rate_ppm = feed_forward_ppm(player, join);
    voice_set_ppm(player->voice, player->rate_ppm);
    drift_reset(&player->drift);
    output_append_silence(output, (size_t)(join - end));
    if (!again)
        player->join_frame = player->track_frame = join;
    player->rejoin_frame = INT64_MIN;
    player->joined = true;
    player->ran_dry = false;
    player->begin_with_fade = true;
    player_be_eager(player, now);
}

static void restart(struct player *player, struct mono_time now)
{
    player->restarts++;
    output_cut(player->output, player->join_frame, now); /* what sounds until then sounds on */
    player_turn_undo(player);
    player->joined = false;
    join(player, now);
}

void player_join(struct player *player, struct mono_time now)
{
    player->restarts = 0;
    join(player, now);
}

double player_queue_error_s(const struct player *player)
{
    if (!player->joined || !player_output_is_ready(player))
        return 0;
    struct mono_time at = output_time_of(player->output, (double)output_end(player->output));
    double wanted_s = timeline_position_at(player_queue_timeline(player),
                                           server_clock_at(player->config.clock, at));
    return player_queue_position_s(player) - wanted_s;
}

/*
 * The clock may have moved since the start was planned: the state that says "play" is itself what
 * tells the time best. What nobody has heard is not caught up with but started again, a few times:
 * a card that is not known yet may move by as much.
 */
static bool is_start_outdated(const struct player *player, struct mono_time now)
{
    bool begun = output_frame_played_at(player->output, now) >= (double)player->join_frame;
    return !begun && player->restarts < RESTARTS_MAX &&
           fabs(player_queue_error_s(player)) > RESTART_S;
}

/* The rate of what is appended next; false when the error calls for a jump. */
static bool correct(struct player *player, int64_t frames)
{
    int64_t end = output_end(player->output);
    double error_s = player_queue_error_s(player);
    double dt_s = (double)frames / output_rate_hz(player->output);
    struct output_status output = output_get_status(player->output);
    struct drift_quality quality = {output.steady_s, output.sigma_s};
    struct drift_decision decision =
        drift_step(&player->drift, error_s, feed_forward_ppm(player, end), &quality, dt_s);
    if (decision.action == DRIFT_JUMP)
        return false;
    voice_set_ppm(player_queue_voice(player), decision.rate_ppm);
    player->rate_ppm = decision.rate_ppm;
    return true;
}

static void append(struct player *player, const float *frames, size_t count, double position_s,
                   double step_s)
{
    output_append_sound(player->output, frames, count, position_s, step_s, player->begin_with_fade);
    if (count > 0)
        player->begin_with_fade = false;
}

/* A slice of the queue's voice. What of the next track comes before its beginning is the current
 * one's end. */
static size_t append_slice(struct player *player, size_t count)
{
    const struct turn *turn = &player->turn;
    struct voice *voice = player_queue_voice(player);
    double position_s = voice_position_s(voice), step_s = voice_step_s(voice);
    size_t done = voice_render(voice, player->slice, count);
    player_turn_mix(player, player->slice, done);
    int64_t early = turn->queued ? turn->frame - output_end(player->output) : 0;
    size_t before = early <= 0 ? 0 : early < (int64_t)done ? (size_t)early : done;
    append(player, player->slice, before, player_turn_position_before(player, position_s), step_s);
    append(player, player->slice + before * SINK_CHANNELS, done - before,
           position_s + (double)before * step_s, step_s);
    player->rendered_frames += done;
    return done;
}

/* Renders up to `frames`, in slices. False when the track has no more to give now. */
static bool append_sound(struct player *player, int64_t frames)
{
    while (frames > 0) {
        int64_t left = player_turn_frames_left(player);
        if (left == 0) {
            if (!player_turn_begin(player))
                return false;
            continue;
        }
        int64_t most = left < frames ? left : frames;
        size_t count = most < PLAYER_SLICE_FRAMES ? (size_t)most : PLAYER_SLICE_FRAMES;
        size_t done = append_slice(player, count);
        frames -= (int64_t)done;
        if (done < count)
            return false;
    }
    return true;
}

static int64_t sound_queue_ns(const struct player *player)
{
    bool fixed = player_has_short_queue(player) && player->fixed_queue_ns < QUEUE_SOUND_NS;
    return fixed ? player->fixed_queue_ns : QUEUE_SOUND_NS;
}

static int64_t frames_short_of(const struct player *player, int64_t queue_ns, struct mono_time now)
{
    double full = frame_due_at(player, mono_add(now, queue_ns));
    int64_t missing = (int64_t)full - output_end(player->output);
    int64_t space = (int64_t)output_space(player->output, now);
    return missing < space ? missing : space;
}

static void jump(struct player *player, struct mono_time now)
{
    player->seeks++;
    log_info("drift beyond %.0f ms: seeking to the timeline", player->config.drift.jump_s * 1e3);
    player_outdate(player);
    player_join(player, now);
}

/* Out of bytes: what is queued still sounds, and may be gone on with. At its end the wait goes on
 * in silence. */
static void run_out(struct player *player, struct mono_time now)
{
    int64_t end = output_end(player->output);
    player->out_of_bytes = true;
    if ((double)end > output_frame_played_at(player->output, mono_add(now, PLAYER_DRY_NS)))
        return;
    log_warn("the %s is slower than the music: waiting in silence",
             voice_wants_time(player_queue_voice(player)) ? "decoder" : "download");
    output_cut(player->output, end, now);
    player_outdate(player);
    player->outdated = false;
    player->ran_dry = true;
}

/* As many of the frames that are missing as one round may make; the rest is for the next. */
static int64_t share_of_round(struct player *player, int64_t missing, int64_t most)
{
    player->unfilled = missing > most;
    return missing < most ? missing : most;
}

static void fill_sound(struct player *player, struct mono_time now)
{
    int64_t missing = frames_short_of(player, sound_queue_ns(player), now);
    bool first = player->begin_with_fade;
    if (!first && is_start_outdated(player, now)) {
        restart(player, now);
        return;
    }
    if (missing <= 0)
        return;
    int64_t frames = share_of_round(player, missing, PLAYER_ROUND_FRAMES);
    if (!first && !correct(player, frames)) {
        jump(player, now);
    } else if (append_sound(player, frames)) {
        player->out_of_bytes = false;
    } else {
        player->unfilled = false;
        run_out(player, now);
    }
}

/* Silence is queued as deep as the device allows: the board may sleep. */
static void fill_silence(struct player *player, struct mono_time now)
{
    if (player->outdated)
        player_leave(player, now);
    int64_t frames = player_has_short_queue(player)
                         ? frames_short_of(player, player->fixed_queue_ns, now)
                         : (int64_t)output_space(player->output, now);
    if (frames > 0)
        output_append_silence(player->output,
                              (size_t)share_of_round(player, frames, PLAYER_SILENT_ROUND_FRAMES));
}

void player_fill(struct player *player, struct mono_time now)
{
    player->unfilled = false;
    if (player->joined)
        fill_sound(player, now);
    if (player->joined && player->begin_with_fade) /* a jump, just now */
        fill_sound(player, now);
    if (!player->joined && !player_is_rejoining(player))
        fill_silence(player, now);
}
