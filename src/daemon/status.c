/*
 * status.c: what the daemon says of itself, as JSON for the control socket and as a line for
 * people.
 */
#include "daemon_internal.h"

#include <math.h>
#include <stdio.h>

static double rounded(double x, double unit)
{
    return round(x / unit) * unit;
}

static void add_clock(const struct daemon *daemon, cJSON *status, struct mono_time now)
{
    struct server_clock_estimate clock = server_clock_estimate(&daemon->clock, now);
    cJSON *json = cJSON_AddObjectToObject(status, "clock");
    cJSON_AddStringToObject(json, "source", server_clock_source_name(clock.source));
    cJSON_AddNumberToObject(json, "offset_ms", rounded(ns_to_ms(clock.offset_ns), 1e-3));
    cJSON_AddNumberToObject(json, "uncertainty_ms", rounded(ns_to_ms(clock.uncertainty_ns), 1e-3));
    cJSON_AddNumberToObject(json, "frequency_ppm", rounded(clock.frequency_ppm, 1e-3));
    cJSON_AddBoolToObject(json, "settled", clock.settled);
    cJSON_AddNumberToObject(json, "disbelieved", (double)clock.disbelieved);
}

static void add_sink(const struct player_status *player, cJSON *status)
{
    const struct output_status *output = &player->output;
    cJSON *json = cJSON_AddObjectToObject(status, "sink");
    double rate_hz = output->sink.rate_hz;
    cJSON_AddStringToObject(json, "device", output->sink.device);
    cJSON_AddStringToObject(json, "format", output->sink.format);
    cJSON_AddNumberToObject(json, "rate_hz", rate_hz);
    cJSON_AddNumberToObject(
        json, "buffer_ms",
        rate_hz > 0 ? rounded(1e3 * (double)output->sink.buffer_frames / rate_hz, 0.1) : 0);
    cJSON_AddNumberToObject(json, "queued_ms", rounded(ns_to_ms(output->queued_ns), 0.1));
    cJSON_AddNumberToObject(json, "xruns", (double)output->xruns);
    cJSON_AddNumberToObject(json, "losses", (double)output->losses);
    cJSON_AddNumberToObject(json, "seeks", (double)player->seeks);
    cJSON_AddNumberToObject(json, "card_ppm", rounded(output->rate_error_ppm, 1e-3));
    cJSON_AddNumberToObject(json, "steady_s", rounded(output->steady_s, 0.1));
    cJSON_AddNumberToObject(json, "disbelieved", (double)output->disbelieved);
    cJSON_AddStringToObject(json, "stamp_pairing", stamp_pairing_name(output->pairing));
    cJSON_AddBoolToObject(json, "open", output->state != OUTPUT_CLOSED);
    cJSON_AddStringToObject(json, "error", output->error);
}

/* Of a backend that plays on by itself. */
struct control_rights daemon_rights(const struct daemon *daemon)
{
    const struct session *session = daemon->session;
    return (struct control_rights){
        .is_host = daemon->settings->backend.role == SETTINGS_HOST,
        .has_settings = session->has_settings,
        .everyone_may = session->has_settings && session->settings.control == WHO_EVERYONE,
    };
}

static void add_settings(const struct session_settings *settings, cJSON *json)
{
    cJSON *to = cJSON_AddObjectToObject(json, "settings");
    cJSON_AddBoolToObject(to, "advance", settings->advance);
    cJSON_AddStringToObject(to, "repeat", session_repeat_name(settings->repeat));
    cJSON_AddBoolToObject(to, "shuffle", settings->shuffle);
    cJSON_AddStringToObject(to, "control", session_who_name(settings->control));
    cJSON_AddStringToObject(to, "add", session_who_name(settings->add));
}

/* What both the status and the answer to "session" have. */
static void fill_session(const struct daemon *daemon, cJSON *json)
{
    bool host = daemon->settings->backend.role == SETTINGS_HOST;
    cJSON_AddStringToObject(json, "id", link_session_id(daemon->link));
    cJSON_AddStringToObject(json, "role", host ? "host" : "guest");
    cJSON_AddBoolToObject(json, "connected", link_is_live(daemon->link));
    cJSON_AddStringToObject(json, "link", link_state_name(link_get_state(daemon->link)));
    cJSON_AddStringToObject(json, "problem", link_problem(daemon->link));
    if (host && daemon->state.code[0])
        cJSON_AddStringToObject(json, "code", daemon->state.code);
    struct control_rights rights = daemon_rights(daemon);
    cJSON_AddBoolToObject(json, "may_control", rights.is_host || rights.everyone_may);
    if (daemon->session->has_settings)
        add_settings(&daemon->session->settings, json);
}

cJSON *status_build_session(const struct daemon *daemon)
{
    cJSON *json = cJSON_CreateObject();
    fill_session(daemon, json);
    cJSON_AddStringToObject(json, "name", daemon->settings->backend.name);
    cJSON_AddStringToObject(json, "url", daemon->settings->backend.url);
    return json;
}

