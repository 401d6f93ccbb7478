/*
 * daemon.c: wiring. What the link hears goes to library and player, and what must survive a restart
 * to the state file. The daemon's life, from set-up to goodbye, is in daemon_run.c.
 */
#include "tutti/daemon/daemon.h"

#include "daemon_internal.h"
#include "finder.h"
#include "tutti/base/log.h"
#include "tutti/core/web_url.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void note_player(struct daemon *daemon, const struct player_status *player)
{
    struct events *events = &daemon->events;
    if (player->state == events->state && player->output.state == events->output)
        return;
    events->state = player->state;
    events->output = player->output.state;
    events_note(daemon, EVENTS_STATUS);
}

/* A silent player may be called early, when something else has woken the board, and lets the
 * backend's clock rest; one that sounds looks at its card at intervals of its own. */
static void set_tick(struct daemon *daemon, const struct player_status *player,
                     struct mono_time now, struct mono_time next)
{
    bool silent = player->state == TRANSPORT_IDLE || player->state == TRANSPORT_PAUSED ||
                  player->state == TRANSPORT_ENDED;
    bool calm = silent && !player->cueing && player->output.state != OUTPUT_ACQUIRING;
    server_clock_rest(&daemon->clock, calm);
    daemon_group_rest(daemon, calm, now);
    int64_t early_ns = calm ? mono_sub(next, now) / 2 : 0;
    loop_timer_set_between(daemon->tick, mono_add(next, -early_ns), next);
}

/* The card's volume is set as soon as it is open, before anything sounds. */
void daemon_tick(struct daemon *daemon, struct mono_time now)
{
    struct mono_time next = player_tick(daemon->player, now);
    struct player_status player = player_get_status(daemon->player, now);
    const struct output_status *output = &player.output;
    if (volume_follow(daemon->volume_setter, output->state != OUTPUT_CLOSED, output->sink.card))
        daemon_apply_volume(daemon, now);
    amplifier_follow(daemon->amplifier, &player);
    daemon_cues_follow(daemon, &player, now);
    note_player(daemon, &player);
    daemon_report_look(daemon, &player, now);
    struct mono_time end = daemon_advance(daemon, now);
    set_tick(daemon, &player, now, mono_sub(end, next) < 0 ? end : next);
}

/* --- playlist and tracks ------------------------------------------------------------------- */

/* When a state is told: a list alone may be ahead of the state that goes with it. */
static void say_item_problem(struct daemon *daemon)
{
    const char *problem = session_item_problem(daemon->session);
    const char *track_id = problem[0] ? daemon->session->playback.track_id : "";
    unsigned withheld;
    char others[NOTICES_WITHHELD_MAX];
    if (strcmp(daemon->item_problem_of, track_id) == 0)
        return;
    snprintf(daemon->item_problem_of, sizeof daemon->item_problem_of, "%s", track_id);
    if (!problem[0] || !notices_pass(&daemon->item_problems, loop_now(daemon->loop), &withheld))
        return;
    notices_print_withheld(withheld, others);
    log_warn("track %s: %s%s", track_id, problem, others);
}

static void item_url(const struct daemon *daemon, const struct playlist_item *item,
                     char url[PROTOCOL_URL_MAX])
{
    const char *problem;
    url[0] = '\0';
    if (item && !web_url_resolve(daemon->settings->backend.url, item->media_url, url,
                                 PROTOCOL_URL_MAX, &problem))
        snprintf(url, PROTOCOL_URL_MAX, "%s", item->media_url); /* to be refused by its name */
}

/* The current track, the next, the one before in the playlist. */
static void plan_tracks(struct daemon *daemon)
{
    char urls[LIBRARY_WANTED][PROTOCOL_URL_MAX];
    const char *wanted[LIBRARY_WANTED];
    const struct playlist_item *current = session_current_item(daemon->session);
    const struct playlist_item *items[LIBRARY_WANTED] = {
        current,
        session_next_item(daemon->session),
        current ? playlist_step(&daemon->session->playlist, current, -1) : NULL,
    };
    for (int i = 0; i < LIBRARY_WANTED; i++) {
        item_url(daemon, items[i], urls[i]);
        wanted[i] = urls[i];
    }
    daemon_level_tracks(daemon);
    library_set_wanted(daemon->library, wanted);
}

static void on_file(void *user, int fd, int64_t available_bytes, int64_t total_bytes)
{
    struct daemon *daemon = user;
    struct mono_time now = loop_now(daemon->loop);
    player_set_track(daemon->player, fd, available_bytes, total_bytes, now);
    daemon->current_fd = fd;
    if (available_bytes == total_bytes)
        own_tags_read(daemon->own_tags, session_current_item(daemon->session), fd);
    if (fd >= 0) /* else whoever planned anew ticks, with the track that follows */
        daemon_tick(daemon, now);
}

static void on_next(void *user, int fd, int64_t bytes)
{
    struct daemon *daemon = user;
    player_set_next(daemon->player, fd, bytes);
    own_tags_read(daemon->own_tags, session_next_item(daemon->session), fd);
}

static void on_growth(void *user, int64_t available_bytes, bool complete)
{
    struct daemon *daemon = user;
    player_track_grew(daemon->player, available_bytes, complete);
    if (!complete)
        return;
    own_tags_read(daemon->own_tags, session_current_item(daemon->session), daemon->current_fd);
    daemon_tick(daemon, loop_now(daemon->loop));
}

