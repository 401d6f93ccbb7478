/*
 * player_cues.c: sounds over what is played: a chime as soon as it can be, and clicks that all rooms
 * sound at the same instants of the server's time.
 */
#include "player_internal.h"

static const int64_t CLICK_EVERY_NS = NS_PER_S / 2;
/* How long before it is played a click is queued: the clocks, and the latency, are those of then. */
static const int64_t CLICK_LEAD_NS = 250 * NS_PER_MS;
/* So many may be queued ahead of the first that still can be; more, and the clock was set back. */
static const int64_t CLICKS_AHEAD_MAX = 4;

void player_chime(struct player *player)
{
    player->chime_waits = true;
}

void player_hold_chime(struct player *player, bool hold)
{
    player->chime_held = hold;
}

void player_set_clicks(struct player *player, struct mono_time until, struct mono_time now)
{
    bool begin = mono_sub(player->clicks_until, now) <= 0 && mono_sub(until, now) > 0;
    player->clicks_until = until;
    player->click_waits = begin || (player->click_waits && mono_sub(until, now) > 0);
}

void player_end_cues(struct player *player)
{
    player->chime_waits = player->click_waits = false;
    player->clicks_until = (struct mono_time){0};
}

bool player_wants_cues(const struct player *player, struct mono_time now)
{
    return player->chime_waits || mono_sub(player->clicks_until, now) > 0 ||
           output_is_cueing(player->output, now);
}

static void queue_chime(struct player *player, struct mono_time now)
{
    if (!player->chime_waits || player->chime_held)
        return;
    player->chime_waits = !output_cue_soon(player->output, CUE_CHIME, now);
}

/* The first that can still be queued. */
static int64_t first_click(const struct player *player, struct mono_time now)
{
    double frame = (double)output_earliest_cut(player->output, now);
    struct server_time heard =
        server_clock_at(player->config.clock, output_time_of(player->output, frame));
    return heard.ns / CLICK_EVERY_NS + 1;
}

/* How far ahead clicks are queued: on a device that takes nothing back, behind what is queued. */
static struct mono_time click_horizon(const struct player *player, struct mono_time now)
{
    struct mono_time open = now;
    if (player_has_short_queue(player))
        open = output_time_played(player->output, (double)output_end(player->output));
    return mono_add(open, CLICK_LEAD_NS);
}

static void queue_clicks(struct player *player, struct mono_time now)
{
    struct mono_time horizon = click_horizon(player, now);
    int64_t first = first_click(player, now);
    if (player->next_click < first || player->next_click > first + CLICKS_AHEAD_MAX)
        player->next_click = first;
    for (;; player->next_click++) {
        struct server_time at = {player->next_click * CLICK_EVERY_NS};
        struct mono_time heard = server_clock_mono_at(player->config.clock, at);
        double frame = output_frame_at(player->output, heard);
        if (mono_sub(output_time_played(player->output, frame), horizon) > 0)
            return;
        if (output_cue_at(player->output, CUE_CLICK, frame, now))
            player->click_waits = false;
    }
}

void player_queue_cues(struct player *player, struct mono_time now)
{
    bool clicking = mono_sub(player->clicks_until, now) > 0;
    queue_chime(player, now);
    if (clicking && server_clock_estimate(player->config.clock, now).ready)
        queue_clicks(player, now);
}
