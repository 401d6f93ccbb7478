/*
 * control.c: what people ask of the daemon, command by command. docs/control.md lists them.
 *
 * What only this speaker is concerned with is answered at once; what the backend must confirm, when
 * it has (control_wait).
 */
#include "control_internal.h"
#include "tutti/audio/sink.h"
#include "tutti/base/log.h"
#include "tutti/core/control_cmd.h"
#include "tutti/io/background.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Where the music is, as it is heard: what a command must say, lest the backend keeps a stale one.
 */
static double heard_ms(const struct daemon *daemon, struct mono_time now)
{
    double position_ms = player_get_status(daemon->player, now).position_s * 1e3;
    return position_ms > 0 ? position_ms : 0;
}

static const char *current_track(const struct daemon *daemon)
{
    if (session_has_track(daemon->session))
        return daemon->session->playback.track_id;
    return daemon->session->playlist.count ? daemon->session->playlist.items[0].track_id : NULL;
}

/* Why there is nothing that could play, or be sought in, when no track is named; NULL: there is. */
static const char *nothing_to_play(const struct daemon *daemon)
{
    if (!current_track(daemon))
        return "the playlist is empty";
    if (session_has_track(daemon->session) && !session_current_item(daemon->session))
        return "the playlist does not have the current track; choose another one";
    return NULL;
}

/* --- playback ------------------------------------------------------------------------------ */

static void send_playback(struct daemon *daemon, const struct asker *asker,
                          const struct link_command *command)
{
    struct waiting *waiting = control_wait(daemon, asker);
    if (waiting)
        link_command(daemon->link, command, control_confirmed, waiting);
}

/* By its track's id or its own; NULL when the playlist has no such. */
static const struct playlist_item *named_item(const struct daemon *daemon, const char *name)
{
    const struct playlist_item *item = playlist_find_track(&daemon->session->playlist, name);
    return item ? item : playlist_find(&daemon->session->playlist, name);
}

/* A backend that knows items is told from which one. Others count from the first item that has the
 * current track. Where that is another one than ours, they are told where to go: a seek leaves
 * playing and pausing as it is, as a skip does. */
static void do_skip(struct daemon *daemon, const struct asker *asker, int steps)
{
    const struct playlist_message *playlist = &daemon->session->playlist;
    const struct playlist_item *here = session_current_item(daemon->session);
    const struct playlist_item *to = here ? playlist_step(playlist, here, steps) : NULL;
    bool agreed = !here || daemon->session->has_settings ||
                  playlist_find_track(playlist, here->track_id) == here;
    struct asker skipping = *asker;
    skipping.tell_track = true;
    if (to && !daemon->session->settings.shuffle)
        snprintf(skipping.item_id, sizeof skipping.item_id, "%s", to->id);
    /* A hub knows what follows the last one; others play it once more. */
    if (here && !to && steps > 0 && !daemon->session->has_settings) {
        control_fail(asker, "this is the last track of the playlist; none comes after it");
        return;
    }
    struct link_command command = {
        .item = to ? to : here, .from = here, .position_ms = agreed ? -1 : 0};
    if (agreed)
        command.action = steps > 0 ? PLAYBACK_SKIP_NEXT : PLAYBACK_SKIP_PREV;
    else
        command.action = PLAYBACK_SEEK, command.track_id = command.item->track_id;
    send_playback(daemon, &skipping, &command);
}

static void do_play(struct daemon *daemon, const struct asker *asker, const struct control_cmd *cmd,
                    struct mono_time now)
{
    bool named = cmd->track_id[0];
    const struct playlist_item *item = named ? named_item(daemon, cmd->track_id) : NULL;
    const char *problem = named ? NULL : nothing_to_play(daemon);
    struct link_command command = {
        .action = PLAYBACK_PLAY,
        .track_id = item ? item->track_id : current_track(daemon),
        .position_ms = named ? 0 : heard_ms(daemon, now),
        .item = item,
    };
    if (named && !item)
        problem = "the playlist has no such track";
    if (!isnan(cmd->position_ms))
        command.position_ms = cmd->position_ms;
    if (problem)
        control_fail(asker, problem);
    else
        send_playback(daemon, asker, &command);
}

static void do_pause(struct daemon *daemon, const struct asker *asker, struct mono_time now)
{
    send_playback(daemon, asker,
                  &(struct link_command){.action = PLAYBACK_PAUSE,
                                         .track_id = current_track(daemon),
                                         .position_ms = heard_ms(daemon, now)});
}

static void do_toggle(struct daemon *daemon, const struct asker *asker,
                      const struct control_cmd *cmd, struct mono_time now)
{
    struct asker toggling = *asker;
    bool plays = daemon->session->has_playback && daemon->session->playback.playing;
    toggling.state = playback_state_name(!plays);
    if (plays)
        do_pause(daemon, &toggling, now);
    else
        do_play(daemon, &toggling, cmd, now);
}

