/*
 * fuzz_hub.c: any calls and messages to the hub, by its host, a guest, a stranger with a session of
 * his own and somebody without a token, in any order.
 *
 * An input is lines "WHO METHOD PATH BODY": WHO is one of h g s x, METHOD a REST method or "WS",
 * whose PATH is a message type. In path and body @s is the session, @c its code, @i the last item
 * and @r the last request. What must hold: a database in order, and nobody gets what is not his.
 */
#include "../../src/hub/routes.h"
#include "fuzz.h"
#include "fuzz_house.h"

#include <string.h>

#define LINES_MAX 32
#define LINE_BYTES 4096

static const struct service_limits limits = {
    .sessions = 4,
    .members = 8,
    .playlist_items = 8,
    .pending_requests = 8,
    .requests_per_minute = 1000,
    .failures_per_minute = 1000,
    .joins_per_minute = 100000,
    .share_percent = 50,
    .waiting_bytes = 1 << 20,
};
static struct service service;
static struct fuzz_house house;
static char last_item[STORE_ID_MAX], last_request[STORE_ID_MAX];

static void take_id(const cJSON *body, const char *member, char to[STORE_ID_MAX])
{
    const cJSON *id = cJSON_GetObjectItemCaseSensitive(body, "id");
    if (cJSON_IsString(id) && cJSON_GetObjectItemCaseSensitive(body, member))
        snprintf(to, STORE_ID_MAX, "%s", id->valuestring);
}

/* What everybody is told must be printable, and is what the contract says. */
static void announce(void *user, const char *to_session, const char *type, cJSON *payload)
{
    (void)user;
    struct store_session session;
    FUZZ_CHECK(store_session(service.store, to_session, &session) == 1);
    FUZZ_CHECK(cJSON_IsObject(payload) && type[0]);
    free(cJSON_PrintUnformatted(payload));
    cJSON_Delete(payload);
}

static void start_over(void)
{
    if (!service.store) {
        fuzz_house_open(&service, &limits);
        service.announce = announce;
    }
    fuzz_house_start_over(&service, &house);
    last_item[0] = last_request[0] = '\0';
}

static void substitute(const char *from, char to[LINE_BYTES])
{
    size_t at = 0;
    while (*from && at + STORE_ID_MAX + 1 < LINE_BYTES) {
        const char *with = from[0] != '@'   ? NULL
                           : from[1] == 's' ? house.session_id
                           : from[1] == 'c' ? house.code
                           : from[1] == 'i' ? last_item
                           : from[1] == 'r' ? last_request
                                            : NULL;
        if (with) {
            at += (size_t)snprintf(to + at, LINE_BYTES - at, "%s", with);
            from += 2;
        } else {
            to[at++] = *from++;
        }
    }
    to[at] = '\0';
}

static const char *text_of(const cJSON *payload, const char *name)
{
    const cJSON *member = cJSON_GetObjectItemCaseSensitive(payload, name);
    return cJSON_IsString(member) ? member->valuestring : NULL;
}

static struct reply message(const char *token, const char *type, const char *text)
{
    cJSON *payload = cJSON_Parse(text);
    const struct caller caller = {.token = token, .address = FUZZ_ADDRESS};
    struct reply reply;
    if (!cJSON_IsObject(payload))
        reply = reply_error(422, "no object");
    else if (strcmp(type, "playback_command") == 0)
        reply = service_command(&service, &caller, house.session_id, payload);
    else if (strcmp(type, "request_playlist_change") == 0)
        reply = service_request(&service, &caller, house.session_id, payload);
    else
        reply = service_decide(&service, &caller, text_of(payload, "request_id"), type[0] == 'a',
                               payload);
    cJSON_Delete(payload);
    return reply;
}

static struct reply rest_call(const char *method, const char *path, const char *token,
                              const char *text)
{
    cJSON *body = cJSON_Parse(text);
    struct reply reply = routes_call(
        &service, &(struct routes_request){.method = method,
                                           .path = path,
                                           .caller = {.token = token, .address = FUZZ_ADDRESS},
                                           .body = body});
    cJSON_Delete(body);
    return reply;
}

/* Who is nobody here gets nothing of the session; a guest changes nothing by himself. */
static void check_rights(char who, const char *method, const char *path, int status)
{
    if (status != 200)
        return;
    bool in_session = strstr(path, house.session_id) != NULL || strcmp(method, "WS") == 0;
    FUZZ_CHECK(!(in_session && (who == 's' || who == 'x')));
    FUZZ_CHECK(
        !(who == 'g' && (strstr(path, "/playback") || strstr(path, "/approve") ||
                         strcmp(path, "playback_command") == 0 ||
                         strcmp(path, "approve_request") == 0 || strcmp(path, "/sessions") == 0)));
}

static void run_line(char *line)
{
    static char path[LINE_BYTES], body[LINE_BYTES];
    char *rest = line;
    const char *who = strsep(&rest, " ");
    const char *method = strsep(&rest, " ");
    const char *raw_path = strsep(&rest, " ");
    if (!method || !raw_path)
        return;
    substitute(raw_path, path);
    substitute(rest ? rest : "", body);
    const char *token = *who == 'h'   ? house.host.token
                        : *who == 'g' ? house.guest.token
                        : *who == 's' ? house.stranger.token
                                      : "";
    struct reply reply = strcmp(method, "WS") == 0 ? message(token, path, body)
                                                   : rest_call(method, path, token, body);
    FUZZ_CHECK(reply.status >= 200 && reply.status < 600 && reply.body);
    FUZZ_CHECK(reply.status != 500);
    check_rights(*who, method, path, reply.status);
    take_id(reply.body, "media_url", last_item);
    take_id(reply.body, "request_type", last_request);
    free(cJSON_PrintUnformatted(reply.body));
    cJSON_Delete(reply.body);
}

/* Positions without gaps; a current track that the playlist has. */
static void check_database(void)
{
    struct store_playback playback;
    struct store_item item;
    int64_t length = -1;
    FUZZ_CHECK(store_playlist_length(service.store, house.session_id, &length) == 0);
    FUZZ_CHECK(length <= service.limits.playlist_items);
    for (int64_t i = 0; i < length; i++)
        FUZZ_CHECK(store_item_at(service.store, house.session_id, i, &item) == 1);
    FUZZ_CHECK(store_get_playback(service.store, house.session_id, &playback) == 1);
    FUZZ_CHECK(playback.position_ms >= 0);
    FUZZ_CHECK(playback.has_track == (length > 0));
    if (playback.has_track)
        FUZZ_CHECK(store_item_of(service.store, house.session_id, playback.track_id, &item) == 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1);
    if (!text)
        return 0;
    if (size > 0)
        memcpy(text, data, size);
    text[size] = '\0';
    start_over();
    char *rest = text;
    char *line;
    for (int i = 0; i < LINES_MAX && (line = strsep(&rest, "\n")); i++)
        run_line(line);
    check_database();
    free(text);
    return 0;
}
