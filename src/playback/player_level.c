/*
 * player_level.c: how loud the current track and the next are played among others: their voices are told.
 */
#include "player_internal.h"

void player_level_voice(const struct player *player, struct voice *voice,
                        const struct loudness *told)
{
    if (voice)
        voice_set_loudness(voice, player->replaygain, told);
}

void player_set_loudness(struct player *player, enum replaygain mode,
                         const struct loudness *current, const struct loudness *next)
{
    player->replaygain = mode;
    player->loudness = *current;
    player->next_loudness = *next;
    player_level_voice(player, player->voice, current);
    player_level_voice(player, player->next, next);
}
