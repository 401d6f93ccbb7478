/*
 * player_next.c: what is told of the track after the current one, until it is the current one.
 */
#include "player_internal.h"

/* The end of the current track is right where it is queued; what was to follow it is not. */
static void take_back(struct player *player)
{
    if (player_turn_is_begun(player))
        player_outdate_from(player, player->turn.cut_frame);
    player_turn_undo(player);
}

void player_announce(struct player *player, const struct timeline *next)
{
    struct turn *turn = &player->turn;
    if (next ? turn->announced && timeline_equal(&turn->timeline, next, 0) : !turn->announced)
        return;
    take_back(player);
    turn->announced = next != NULL;
    if (next)
        turn->timeline = *next;
}

void player_set_next(struct player *player, int fd, int64_t bytes)
{
    take_back(player);
    voice_destroy(player->next);
    player->next =
        fd < 0 ? NULL
               : voice_create(player->config.voices, fd, bytes, bytes, player->config.quality);
    player->next_fd = fd;
    player_level_voice(player, player->next, &player->next_loudness);
}

void player_turn_forget(struct player *player)
{
    if (player_turn_is_begun(player))
        player_outdate(player);
    player->turn.announced = false;
}

bool player_turn_take(struct player *player, const struct timeline *timeline)
{
    struct turn *turn = &player->turn;
    struct voice *before = player->voice;
    if (!turn->queued || !timeline_equal(&turn->timeline, timeline, 0))
        return false;
    bool same_file = player->next_fd == player->voice_fd;
    player->voice = player->next;
    player->voice_fd = player->next_fd;
    player->next = same_file ? before : NULL; /* the same once more may follow */
    if (!same_file)
        voice_destroy(before);
    player->timeline = *timeline;
    player->track_frame = turn->frame;
    player->turned = true;
    player->failure_said = false;
    *turn = (struct turn){0};
    return true;
}
