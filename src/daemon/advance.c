/*
 * advance.c: a host that is told to goes on at the end of a track: to the next one, or to the
 * first, or it stops. core/advance says when and where.
 */
#include "daemon_internal.h"
#include "tutti/base/log.h"

#include <math.h>

static const struct mono_time NEVER = {INT64_MAX};

static void done(void *user, const struct link_result *result)
{
    struct daemon *daemon = user;
    if (!result->error[0])
        return;
    log_warn("auto_advance: %s", result->error);
    advance_failed(&daemon->advance, loop_now(daemon->loop));
}

static bool is_due_at_all(const struct daemon *daemon)
{
    const struct settings *settings = daemon->settings;
    return settings->backend.role == SETTINGS_HOST && settings->backend.auto_advance &&
           !daemon->stopping && daemon->has_playback && link_is_live(daemon->link);
}

/* By the decoder; only where there is none, because the track cannot be played here, by the
 * playlist. Negative: not known. */
static double length_s(const struct player_status *player, const struct playlist_item *item)
{
    if (player->length_s >= 0)
        return player->length_s;
    return player->state == TRANSPORT_FAILED && item->duration_s > 0 ? item->duration_s : -1;
}

static void say(struct daemon *daemon, const struct advance_order *order)
{
    link_command(daemon->link, order->playing ? "play" : "pause", order->track_id,
                 order->position_ms, done, daemon);
}

struct mono_time daemon_advance(struct daemon *daemon, struct mono_time now)
{
    const struct playlist_item *item = daemon_current_item(daemon);
    if (!item || !is_due_at_all(daemon))
        return NEVER;
    struct player_status player = player_get_status(daemon->player, now);
    struct advance_facts facts = {
        .playlist = &daemon->playlist,
        .playback = &daemon->playback,
        .position_s = player.position_s,
        .length_s = length_s(&player, item),
        .repeat_all = daemon->settings->backend.repeat == SETTINGS_REPEAT_ALL,
    };
    double left_s = advance_left_s(&daemon->advance, &facts, now);
    if (left_s > 0)
        return isinf(left_s) ? NEVER : mono_add(now, s_to_ns(fmin(left_s, 3600)));
    struct advance_order order = advance_say(&daemon->advance, &facts);
    say(daemon, &order);
    return NEVER;
}

void daemon_advance_heard(struct daemon *daemon, const struct playback_state *playback,
                          struct mono_time now)
{
    struct advance_order order;
    if (!advance_heard(&daemon->advance, playback, server_clock_at(&daemon->clock, now), &order))
        return;
    log_info("auto_advance: somebody chose otherwise just then; so be it");
    say(daemon, &order);
}
