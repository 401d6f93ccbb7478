/*
 * advance.c: a host that is told to goes on at the end of a track, or from one that cannot be
 * played: to the next one, or to the first, or it stops. core/advance says when and where.
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
           !daemon->stopping && daemon->session->has_playback && link_is_live(daemon->link);
}

/* What is wrong with this device, or with the clock, is not the track's fault: another speaker may
 * play it. */
static enum advance_trouble trouble_of(const struct daemon *daemon,
                                       const struct player_status *player)
{
    if (player->state == TRANSPORT_PLAYING || player->state == TRANSPORT_ARMED)
        return ADVANCE_FINE;
    if (player->state == TRANSPORT_FAILED || library_is_refused(daemon->library) ||
        session_item_problem(daemon->session)[0])
        return ADVANCE_UNPLAYABLE;
    return library_error(daemon->library)[0] ? ADVANCE_UNREACHABLE : ADVANCE_FINE;
}

static void say(struct daemon *daemon, const struct advance_order *order)
{
    link_command(daemon->link,
                 &(struct link_command){
                     .action = order->playing ? PLAYBACK_PLAY : PLAYBACK_PAUSE,
                     .track_id = order->track_id,
                     .position_ms = order->position_ms,
                     .item = playlist_find(&daemon->session->playlist, order->item_id),
                 },
                 done, daemon);
}

/* A backend that plays on by itself sees to the ends of tracks, where it knows them; not to the end
 * of a list that this speaker is to repeat and the backend is not: there it has told nothing that
 * follows. */
static bool is_left_to_backend(const struct daemon *daemon, const struct playlist_item *item)
{
    const struct session_settings *settings = &daemon->session->settings;
    bool repeats = daemon->settings->backend.repeat == SETTINGS_REPEAT_ALL;
    return daemon->session->has_settings && settings->advance && item->duration_s > 0 &&
           (!repeats || settings->repeat != REPEAT_OFF || daemon->session->has_next);
}

static void go_on(struct daemon *daemon, const struct advance_facts *facts,
                  const struct player_status *player)
{
    bool in_trouble = daemon->advance.in_trouble, gave_up;
    struct advance_order order = advance_say(&daemon->advance, facts, &gave_up);
    if (in_trouble)
        log_warn("auto_advance: %s cannot be played (%s): %s", facts->item->name,
                 daemon_track_problem(daemon, player),
                 gave_up         ? "nor can anything else on the playlist; stopping"
                 : order.playing ? "going on to the next"
                                 : "it is the last one; stopping");
    say(daemon, &order);
}

struct mono_time daemon_advance(struct daemon *daemon, struct mono_time now)
{
    const struct playlist_item *item = session_current_item(daemon->session);
    if (!item || !is_due_at_all(daemon))
        return NEVER;
    struct player_status player = player_get_status(daemon->player, now);
    struct advance_facts facts = {
        .playlist = &daemon->session->playlist,
        .item = item,
        .playback = &daemon->session->playback,
        .position_s = player.position_s,
        .length_s = is_left_to_backend(daemon, item) ? -1 : player.length_s,
        .repeat_all = daemon->settings->backend.repeat == SETTINGS_REPEAT_ALL,
        .sounding = player.state == TRANSPORT_PLAYING,
        .trouble = trouble_of(daemon, &player),
    };
    advance_watch(&daemon->advance, &facts, now);
    double left_s = advance_left_s(&daemon->advance, &facts, now);
    if (left_s > 0)
        return isinf(left_s) ? NEVER : mono_add(now, s_to_ns(fmin(left_s, 3600)));
    go_on(daemon, &facts, &player);
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
