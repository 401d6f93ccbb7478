/*
 * control.c: lines of the control socket: {"id": 1, "cmd": "seek", ...} in, {"id": 1, "ok": true,
 * ...} or {"id": 1, "ok": false, "error": "..."} out. docs/control.md lists the commands.
 */
#include "daemon_internal.h"
#include "tutti/base/log.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PROTOCOL_VERSION 1

/* A command that the backend has yet to confirm. */
struct waiting {
    struct daemon *daemon;
    struct control_client *client; /* NULL: it has gone */
    double id;
    struct waiting *next;
};

static struct waiting *waiting_list;

static void answer(struct control_client *client, double id, cJSON *body)
{
    cJSON_AddNumberToObject(body, "id", id);
    char *line = cJSON_PrintUnformatted(body);
    cJSON_Delete(body);
    if (line && client)
        control_client_send(client, line);
    free(line);
}

static void succeed(struct control_client *client, double id, const char *name, cJSON *result)
{
    cJSON *body = cJSON_CreateObject();
    cJSON_AddBoolToObject(body, "ok", true);
    if (result)
        cJSON_AddItemToObject(body, name, result);
    answer(client, id, body);
}

static void fail(struct control_client *client, double id, const char *error)
{
    cJSON *body = cJSON_CreateObject();
    cJSON_AddBoolToObject(body, "ok", false);
    cJSON_AddStringToObject(body, "error", error);
    answer(client, id, body);
}

static void command_done(void *user, const char *error, double took_ms)
{
    struct waiting *waiting = user;
    for (struct waiting **at = &waiting_list; *at; at = &(*at)->next) {
        if (*at == waiting) {
            *at = waiting->next;
            break;
        }
    }
    if (error[0])
        fail(waiting->client, waiting->id, error);
    else
        succeed(waiting->client, waiting->id, "took_ms", cJSON_CreateNumber(took_ms));
    free(waiting);
}

void control_client_gone(void *user, struct control_client *client)
{
    (void)user;
    for (struct waiting *waiting = waiting_list; waiting; waiting = waiting->next)
        if (waiting->client == client)
            waiting->client = NULL;
}

static void send_command(struct daemon *daemon, struct control_client *client, double id,
                         const char *action, const char *track_id, double position_ms)
{
    if (daemon->settings->backend.role != SETTINGS_HOST) {
        fail(client, id, "only the session's host may do that; this speaker is a guest");
        return;
    }
    struct waiting *waiting = calloc(1, sizeof *waiting);
    if (!waiting) {
        fail(client, id, "out of memory");
        return;
    }
    *waiting = (struct waiting){daemon, client, id, waiting_list};
    waiting_list = waiting;
    link_command(daemon->link, action, track_id, position_ms, command_done, waiting);
}

/* Where the music is, as it is heard: what a pause must say, lest the backend keeps a stale one. */
static double heard_ms(const struct daemon *daemon, struct mono_time now)
{
    double position_ms = player_get_status(daemon->player, now).position_s * 1e3;
    return position_ms > 0 ? position_ms : 0;
}

static const char *current_track(const struct daemon *daemon)
{
    if (daemon->has_playback && daemon->playback.has_track)
        return daemon->playback.track_id;
    return daemon->playlist.count ? daemon->playlist.items[0].track_id : NULL;
}

static void do_play(struct daemon *daemon, struct control_client *client, double id,
                    const cJSON *line, struct mono_time now)
{
    const cJSON *track = cJSON_GetObjectItemCaseSensitive(line, "track_id");
    const cJSON *at = cJSON_GetObjectItemCaseSensitive(line, "position_ms");
    const char *track_id = cJSON_IsString(track) ? track->valuestring : current_track(daemon);
    double position_ms = cJSON_IsString(track) ? 0 : heard_ms(daemon, now);
    if (cJSON_IsNumber(at) && at->valuedouble >= 0)
        position_ms = at->valuedouble;
    if (!track_id) {
        fail(client, id, "the playlist is empty");
        return;
    }
    send_command(daemon, client, id, "play", track_id, position_ms);
}

static void do_seek(struct daemon *daemon, struct control_client *client, double id,
                    const cJSON *line, struct mono_time now)
{
    const cJSON *at = cJSON_GetObjectItemCaseSensitive(line, "position_ms");
    const cJSON *by = cJSON_GetObjectItemCaseSensitive(line, "by_ms");
    double position_ms;
    if (cJSON_IsNumber(at))
        position_ms = at->valuedouble;
    else if (cJSON_IsNumber(by))
        position_ms = heard_ms(daemon, now) + by->valuedouble;
    else {
        fail(client, id, "seek takes position_ms, or by_ms from here");
        return;
    }
    if (!current_track(daemon)) {
        fail(client, id, "the playlist is empty");
        return;
    }
    send_command(daemon, client, id, "seek", current_track(daemon), fmax(position_ms, 0));
}

