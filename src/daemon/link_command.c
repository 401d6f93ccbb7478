/*
 * link_command.c: a host's command is done when the backend has rebroadcast its effect.
 *
 * A socket may look alive and carry nothing (a rejected message leaves it so). So: no echo in two
 * seconds, and the socket is replaced, the command is repeated once over REST, which answers; only
 * then is it reported as failed. Skips cannot be repeated safely: the fresh state tells whether
 * they happened.
 */
#include "link_internal.h"
#include "tutti/base/log.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const int64_t ECHO_WAIT_NS = 2 * NS_PER_S;

static void finish(struct link *link, const char *error, struct mono_time now)
{
    struct link_command *command = &link->command;
    if (!command->pending)
        return;
    command->pending = false;
    if (error[0])
        link->counters.commands_failed++;
    else
        link->counters.commands_confirmed++;
    loop_timer_cancel(link->confirm);
    double took_ms = ns_to_ms(mono_sub(now, command->sent_at));
    if (command->done)
        command->done(command->user, error, took_ms);
}

static bool is_skip(const struct link_command *command)
{
    return strncmp(command->action, "skip", 4) == 0;
}

/* Is this the state that the command asked for? */
static bool matches(const struct link_command *command, const struct playback_state *playback)
{
    if (is_skip(command))
        return playback->position_ms == 0;
    if (strcmp(command->action, "play") == 0 && !playback->playing)
        return false;
    if (strcmp(command->action, "pause") == 0 && playback->playing)
        return false;
    if (command->has_track && strcmp(command->track_id, playback->track_id) != 0)
        return false;
    return command->position_ms < 0 ||
           fabs(playback->position_ms - floor(command->position_ms)) < 1.5;
}

void link_confirm(struct link *link, const struct playback_state *playback, struct mono_time now)
{
    struct link_command *command = &link->command;
    if (!command->pending || !matches(command, playback))
        return;
    if (!command->repeated)
        server_clock_add_command(link->config.clock, command->sent_at, now, playback->updated_at);
    finish(link, "", now);
}

static void repeat_answered(void *user, const struct http_response *response)
{
    struct link *link = user;
    struct playback_state playback;
    char reason[PROTOCOL_REASON_MAX], error[PROTOCOL_REASON_MAX];
    struct mono_time now = loop_now(link->loop);
    link->repeat_call = NULL;
    link_take_date(link, response);
    if (response->status == 0) {
        snprintf(error, sizeof error, "the backend did not answer: %.200s", response->error);
        finish(link, error, now);
    } else if (response->status != 200) {
        protocol_error_detail(response->body, response->body_bytes, reason);
        snprintf(error, sizeof error, "the backend refuses: %.200s", reason);
        finish(link, error, now);
    } else {
        if (protocol_parse_playback(response->body, response->body_bytes, &playback, reason))
            link_take_playback(link, &playback, now);
        finish(link, "", now);
    }
}

static void repeat_over_rest(struct link *link, struct mono_time now)
{
    struct link_command *command = &link->command;
    char url[PROTOCOL_URL_MAX];
    bool playing = strcmp(command->action, "play") == 0 ||
                   (strcmp(command->action, "seek") == 0 && link->playback.playing);
    char *json = protocol_build_playback(command->has_track ? command->track_id : NULL,
                                         command->position_ms, playing);
    http_cancel(link->repeat_call);
    link->repeat_call = NULL;
    if (json && protocol_url(url, sizeof url, link->config.settings->backend.url,
                             "/sessions/%s/playback", link->session_id)) {
        struct http_request request = {
            .method = "POST",
            .url = url,
            .token = link->token,
            .json = json,
            .timeout_ns = LINK_REST_TIMEOUT_NS,
            .max_bytes = LINK_REST_MAX_BYTES,
            .on_done = repeat_answered,
            .user = link,
        };
        link->repeat_call = http_start(link->http, &request);
    }
    free(json);
    if (!link->repeat_call)
        finish(link, "out of memory", now);
}

void link_confirm_timeout(void *user, struct mono_time now)
{
    struct link *link = user;
    struct link_command *command = &link->command;
    if (!command->pending)
        return;
    if (command->repeated) {
        finish(link, "the backend did not confirm it", now);
        return;
    }
    log_warn("backend: %s was not confirmed: replacing the connection", command->action);
    command->repeated = true;
    link->counters.commands_repeated++;
    link_recheck(link);
    if (is_skip(command))
        loop_timer_set_in(link->confirm, ECHO_WAIT_NS);
    else
        repeat_over_rest(link, now);
}

void link_command(struct link *link, const char *action, const char *track_id, double position_ms,
                  link_done *done, void *user)
{
    struct mono_time now = loop_now(link->loop);
    struct link_command *command = &link->command;
    if (link->state != LINK_LIVE) {
        done(user, "not connected to the backend", 0);
        return;
    }
    finish(link, "another command came after it", now);
    *command = (struct link_command){
        .pending = true,
        .has_track = track_id != NULL,
        .position_ms = position_ms,
        .sent_at = now,
        .done = done,
        .user = user,
    };
    snprintf(command->action, sizeof command->action, "%s", action);
    snprintf(command->track_id, sizeof command->track_id, "%s", track_id ? track_id : "");
    char *text = protocol_build_playback_command(action, track_id, position_ms);
    bool sent = text && ws_client_send(link->live->client, text);
    free(text);
    /* What could not even be sent takes the same way as what was not answered. */
    loop_timer_set_in(link->confirm, sent ? ECHO_WAIT_NS : 0);
}