static void add_counters(const struct daemon *daemon, cJSON *status)
{
    struct link_counters link = link_get_counters(daemon->link);
    struct library_usage usage = library_get_usage(daemon->library);
    cJSON *session = cJSON_GetObjectItemCaseSensitive(status, "session");
    cJSON_AddNumberToObject(session, "connects", (double)link.connects);
    cJSON_AddNumberToObject(session, "reconnects",
                            (double)(link.connects > 0 ? link.connects - 1 : 0));
    cJSON *commands = cJSON_AddObjectToObject(session, "commands");
    cJSON_AddNumberToObject(commands, "confirmed", (double)link.commands_confirmed);
    cJSON_AddNumberToObject(commands, "repeated", (double)link.commands_repeated);
    cJSON_AddNumberToObject(commands, "failed", (double)link.commands_failed);
    cJSON *cache = cJSON_AddObjectToObject(status, "cache");
    cJSON_AddNumberToObject(cache, "downloads", (double)usage.downloads);
    cJSON_AddNumberToObject(cache, "failures", (double)usage.failures);
    cJSON_AddNumberToObject(cache, "tracks", usage.tracks);
    cJSON_AddNumberToObject(cache, "bytes", (double)usage.bytes);
}

const char *daemon_track_problem(const struct daemon *daemon, const struct player_status *player)
{
    const char *problem = session_item_problem(daemon->session);
    if (problem[0])
        return problem;
    return player->track_error[0] ? player->track_error : library_error(daemon->library);
}

static void add_track(const struct daemon *daemon, const struct player_status *player,
                      cJSON *status)
{
    const struct playlist_item *item = session_current_item(daemon->session);
    if (session_has_track(daemon->session))
        cJSON_AddStringToObject(status, "track_id", daemon->session->playback.track_id);
    else
        cJSON_AddNullToObject(status, "track_id");
    if (item)
        cJSON_AddStringToObject(status, "item_id", item->id);
    else
        cJSON_AddNullToObject(status, "item_id");
    cJSON_AddStringToObject(status, "track_name", item ? item->name : "");
    const struct track_tags tags = daemon_current_tags(daemon);
    status_add_tags(status, &tags);
    if (player->length_s >= 0)
        cJSON_AddNumberToObject(status, "length_ms", rounded(player->length_s * 1e3, 1e-3));
    else
        cJSON_AddNullToObject(status, "length_ms");
    cJSON_AddStringToObject(status, "track_error", daemon_track_problem(daemon, player));
}

/* The timeline runs on behind the end of a track. */
static double place_s(const struct player_status *player)
{
    bool known = player->length_s >= 0;
    return known ? fmin(player->position_s, player->length_s) : player->position_s;
}

cJSON *status_build(struct daemon *daemon, struct mono_time now)
{
    struct player_status player = player_get_status(daemon->player, now);
    cJSON *status = cJSON_CreateObject();
    cJSON_AddStringToObject(status, "name", daemon->settings->backend.name);
    cJSON_AddStringToObject(status, "state", transport_name(player.state));
    add_track(daemon, &player, status);
    cJSON_AddNumberToObject(status, "position_ms", rounded(place_s(&player) * 1e3, 1e-3));
    if (player.error_known)
        cJSON_AddNumberToObject(status, "error_us", rounded(player.error_s * 1e6, 1e-2));
    else
        cJSON_AddNullToObject(status, "error_us");
    cJSON_AddNumberToObject(status, "rate_ppm", rounded(player.rate_ppm, 1e-3));
    cJSON_AddNumberToObject(status, "correction_ppm", rounded(player.correction_ppm, 1e-3));
    cJSON_AddNumberToObject(status, "volume", daemon->volume);
    cJSON_AddBoolToObject(status, "muted", daemon->muted);
    cJSON_AddBoolToObject(status, "clicks", player.clicking);
    cJSON_AddStringToObject(status, "volume_set_by", volume_setter(daemon->volume_setter));
    cJSON_AddNumberToObject(status, "latency_ms", daemon->latency_ms);
    add_clock(daemon, status, now);
    daemon_group_status(daemon, status, now);
    add_sink(&player, status);
    fill_session(daemon, cJSON_AddObjectToObject(status, "session"));
    add_counters(daemon, status);
    cJSON *loop = cJSON_AddObjectToObject(status, "loop");
    cJSON_AddNumberToObject(loop, "longest_stall_us",
                            rounded(ns_to_us(loop_longest_stall_ns(daemon->loop)), 1));
    cJSON_AddNumberToObject(loop, "longest_work_us",
                            rounded(ns_to_us(loop_longest_work_ns(daemon->loop)), 1));
    cJSON_AddNumberToObject(loop, "most_items", (double)loop_most_work(daemon->loop).items);
    cJSON_AddNumberToObject(loop, "most_bytes", (double)loop_most_work(daemon->loop).bytes);
    /* For scripts that compare speakers: the local time of this snapshot. */
    cJSON_AddNumberToObject(status, "at_ns", (double)now.ns);
    cJSON_AddStringToObject(status, "version", TUTTI_VERSION);
    return status;
}

void status_line(const struct daemon *daemon, char *line, size_t size, struct mono_time now)
{
    struct player_status player = player_get_status(daemon->player, now);
    char error[32] = "";
    const char *problem = daemon_track_problem(daemon, &player);
    if (!problem[0])
        problem = player.output.error;
    if (!link_is_live(daemon->link))
        problem = link_problem(daemon->link);
    if (player.error_known)
        snprintf(error, sizeof error, " \u00b7 %+.0f \u00b5s", player.error_s * 1e6);
    snprintf(line, size, "%s %s%s%s%s", transport_name(player.state),
             daemon->settings->backend.name, error, problem[0] ? "; " : "", problem);
}
