/*
 * track_facts.c: what is known of the current track and the next one, by the backend or from their
 * files: shown to people, and how loud they are to the player.
 */
#include "daemon_internal.h"

static struct track_tags tags_of(const struct daemon *daemon, const struct playlist_item *item)
{
    const struct track_tags *tags = own_tags_of(daemon->own_tags, item);
    return tags ? *tags : track_tags_none();
}

struct track_tags daemon_current_tags(const struct daemon *daemon)
{
    return tags_of(daemon, session_current_item(daemon->session));
}

void daemon_level_tracks(struct daemon *daemon)
{
    const struct track_tags current = daemon_current_tags(daemon);
    const struct track_tags next = tags_of(daemon, session_next_item(daemon->session));
    player_set_loudness(daemon->player, (enum replaygain)daemon->settings->audio.replaygain,
                        &current.loudness, &next.loudness);
}

void daemon_know_tags(void *user)
{
    struct daemon *daemon = user;
    daemon_level_tracks(daemon);
    events_note(daemon, EVENTS_STATUS);
}
