/*
 * player_facts.c: what the player's parts ask of what it knows.
 */
#include "player_internal.h"

bool player_hears_next(const struct player *player, struct mono_time heard_at)
{
    return player->turn.queued && player_output_is_ready(player) &&
           output_frame_at(player->output, heard_at) >= (double)player->turn.frame;
}

bool player_is_rejoining(const struct player *player)
{
    return !player->joined && player->rejoin_frame != INT64_MIN;
}

double player_wanted_at(const struct player *player, struct mono_time heard_at)
{
    const struct timeline *timeline =
        player_hears_next(player, heard_at) ? &player->turn.timeline : &player->timeline;
    return timeline_position_at(timeline, server_clock_at(player->config.clock, heard_at));
}

bool player_output_is_ready(const struct player *player)
{
    return output_get_status(player->output).state == OUTPUT_READY;
}

bool player_has_short_queue(const struct player *player)
{
    return !output_get_status(player->output).sink.can_rewind;
}

struct mono_time player_dry_at(const struct player *player)
{
    double end = (double)output_end(player->output);
    return mono_add(output_time_played(player->output, end), -PLAYER_DRY_NS);
}