static void do_volume(struct daemon *daemon, struct control_client *client, double id,
                      const cJSON *line, struct mono_time now)
{
    const cJSON *to = cJSON_GetObjectItemCaseSensitive(line, "percent");
    const cJSON *by = cJSON_GetObjectItemCaseSensitive(line, "by");
    double percent = daemon->volume;
    if (cJSON_IsNumber(to))
        percent = to->valuedouble;
    else if (cJSON_IsNumber(by))
        percent += by->valuedouble;
    if (!(percent >= 0 && percent <= 100) && !cJSON_IsNumber(by)) {
        fail(client, id, "volume takes a percentage from 0 to 100");
        return;
    }
    daemon_set_volume(daemon, fmin(fmax(percent, 0), 100), daemon->muted, now);
    succeed(client, id, "volume", cJSON_CreateNumber(daemon->volume));
}

static void do_mute(struct daemon *daemon, struct control_client *client, double id,
                    const cJSON *line, struct mono_time now)
{
    const cJSON *on = cJSON_GetObjectItemCaseSensitive(line, "on");
    bool muted = cJSON_IsBool(on) ? cJSON_IsTrue(on) : !daemon->muted;
    daemon_set_volume(daemon, daemon->volume, muted, now);
    succeed(client, id, "muted", cJSON_CreateBool(muted));
}

static void do_latency(struct daemon *daemon, struct control_client *client, double id,
                       const cJSON *line, struct mono_time now)
{
    const cJSON *ms = cJSON_GetObjectItemCaseSensitive(line, "ms");
    if (cJSON_IsNumber(ms) && fabs(ms->valuedouble) > 2000) {
        fail(client, id, "latency takes milliseconds from -2000 to 2000");
        return;
    }
    if (cJSON_IsNumber(ms))
        daemon_set_latency(daemon, ms->valuedouble, now);
    succeed(client, id, "latency_ms", cJSON_CreateNumber(daemon->latency_ms));
}

static void do_log_level(struct control_client *client, double id, const cJSON *line)
{
    const cJSON *name = cJSON_GetObjectItemCaseSensitive(line, "level");
    enum log_level level;
    if (cJSON_IsString(name) && !log_level_parse(name->valuestring, &level)) {
        fail(client, id, "log-level takes error, warn, info or debug");
        return;
    }
    if (cJSON_IsString(name))
        log_set_level(level);
    succeed(client, id, "level", cJSON_CreateString(log_level_name(log_get_level())));
}

static void dispatch(struct daemon *daemon, struct control_client *client, double id,
                     const char *cmd, const cJSON *line, struct mono_time now)
{
    if (strcmp(cmd, "hello") == 0)
        succeed(client, id, "protocol", cJSON_CreateNumber(PROTOCOL_VERSION));
    else if (strcmp(cmd, "status") == 0)
        succeed(client, id, "status", status_build(daemon, now));
    else if (strcmp(cmd, "playlist") == 0)
        succeed(client, id, "playlist", status_build_playlist(daemon));
    else if (strcmp(cmd, "requests") == 0)
        succeed(client, id, "requests", status_build_requests(daemon));
    else if (strcmp(cmd, "play") == 0)
        do_play(daemon, client, id, line, now);
    else if (strcmp(cmd, "pause") == 0)
        send_command(daemon, client, id, "pause", current_track(daemon), heard_ms(daemon, now));
    else if (strcmp(cmd, "seek") == 0)
        do_seek(daemon, client, id, line, now);
    else if (strcmp(cmd, "next") == 0)
        send_command(daemon, client, id, "skip_next", NULL, -1);
    else if (strcmp(cmd, "prev") == 0)
        send_command(daemon, client, id, "skip_prev", NULL, -1);
    else if (strcmp(cmd, "volume") == 0)
        do_volume(daemon, client, id, line, now);
    else if (strcmp(cmd, "mute") == 0)
        do_mute(daemon, client, id, line, now);
    else if (strcmp(cmd, "latency") == 0)
        do_latency(daemon, client, id, line, now);
    else if (strcmp(cmd, "log-level") == 0)
        do_log_level(client, id, line);
    else
        fail(client, id, "there is no such command");
}

void control_take_line(void *user, struct control_client *client, char *line)
{
    struct daemon *daemon = user;
    cJSON *root = cJSON_Parse(line);
    const cJSON *id = cJSON_GetObjectItemCaseSensitive(root, "id");
    const cJSON *cmd = cJSON_GetObjectItemCaseSensitive(root, "cmd");
    double number = cJSON_IsNumber(id) ? id->valuedouble : 0;
    if (!cJSON_IsString(cmd))
        fail(client, number, "not a command: a JSON object with \"cmd\" is wanted");
    else
        dispatch(daemon, client, number, cmd->valuestring, root, loop_now(daemon->loop));
    cJSON_Delete(root);
}
