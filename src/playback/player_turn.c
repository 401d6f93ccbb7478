/*
 * player_turn.c: at the end of a track the next one, without a gap.
 *
 * The next track's position 0 is where the current one's last frame ends, on one time scale: what
 * the card plays there is both, each filtered as if there were silence beyond its edge, and added.
 * Filters are linear, so of two tracks that were cut from one recording that is the recording, to
 * the last sample; and it holds for two rates as well. It takes both voices for the width of their
 * filters: the end of the current track (the tail) is rendered at once and kept, and what the next
 * one renders is added to it.
 *
 * Until the announced timeline is in force the current track is the old one, whatever is heard: of
 * what has been queued of the next one everything can be taken back.
 */
#include "player_internal.h"

#include <math.h>

/* Before and behind the turn both tracks are mixed: more than half a filter of the lowest rate
 * (audio/filter_bank), as far as the tail has room for it. */
static const double REACH_S = 6e-3;
#define REACH_FRAMES (PLAYER_SLICE_FRAMES / 2 - 8)
/* The length that the backend knows, and goes by, may differ from ours by so much: by less than
 * anybody hears, and more than it is rounded by (1 us). */
static const double LENGTH_SLACK_S = 1e-3;

static double reach_s(const struct player *player)
{
    return fmin(REACH_S, REACH_FRAMES / (double)output_rate_hz(player->output));
}

/* Where in the current track the next one begins; NAN: it is not the end of it. */
static double turn_position_s(const struct player *player)
{
    double length_s = player->voice ? voice_length_s(player->voice) : -1;
    double told_s = timeline_position_at(&player->timeline, player->turn.timeline.anchored_at);
    return length_s >= 0 && fabs(length_s - told_s) < LENGTH_SLACK_S ? length_s : NAN;
}

struct voice *player_queue_voice(const struct player *player)
{
    return player->turn.queued ? player->next : player->voice;
}

double player_queue_position_s(const struct player *player)
{
    const struct turn *turn = &player->turn;
    return turn->tail_wanted && !turn->queued ? turn->from_s
                                              : voice_position_s(player_queue_voice(player));
}

double player_turn_position_before(const struct player *player, double next_position_s)
{
    return player->turn.at_s + next_position_s - player->turn.timeline.position_s;
}

const struct timeline *player_queue_timeline(const struct player *player)
{
    return player->turn.queued ? &player->turn.timeline : &player->timeline;
}

void player_turn_undo(struct player *player)
{
    player->turn =
        (struct turn){.announced = player->turn.announced, .timeline = player->turn.timeline};
    player->tail_at = player->tail_count = 0;
}

bool player_turn_is_begun(const struct player *player)
{
    return player->turn.tail_wanted > 0;
}

void player_turn_prime(struct player *player)
{
    struct turn *turn = &player->turn;
    if (!player->next || turn->primed || voice_prepare(player->next) != VOICE_OK ||
        !turn->announced || !player_output_is_ready(player))
        return;
    turn->primed = voice_start(player->next, turn->timeline.position_s - reach_s(player),
                               output_rate_hz(player->output)) == VOICE_OK;
}

int64_t player_turn_frames_left(struct player *player)
{
    const struct turn *turn = &player->turn;
    double at_s = turn->announced && player->next ? turn_position_s(player) : NAN;
    if (turn->queued || isnan(at_s))
        return INT64_MAX;
    double left_s = at_s - reach_s(player) - player_queue_position_s(player);
    if (left_s < -reach_s(player) / 2) /* joined too late for it */
        return INT64_MAX;
    int64_t left = left_s > 0 ? (int64_t)(left_s / voice_step_s(player->voice)) : 0;
    if (left == 0)
        player_turn_prime(player);
    return left > 0 || turn->primed ? left : INT64_MAX;
}

/* All of it, though it may take several calls. */
static bool take_tail(struct player *player)
{
    struct turn *turn = &player->turn;
    if (!player_turn_is_begun(player)) {
        turn->at_s = turn_position_s(player);
        turn->from_s = voice_position_s(player->voice);
        turn->cut_frame = output_end(player->output);
        double wide_s = turn->at_s + reach_s(player) - turn->from_s;
        turn->tail_wanted = (size_t)ceil(wide_s / voice_step_s(player->voice));
        player->tail_at = player->tail_count = 0;
    }
    float *end = player->tail + player->tail_count * SINK_CHANNELS;
    player->tail_count += voice_render(player->voice, end, turn->tail_wanted - player->tail_count);
    return player->tail_count == turn->tail_wanted;
}

bool player_turn_begin(struct player *player)
{
    struct turn *turn = &player->turn;
    if (!take_tail(player))
        return false;
    double position_s = turn->timeline.position_s + turn->from_s - turn->at_s;
    if (voice_start(player->next, position_s, output_rate_hz(player->output)) != VOICE_OK)
        return false;
    voice_set_ppm(player->next, player->rate_ppm);
    double frames = ceil((turn->at_s - turn->from_s) / voice_step_s(player->voice));
    turn->frame = turn->cut_frame + (int64_t)frames;
    turn->queued = true;
    return true;
}

void player_turn_mix(struct player *player, float *frames, size_t count)
{
    size_t left = player->tail_count - player->tail_at;
    const float *tail = player->tail + player->tail_at * SINK_CHANNELS;
    if (count > left)
        count = left;
    for (size_t i = 0; i < count * SINK_CHANNELS; i++)
        frames[i] += tail[i];
    player->tail_at += count;
}
