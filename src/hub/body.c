/*
 * body.c: see body.h.
 *
 * JSON is copied to a text until a string outgrows BODY_STRING_MAX. What was copied of that string
 * is taken back and goes, with the rest of it, through base64 to the disk; the text keeps "". Only
 * the state between two quotes is tracked: whether it is JSON at all is cJSON's to say, afterwards.
 */
#include "body.h"

#include "tutti/core/utf8.h"

#include <stdlib.h>
#include <string.h>

struct body {
    enum body_kind kind;
    struct body_door door;
    struct media_upload *upload;
    struct lws_spa *form;
    char *text;
    size_t bytes;
    size_t room;
    size_t string_at; /* where the contents of the current string begin in text */
    bool in_string;
    bool escaped;
    bool diverting;
    int status; /* 0: good so far */
    const char *reason;
};

#define FORM_NAMES 3
static const char *const form_names[FORM_NAMES] = {"track_id", "name", "filename"};

static void fail(struct body *body, int status, const char *reason)
{
    if (body->status)
        return;
    body->status = status;
    body->reason = reason;
}

static bool need_upload(struct body *body)
{
    int status;
    const char *reason;
    if (!body->upload && !body->status) {
        body->upload = body->door.open(body->door.user, &status, &reason);
        if (!body->upload)
            fail(body, status, reason);
    }
    return body->upload != NULL;
}

static int take_form_file(void *user, const char *name, const char *filename, char *bytes,
                          int count, enum lws_spa_fileupload_states state)
{
    struct body *body = user;
    (void)name;
    (void)filename;
    if (state == LWS_UFS_OPEN && body->upload)
        fail(body, 422, "One file at a time is wanted");
    if ((state == LWS_UFS_CONTENT || state == LWS_UFS_FINAL_CONTENT) && count > 0 &&
        need_upload(body))
        media_upload_feed(body->upload, bytes, (size_t)count);
    return 0;
}

struct body *body_create(enum body_kind kind, struct lws *wsi, const struct body_door *door)
{
    struct body *body = calloc(1, sizeof *body);
    if (!body)
        return NULL;
    body->kind = kind;
    body->door = *door;
    if (kind == BODY_TRACK)
        need_upload(body);
    if (kind != BODY_FORM)
        return body;
    body->form = lws_spa_create_via_info(wsi, &(lws_spa_create_info_t){
                                                  .param_names = form_names,
                                                  .count_params = FORM_NAMES,
                                                  .max_storage = 2048,
                                                  .opt_cb = take_form_file,
                                                  .opt_data = body,
                                              });
    if (!body->form)
        fail(body, 422, "The form cannot be read");
    return body;
}

void body_destroy(struct body *body)
{
    if (!body)
        return;
    if (body->form)
        lws_spa_destroy(body->form);
    media_upload_destroy(body->upload);
    free(body->text);
    free(body);
}

/* --- JSON ---------------------------------------------------------------------------------- */

static bool grow(struct body *body)
{
    size_t room = body->room ? 2 * body->room : 1024;
    if (room > BODY_JSON_MAX) {
        fail(body, 413, "The body is too large");
        return false;
    }
    char *grown =
        body->door.hold(body->door.user, room - body->room) ? realloc(body->text, room) : NULL;
    if (!grown) {
        fail(body, 503, "The hub, or this address, has too many calls at once; try again");
        return false;
    }
    body->text = grown;
    body->room = room;
    return true;
}

static bool append(struct body *body, char c)
{
    if (body->bytes + 2 > body->room && !grow(body))
        return false;
    body->text[body->bytes++] = c;
    body->text[body->bytes] = '\0';
    return true;
}

/* Within the long string; returns how many of the bytes were used. Base64 needs no escapes but that
 * of the slash; of all others, base64 has no use. */
static size_t divert(struct body *body, const char *bytes, size_t count)
{
    if (body->escaped) {
        body->escaped = false;
        media_upload_feed_base64(body->upload, bytes[0] == '/' ? "/" : "!", 1);
        return 1;
    }
    size_t plain = 0;
    while (plain < count && bytes[plain] != '"' && bytes[plain] != '\\')
        plain++;
    if (plain > 0) {
        media_upload_feed_base64(body->upload, bytes, plain);
        return plain;
    }
    if (bytes[0] == '\\') {
        body->escaped = true;
    } else {
        body->diverting = body->in_string = false;
        append(body, '"');
    }
    return 1;
}

static void begin_diversion(struct body *body)
{
    size_t count = body->bytes - body->string_at;
    char *copy = malloc(count);
    if (!copy || !need_upload(body)) {
        fail(body, 507, "There is no memory for an upload");
        free(copy);
        return;
    }
    memcpy(copy, body->text + body->string_at, count);
    body->bytes = body->string_at;
    body->text[body->bytes] = '\0';
    body->diverting = true;
    body->escaped = false;
    for (size_t at = 0; at < count;)
        at += divert(body, copy + at, count - at);
    free(copy);
}