/* Called also in the middle of planning: what follows from it waits for a tick of its own. */
static void on_track_problem(void *user)
{
    struct daemon *daemon = user;
    events_note(daemon, EVENTS_STATUS);
    loop_timer_set_in(daemon->tick, 0);
}

/* --- what the backend says ----------------------------------------------------------------- */

static void on_stamp(void *user, struct server_time updated_at, struct mono_time arrived)
{
    daemon_group_heard(user, updated_at, &arrived);
}

static struct timeline timeline_of(const struct playback_state *playback)
{
    return (struct timeline){
        .playing = playback->playing,
        .position_s = playback->position_ms * 1e-3,
        .anchored_at = playback->updated_at,
    };
}

/* After its track has been planned: what the player has for the next one is that. */
static void follow_next(struct daemon *daemon)
{
    struct timeline next = timeline_of(&daemon->session->next);
    bool known = daemon->session->has_next && session_next_item(daemon->session);
    player_announce(daemon->player, known ? &next : NULL);
}

/* A state was told, or there is none any more: silence. */
static void follow_playback(struct daemon *daemon, struct mono_time now)
{
    const struct playback_state *playback = &daemon->session->playback;
    struct timeline timeline = timeline_of(playback);
    if (daemon->session->has_playback) {
        daemon_group_heard(daemon, playback->updated_at, NULL);
        daemon_advance_heard(daemon, playback, now);
    }
    player_set_timeline(daemon->player, &timeline, now);
}

/* The status tells the current track, and so does the playlist. */
static unsigned events_of(unsigned news)
{
    return (news & SESSION_PLAYBACK ? EVENTS_STATUS | EVENTS_PLAYLIST : 0) |
           (news & SESSION_PLAYLIST ? EVENTS_PLAYLIST : 0) |
           (news & SESSION_REQUESTS ? EVENTS_REQUESTS : 0) |
           (news & SESSION_SETTINGS ? EVENTS_STATUS : 0);
}

static void on_session(void *user, unsigned news, struct mono_time now)
{
    struct daemon *daemon = user;
    if (news & SESSION_SETTINGS)
        daemon_report_anew(daemon);
    if (news & SESSION_PLAYLIST && daemon->session->has_playback)
        daemon_group_playlist(daemon);
    if (news & SESSION_PLAYBACK)
        follow_playback(daemon, now);
    if (news & (SESSION_PLAYBACK | SESSION_PLAYLIST | SESSION_NEXT)) {
        plan_tracks(daemon);
        follow_next(daemon);
    }
    if (news & SESSION_PLAYBACK)
        say_item_problem(daemon);
    events_note(daemon, events_of(news));
    if (news & (SESSION_PLAYBACK | SESSION_PLAYLIST | SESSION_NEXT))
        daemon_tick(daemon, now);
}

static double length_s(void *user, struct mono_time now)
{
    struct daemon *daemon = user;
    return player_get_status(daemon->player, now).length_s;
}

static void on_change(void *user)
{
    struct daemon *daemon = user;
    events_note(user, EVENTS_STATUS);
    daemon_keep_state(user);
    daemon_group_follow_session(user);
    finder_follow(daemon->finder, loop_now(daemon->loop));
}

static void fill_ack(void *user, struct sync_ack *ack, struct mono_time now)
{
    struct daemon *daemon = user;
    struct player_status player = player_get_status(daemon->player, now);
    struct server_clock_estimate clock = server_clock_estimate(&daemon->clock, now);
    ack->track_id = session_has_track(daemon->session) ? daemon->session->playback.track_id : NULL;
    ack->position_ms = player.position_s * 1e3;
    ack->playing = daemon->session->playback.playing;
    ack->drift_known = player.error_known;
    ack->drift_ms = player.error_s * 1e3;
    ack->rate_ppm = player.rate_ppm;
    ack->clock_offset_ms = ns_to_ms(clock.offset_ns);
    ack->clock_uncertainty_ms = ns_to_ms(clock.uncertainty_ns);
    ack->latency_ms = daemon->latency_ms;
    if (daemon->session->has_settings)
        ack->speaker = daemon_report(daemon, &player, now);
}

static void on_command(void *user, const struct command_message *command, struct mono_time now)
{
    struct daemon *daemon = user;
    double volume = isnan(command->volume) ? daemon->volume : command->volume;
    bool muted = command->muted < 0 ? daemon->muted : command->muted != 0;
    const char *refusal = daemon_remote_refusal(daemon, command);
    if (!refusal && (!isnan(command->volume) || command->muted >= 0))
        daemon_set_volume(daemon, volume, muted, now);
    if (!refusal && !isnan(command->latency_ms))
        daemon_set_latency(daemon, command->latency_ms);
    bool cue = command->identify || command->clicks >= 0;
    if (!refusal && cue)
        refusal = daemon_cue_refusal(daemon, command->identify ? -1 : command->clicks, now);
    if (!refusal && cue)
        daemon_cue_remotely(daemon, command, now);
    else
        daemon_remote_ended(daemon, command->id, refusal);
}

const struct library_handlers daemon_library_handlers = {on_file, on_next, on_growth,
                                                         on_track_problem};

const struct link_handlers daemon_link_handlers = {
    .on_session = on_session,
    .on_stamp = on_stamp,
    .on_change = on_change,
    .length_s = length_s,
    .on_command = on_command,
    .fill_ack = fill_ack,
};
