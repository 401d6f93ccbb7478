/*
 * player_pace.c: when the player wants to be called again: as rarely as the queue allows, and as
 * often as the card's clock needs; at once, where a round had to leave off.
 */
#include "player_internal.h"
#include "tutti/core/golden_walk.h"

/* Between two ticks while sounding: 6 to 8 wake-ups a second. The interval walks through a range by
 * the golden ratio, so that looks at a coarse pointer fall at all phases of its steps. */
static const int64_t TICK_NS = 120 * NS_PER_MS;
static const int64_t TICK_RANGE_NS = 40 * NS_PER_MS;
/* The first seconds after a start: more looks, so that the card's rate is known soon. */
static const int64_t EAGER_NS = 3 * NS_PER_S;
static const int64_t EAGER_TICK_NS = 25 * NS_PER_MS;
static const int64_t EAGER_RANGE_NS = 30 * NS_PER_MS;
/* A card whose position is less certain than this wants as many looks all the time. */
static const double UNSURE_S = 10e-6;
/* The first seconds of an open card are looked at as often even in silence: its rate may be another
 * than is remembered, and a start after a minute of rare looks would be off by that. */
static const double KNOWN_S = 4;
/* Before a start is heard: time enough to take it back. */
static const int64_t LAST_CALL_NS = 12 * NS_PER_MS;
/* In silence: an idle board is to sleep. */
static const int64_t IDLE_TICK_NS = 5 * NS_PER_S;
static const int64_t SILENT_TICK_MIN_NS = 2 * NS_PER_MS;
/* A tick that comes later than this was held up by something; the others tell what is usual here. */
static const int64_t LATE_MAX_NS = NS_PER_MS;
static const int64_t LATE_TICKS = 16; /* of which the usual is taken */
/* A decoder that searches in slices, or bytes that are still arriving. */
static const int64_t POLL_TIME_NS = NS_PER_MS;
static const int64_t POLL_BYTES_NS = 50 * NS_PER_MS;
/* A cue that waits for the device, or for an amplifier. */
static const int64_t POLL_CUE_NS = 20 * NS_PER_MS;

void player_be_eager(struct player *player, struct mono_time now)
{
    player->eager_until = mono_add(now, EAGER_NS);
}

static struct mono_time earlier(struct mono_time a, struct mono_time b)
{
    return mono_sub(a, b) < 0 ? a : b;
}

static struct mono_time later(struct mono_time a, struct mono_time b)
{
    return mono_sub(a, b) < 0 ? b : a;
}

void player_note_tick(struct player *player, struct mono_time now)
{
    int64_t late_ns = mono_sub(now, player->due);
    if (late_ns >= 0 && late_ns < LATE_MAX_NS)
        player->late_ns += (late_ns - player->late_ns) / LATE_TICKS;
}

/* So that the look itself, not what it is asked for, falls where a coarse pointer tells the most. A
 * process that is always let run a little late would see each step a little late, take that for the
 * truth, and look later yet. */
static struct mono_time aim(const struct player *player, struct mono_time at)
{
    return mono_add(output_aim(player->output, at), -player->late_ns);
}

static struct mono_time next_look(struct player *player, bool eager, struct mono_time now)
{
    int64_t least_ns = eager ? EAGER_TICK_NS : TICK_NS;
    int64_t range_ns = eager ? EAGER_RANGE_NS : TICK_RANGE_NS;
    if (player_has_short_queue(player) && player->fixed_queue_ns / 2 < least_ns + range_ns)
        least_ns = range_ns = player->fixed_queue_ns / 4;
    player->tick_phase = golden_walk(player->tick_phase);
    int64_t wait_ns = least_ns + (int64_t)(player->tick_phase * (double)range_ns);
    return aim(player, mono_add(now, wait_ns));
}

static struct mono_time next_sound_tick(struct player *player, struct mono_time now)
{
    bool eager = mono_sub(player->eager_until, now) > 0 ||
                 output_get_status(player->output).sigma_s > UNSURE_S;
    return next_look(player, eager, now);
}

/* Most of what is queued may pass before the next look at a silent device. */
static struct mono_time next_silent_tick(struct player *player, struct mono_time now)
{
    struct output_status status = output_get_status(player->output);
    if (status.state == OUTPUT_CLOSED)
        return mono_add(now, IDLE_TICK_NS);
    if (status.state == OUTPUT_READY && status.steady_s < KNOWN_S)
        return next_look(player, true, now);
    int64_t wait_ns = status.queued_ns * 3 / 4;
    if (wait_ns < SILENT_TICK_MIN_NS)
        wait_ns = SILENT_TICK_MIN_NS;
    struct mono_time latest = mono_add(now, status.queued_ns * 7 / 8);
    return earlier(aim(player, mono_add(now, wait_ns)), latest);
}

/* A last look at a start while nobody has heard it, and it may still be made again. */
static struct mono_time last_call(const struct player *player)
{
    struct mono_time begins = output_time_played(player->output, (double)player->join_frame);
    return mono_add(begins, -LAST_CALL_NS);
}

static struct mono_time next_tick(struct player *player, struct mono_time now)
{
    if (player->unfilled && player_output_is_ready(player))
        return now;
    bool sounds = player->joined || player_wants_cues(player, now);
    struct mono_time next = sounds ? next_sound_tick(player, now) : next_silent_tick(player, now);
    if (player->joined && mono_sub(last_call(player), now) > 0)
        next = earlier(next, last_call(player));
    bool wants_time = player->voice && voice_wants_time(player->voice);
    if (player->chime_waits || player->click_waits)
        next = earlier(next, mono_add(now, POLL_CUE_NS));
    if (player->state == TRANSPORT_LOADING && player->voice)
        next = earlier(next, mono_add(now, wants_time ? POLL_TIME_NS : POLL_BYTES_NS));
    if (player->opening && wants_time) /* in whatever state: the device waits for its rate */
        next = earlier(next, mono_add(now, POLL_TIME_NS));
    if (player->out_of_bytes)
        next = earlier(next, later(player_dry_at(player), mono_add(now, POLL_TIME_NS)));
    return earlier(next, output_next_look(player->output));
}

struct mono_time player_next_tick(struct player *player, struct mono_time now)
{
    player->due = next_tick(player, now);
    return player->due;
}
