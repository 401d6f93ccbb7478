/*
 * control_answer.c: answers on the control socket: {"id": 1, "ok": true, ...} or {"id": 1, "ok":
 * false, "error": "..."}, at once or when the backend has confirmed what was asked for. Whoever has
 * gone meanwhile gets none; what was asked for happens all the same.
 */
#include "control_internal.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* Of all clients together: a household's worth of people pressing buttons. */
#define WAITING_MAX 64

static void send_body(const struct asker *asker, cJSON *body)
{
    cJSON_AddNumberToObject(body, "id", asker->id);
    char *line = cJSON_PrintUnformatted(body);
    cJSON_Delete(body);
    if (line && asker->client)
        control_client_send(asker->client, line);
    free(line);
}

static void answer(const struct asker *asker, bool ok, cJSON *body)
{
    cJSON_AddBoolToObject(body, "ok", ok);
    send_body(asker, body);
}

void control_tell_progress(const struct asker *asker, int64_t sent_bytes, int64_t total_bytes)
{
    cJSON *body = cJSON_CreateObject();
    cJSON *progress = cJSON_AddObjectToObject(body, "progress");
    cJSON_AddNumberToObject(progress, "sent_bytes", (double)sent_bytes);
    cJSON_AddNumberToObject(progress, "total_bytes", (double)total_bytes);
    send_body(asker, body);
}

void control_succeed(const struct asker *asker, cJSON *body)
{
    answer(asker, true, body);
}

void control_answer(const struct asker *asker, const char *name, cJSON *result)
{
    cJSON *body = cJSON_CreateObject();
    cJSON_AddItemToObject(body, name, result);
    answer(asker, true, body);
}

void control_answer_text(const struct asker *asker, const char *members)
{
    char *line;
    if (asprintf(&line, "{%s,\"ok\":true,\"id\":%.15g}", members, asker->id) < 0)
        return;
    if (asker->client)
        control_client_send(asker->client, line);
    free(line);
}

void control_fail(const struct asker *asker, const char *error)
{
    cJSON *body = cJSON_CreateObject();
    cJSON_AddStringToObject(body, "error", error);
    answer(asker, false, body);
}

struct listing *control_begin_listing(const struct daemon *daemon, const struct asker *asker)
{
    cJSON *members = cJSON_CreateObject();
    cJSON_AddNumberToObject(members, "id", asker->id);
    cJSON_AddBoolToObject(members, "ok", true);
    return listing_create(daemon, members);
}

struct waiting *control_wait(struct daemon *daemon, const struct asker *asker)
{
    struct waiting *waiting =
        daemon->waiting_count < WAITING_MAX ? calloc(1, sizeof *waiting) : NULL;
    if (!waiting) {
        control_fail(asker, "too many commands wait for an answer already");
        return NULL;
    }
    *waiting = (struct waiting){.daemon = daemon, .asker = *asker, .next = daemon->waiting};
    daemon->waiting = waiting;
    daemon->waiting_count++;
    return waiting;
}

struct asker control_stop_waiting(struct waiting *waiting)
{
    struct daemon *daemon = waiting->daemon;
    struct asker asker = waiting->asker;
    struct waiting **at = &daemon->waiting;
    while (*at != waiting)
        at = &(*at)->next;
    *at = waiting->next;
    daemon->waiting_count--;
    free(waiting);
    return asker;
}

/* As the list has it, with what it knows beyond the backend's word. */
static cJSON *request_json(const struct daemon *daemon, const struct request_message *request)
{
    const struct request_entry *entry = requests_find(&daemon->session->requests, request->id);
    return entry ? status_build_request(&entry->message, entry->mine)
                 : status_build_request(request, false);
}

static cJSON *item_json(const struct daemon *daemon, const struct playlist_item *added)
{
    const struct playlist_item *item = playlist_find(&daemon->session->playlist, added->id);
    return item ? status_build_item(item, playlist_position(&daemon->session->playlist, item),
                                    item == session_current_item(daemon->session))
                : status_build_item(added, added->position, false);
}

static void add_track_name(cJSON *body, const struct session *session, const char *item_id)
{
    const struct playlist_item *item =
        item_id[0] ? playlist_find(&session->playlist, item_id) : session_current_item(session);
    if (item)
        cJSON_AddStringToObject(body, "track_name", item->name);
}

void control_confirmed(void *user, const struct link_result *result)
{
    struct waiting *waiting = user;
    struct daemon *daemon = waiting->daemon;
    struct asker asker = control_stop_waiting(waiting);
    if (result->error[0]) {
        control_fail(&asker, result->error);
        return;
    }
    cJSON *body = cJSON_CreateObject();
    cJSON_AddNumberToObject(body, "took_ms", round(result->took_ms * 1e3) / 1e3);
    if (asker.state)
        cJSON_AddStringToObject(body, "state", asker.state);
    if (asker.tell_track)
        add_track_name(body, daemon->session, asker.item_id);
    if (result->request)
        cJSON_AddItemToObject(body, "request", request_json(daemon, result->request));
    if (result->item)
        cJSON_AddItemToObject(body, "item", item_json(daemon, result->item));
    control_succeed(&asker, body);
}

void control_client_gone(void *user, struct control_client *client)
{
    struct daemon *daemon = user;
    struct waiting *next;
    for (struct waiting *waiting = daemon->waiting; waiting; waiting = next) {
        next = waiting->next;
        if (waiting->asker.client != client)
            continue;
        waiting->asker.client = NULL;
        if (waiting->abandon)
            waiting->abandon(waiting);
    }
}

void control_forget_all(struct daemon *daemon)
{
    struct waiting *next;
    for (struct waiting *waiting = daemon->waiting; waiting; waiting = next) {
        next = waiting->next;
        free(waiting);
    }
    daemon->waiting = NULL;
    daemon->waiting_count = 0;
}
