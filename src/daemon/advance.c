/*
 * advance.c: a host that is told to goes on at the end of a track: to the next one, or to the
 * first, or it stops. Once per anchor.
 */
#include "daemon_internal.h"
#include "tutti/base/log.h"

/* A skip is stamped when the backend hears of it, 3 to 6 ms after it was sent, and heard 30 ms
 * after that (the player's lead). Sent so long before the end, it leaves no silence between the
 * tracks. */
static const double LEAD_S = 0.035;

static const struct mono_time NEVER = {INT64_MAX};

static void done(void *user, const struct link_result *result)
{
    (void)user;
    if (result->error[0])
        log_warn("auto_advance: %s", result->error);
}

static bool is_due_at_all(const struct daemon *daemon)
{
    const struct settings *settings = daemon->settings;
    return settings->backend.role == SETTINGS_HOST && settings->backend.auto_advance &&
           !daemon->stopping && !daemon->skip_sent && daemon->has_playback &&
           daemon->playback.playing && link_is_live(daemon->link);
}

/* By the decoder; only where there is none, because the track cannot be played here, by the
 * playlist. Negative: not known. */
static double length_s(const struct player_status *player, const struct playlist_item *item)
{
    if (player->length_s >= 0)
        return player->length_s;
    return player->state == TRANSPORT_FAILED && item->duration_s > 0 ? item->duration_s : -1;
}

static void go_on(struct daemon *daemon, const struct playlist_item *item, double end_s)
{
    bool last = !playlist_step(&daemon->playlist, item, 1);
    daemon->skip_sent = true;
    if (!last)
        link_command(daemon->link, "skip_next", NULL, -1, done, daemon);
    else if (daemon->settings->backend.repeat == SETTINGS_REPEAT_ALL)
        link_command(daemon->link, "play", daemon->playlist.items[0].track_id, 0, done, daemon);
    else
        link_command(daemon->link, "pause", item->track_id, end_s * 1e3, done, daemon);
}

struct mono_time daemon_advance(struct daemon *daemon, struct mono_time now)
{
    const struct playlist_item *item = daemon_current_item(daemon);
    if (!item || !is_due_at_all(daemon))
        return NEVER;
    struct player_status player = player_get_status(daemon->player, now);
    double end_s = length_s(&player, item);
    if (end_s < 0)
        return NEVER;
    double left_s = end_s - LEAD_S - player.position_s;
    if (left_s > 0)
        return mono_add(now, s_to_ns(left_s < 3600 ? left_s : 3600));
    go_on(daemon, item, end_s);
    return NEVER;
}