static void take_json(struct body *body, char c)
{
    if (!append(body, c))
        return;
    if (!body->in_string) {
        body->in_string = c == '"';
        body->string_at = body->bytes;
    } else if (body->escaped) {
        body->escaped = false;
    } else if (c == '\\') {
        body->escaped = true;
    } else if (c == '"') {
        body->in_string = false;
    } else if (body->door.open && !body->upload &&
               body->bytes - body->string_at > BODY_STRING_MAX) {
        begin_diversion(body);
    }
}

static void feed_json(struct body *body, const char *bytes, size_t count)
{
    size_t at = 0;
    while (at < count && !body->status) {
        if (body->diverting)
            at += divert(body, bytes + at, count - at);
        else
            take_json(body, bytes[at++]);
    }
}

/* ------------------------------------------------------------------------------------------- */

void body_feed(struct body *body, const char *bytes, size_t count)
{
    if (body->status)
        return;
    if (body->kind == BODY_JSON)
        feed_json(body, bytes, count);
    else if (body->kind == BODY_TRACK)
        media_upload_feed(body->upload, bytes, count);
    else if (lws_spa_process(body->form, bytes, (int)count) != 0)
        fail(body, 422, "The form cannot be read");
}

int body_nesting(const char *text, size_t bytes)
{
    int depth = 0, deepest = 0;
    bool in_string = false;
    for (size_t i = 0; i < bytes; i++) {
        if (in_string && text[i] == '\\')
            i++;
        else if (text[i] == '"')
            in_string = !in_string;
        else if (!in_string && (text[i] == '{' || text[i] == '['))
            deepest = ++depth > deepest ? depth : deepest;
        else if (!in_string && (text[i] == '}' || text[i] == ']'))
            depth--;
    }
    return deepest;
}

/* A track so short that it was not taken for one: what the data of its medium are. */
static void divert_short(struct body *body, cJSON *json)
{
    cJSON *media = cJSON_GetObjectItemCaseSensitive(json, "media");
    const cJSON *data = cJSON_GetObjectItemCaseSensitive(media, "data");
    if (!body->door.open || body->upload || !cJSON_IsString(data) || !need_upload(body))
        return;
    media_upload_feed_base64(body->upload, data->valuestring, strlen(data->valuestring));
}

/* Of a call with a track, which is kept while that goes to the disk: what describes it. */
static cJSON *keep_description(cJSON *json)
{
    static const char *const names[] = {"track_id", "name", "filename"};
    const cJSON *media = cJSON_GetObjectItemCaseSensitive(json, "media");
    cJSON *kept = cJSON_CreateObject();
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const cJSON *text = cJSON_GetObjectItemCaseSensitive(json, names[i]);
        if (cJSON_IsString(text))
            cJSON_AddStringToObject(kept, names[i], text->valuestring);
    }
    if (cJSON_IsObject(media)) {
        const cJSON *type = cJSON_GetObjectItemCaseSensitive(media, "content_type");
        const cJSON *data = cJSON_GetObjectItemCaseSensitive(media, "data");
        cJSON *copy = cJSON_AddObjectToObject(kept, "media");
        if (cJSON_IsString(type))
            cJSON_AddStringToObject(copy, "content_type", type->valuestring);
        if (cJSON_IsString(data))
            cJSON_AddStringToObject(copy, "data", "");
    }
    cJSON_Delete(json);
    return kept;
}

static cJSON *form_json(struct body *body)
{
    if (!body->upload)
        fail(body, 422, "A file is wanted in the form");
    lws_spa_finalize(body->form);
    cJSON *json = cJSON_CreateObject();
    for (int i = 0; i < FORM_NAMES; i++) {
        const char *value = lws_spa_get_string(body->form, i);
        if (value && !utf8_is_valid(value, strlen(value)))
            fail(body, 422, "The form is not UTF-8");
        else if (value)
            cJSON_AddStringToObject(json, form_names[i], value);
    }
    return json;
}

struct reply body_finish(struct body *body, cJSON **ret_json, struct media_upload **ret_upload)
{
    cJSON *json = NULL;
    if (body->kind == BODY_FORM && !body->status)
        json = form_json(body);
    else if (body->text && !utf8_is_valid(body->text, body->bytes))
        fail(body, 422, "The body is not UTF-8");
    else if (body->text && body_nesting(body->text, body->bytes) > SERVICE_NESTING_MAX)
        fail(body, 422, "The body is nested too deeply");
    else if (body->text && !body->status)
        json = cJSON_Parse(body->text);
    if (body->kind == BODY_JSON)
        divert_short(body, json);
    if (body->status) {
        cJSON_Delete(json);
        return reply_error(body->status, body->reason);
    }
    *ret_json = json && body->upload && body->kind == BODY_JSON ? keep_description(json) : json;
    *ret_upload = body->upload;
    return (struct reply){.status = 200};
}