static void do_seek(struct daemon *daemon, const struct asker *asker, const struct control_cmd *cmd,
                    struct mono_time now)
{
    double position_ms =
        isnan(cmd->position_ms) ? heard_ms(daemon, now) + cmd->by : cmd->position_ms;
    const char *problem = nothing_to_play(daemon);
    if (problem)
        control_fail(asker, problem);
    else
        send_playback(daemon, asker,
                      &(struct link_command){.action = PLAYBACK_SEEK,
                                             .track_id = current_track(daemon),
                                             .position_ms = fmax(position_ms, 0)});
}

/* --- this speaker -------------------------------------------------------------------------- */

static void do_hello(const struct daemon *daemon, const struct asker *asker)
{
    cJSON *body = cJSON_CreateObject();
    cJSON_AddNumberToObject(body, "protocol", CONTROL_PROTOCOL_VERSION);
    cJSON_AddStringToObject(body, "version", TUTTI_VERSION);
    cJSON_AddStringToObject(body, "name", daemon->settings->backend.name);
    control_succeed(asker, body);
}

static void do_playlist(struct daemon *daemon, const struct asker *asker)
{
    struct listing *listing = control_begin_listing(daemon, asker);
    listing_add_items(listing, "playlist", 0, daemon->session->playlist.count);
    listing_send(listing, asker->client);
}

static void do_requests(struct daemon *daemon, const struct asker *asker)
{
    struct listing *listing = control_begin_listing(daemon, asker);
    listing_add_requests(listing, &daemon->session->requests, "requests");
    listing_send(listing, asker->client);
}

static void do_subscribe(struct daemon *daemon, const struct asker *asker, struct mono_time now)
{
    cJSON *members = cJSON_CreateObject();
    events_start(daemon);
    cJSON_AddNumberToObject(members, "id", asker->id);
    cJSON_AddBoolToObject(members, "ok", true);
    cJSON_AddItemToObject(members, "status", status_build(daemon, now));
    struct listing *listing = listing_create(daemon, members);
    listing_add_items(listing, "playlist", 0, daemon->session->playlist.count);
    listing_add_requests(listing, &daemon->session->requests, "requests");
    if (asker->client)
        control_client_subscribe(asker->client);
    listing_send(listing, asker->client);
}

static void do_volume(struct daemon *daemon, const struct asker *asker,
                      const struct control_cmd *cmd, struct mono_time now)
{
    double percent = daemon->volume;
    if (!isnan(cmd->percent))
        percent = cmd->percent;
    else if (!isnan(cmd->by))
        percent = fmin(fmax(percent + cmd->by, 0), 100);
    if (!isnan(cmd->percent) || !isnan(cmd->by))
        daemon_set_volume(daemon, percent, daemon->muted, now);
    control_answer(asker, "volume", cJSON_CreateNumber(daemon->volume));
}

static void do_mute(struct daemon *daemon, const struct asker *asker, const struct control_cmd *cmd,
                    struct mono_time now)
{
    bool muted = cmd->on < 0 ? !daemon->muted : cmd->on;
    daemon_set_volume(daemon, daemon->volume, muted, now);
    control_answer(asker, "muted", cJSON_CreateBool(muted));
}

static void do_latency(struct daemon *daemon, const struct asker *asker,
                       const struct control_cmd *cmd)
{
    if (!isnan(cmd->ms))
        daemon_set_latency(daemon, cmd->ms);
    control_answer(asker, "latency_ms", cJSON_CreateNumber(daemon->latency_ms));
}

static void do_log_level(const struct asker *asker, const struct control_cmd *cmd)
{
    enum log_level level;
    if (cmd->level[0] && !log_level_parse(cmd->level, &level)) {
        control_fail(asker, "log-level takes error, warn, info or debug");
        return;
    }
    if (cmd->level[0])
        log_set_level(level);
    control_answer(asker, "level", cJSON_CreateString(log_level_name(log_get_level())));
}

/* --- devices ------------------------------------------------------------------------------- */

/* ALSA reads its configuration for the list: beside the loop. */
struct device_list {
    struct daemon *daemon;
    struct waiting *waiting;
    cJSON *devices;
    char used[SINK_TEXT_MAX];
};

static void add_device(void *user, const char *name, const char *description)
{
    cJSON *device = cJSON_CreateObject();
    cJSON_AddStringToObject(device, "name", name);
    cJSON_AddStringToObject(device, "description", description);
    cJSON_AddItemToArray(user, device);
}

static void list_devices(void *job)
{
    struct device_list *list = job;
    sink_list_devices(add_device, list->devices);
}

static void devices_listed(void *job)
{
    struct device_list *list = job;
    cJSON *device;
    cJSON_ArrayForEach(device, list->devices)
    {
        const char *name = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(device, "name"));
        bool current = name && strcmp(name, list->used) == 0;
        cJSON_AddBoolToObject(device, "current", current);
    }
    cJSON *body = cJSON_CreateObject();
    cJSON_AddItemToObject(body, "devices", list->devices);
    struct asker asker = control_stop_waiting(list->waiting);
    control_succeed(&asker, body);
    free(list);
}

/* As configured; of auto, what it has led to. */
static void used_device(const struct daemon *daemon, char to[SINK_TEXT_MAX])
{
    const char *configured = daemon->settings->audio.device;
    struct player_status player = player_get_status(daemon->player, loop_now(daemon->loop));
    bool is_auto = strcmp(configured, "auto") == 0;
    snprintf(to, SINK_TEXT_MAX, "%s", is_auto ? player.output.sink.device : configured);
}

static void do_devices(struct daemon *daemon, const struct asker *asker)
{
    struct device_list *list = calloc(1, sizeof *list);
    struct waiting *waiting = list ? control_wait(daemon, asker) : NULL;
    if (!waiting) {
        free(list);
        return;
    }
    *list = (struct device_list){daemon, waiting, cJSON_CreateArray(), ""};
    used_device(daemon, list->used);
    background_run(daemon->devices, list_devices, devices_listed, list);
}

/* --- lines --------------------------------------------------------------------------------- */

static void dispatch(struct daemon *daemon, const struct asker *asker,
                     const struct control_cmd *cmd, struct mono_time now)
{
    switch (cmd->verb) {
    case CONTROL_HELLO:
        do_hello(daemon, asker);
        break;
    case CONTROL_STATUS:
        control_answer(asker, "status", status_build(daemon, now));
        break;
    case CONTROL_PLAYLIST:
        do_playlist(daemon, asker);
        break;
    case CONTROL_REQUESTS:
        do_requests(daemon, asker);
        break;
    case CONTROL_SUBSCRIBE:
        do_subscribe(daemon, asker, now);
        break;
    case CONTROL_SESSION:
        control_answer(asker, "session", status_build_session(daemon));
        break;
    case CONTROL_PAIRING:
        control_pairing(daemon, asker, cmd);
        break;
    case CONTROL_DEVICES:
        do_devices(daemon, asker);
        break;
    case CONTROL_PLAY:
        do_play(daemon, asker, cmd, now);
        break;
    case CONTROL_PAUSE:
        do_pause(daemon, asker, now);
        break;
    case CONTROL_TOGGLE:
        do_toggle(daemon, asker, cmd, now);
        break;
    case CONTROL_SEEK:
        do_seek(daemon, asker, cmd, now);
        break;
    case CONTROL_NEXT:
        do_skip(daemon, asker, 1);
        break;
    case CONTROL_PREV:
        do_skip(daemon, asker, -1);
        break;
    case CONTROL_VOLUME:
        do_volume(daemon, asker, cmd, now);
        break;
    case CONTROL_MUTE:
        do_mute(daemon, asker, cmd, now);
        break;
    case CONTROL_LATENCY:
        do_latency(daemon, asker, cmd);
        break;
    case CONTROL_IDENTIFY:
        control_cue(daemon, asker, -1, now);
        break;
    case CONTROL_CLICKS:
        control_cue(daemon, asker,
                    cmd->on < 0 ? !player_get_status(daemon->player, now).clicking : cmd->on, now);
        break;
    case CONTROL_LOG_LEVEL:
        do_log_level(asker, cmd);
        break;
    case CONTROL_SETTINGS:
    case CONTROL_SPEAKERS:
    case CONTROL_NAME_SPEAKER:
    case CONTROL_COMMAND_SPEAKERS:
        control_hub(daemon, asker, cmd);
        break;
    case CONTROL_SEARCH:
    case CONTROL_ADD_TRACKS:
    case CONTROL_CLEAR:
    case CONTROL_LISTS:
    case CONTROL_SAVE:
    case CONTROL_LOAD:
    case CONTROL_FORGET:
        control_library(daemon, asker, cmd);
        break;
    default:
        control_change(daemon, asker, cmd);
        break;
    }
}

void control_take_line(void *user, struct control_client *client, char *line)
{
    struct daemon *daemon = user;
    struct control_cmd cmd;
    char error[CONTROL_ERROR_MAX];
    struct control_rights rights = daemon_rights(daemon);
    bool good =
        control_cmd_parse(line, &cmd, error) && control_cmd_allowed(cmd.verb, &rights, error);
    struct asker asker = {.client = client, .id = cmd.id};
    if (good)
        dispatch(daemon, &asker, &cmd, loop_now(daemon->loop));
    else
        control_fail(&asker, error);
}
