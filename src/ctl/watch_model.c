/*
 * watch_model.c: see watch_model.h. What may be done and what happened is the daemon's to say: keys
 * become requests, answers become messages.
 */
#include "watch_model.h"

#include "command.h"
#include "members.h"
#include "text.h"
#include "watch_list.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define MESSAGE_SHOWN_MS 6000 /* long enough to be read */
#define SEEK_STEP_MS 10000
#define VOLUME_STEP 5
#define REQUESTS_MAX 1000
#define PAGE_ROWS 5

void watch_model_init(struct watch_model *model, int count, char paths[][INVOCATION_PATH_MAX])
{
    *model = (struct watch_model){.speaker_count = count};
    for (int i = 0; i < count; i++) {
        model->speakers[i].path = paths[i];
        trace_clear(&model->speakers[i].drift);
    }
}

void watch_model_finish(struct watch_model *model)
{
    for (int i = 0; i < model->speaker_count; i++) {
        cJSON_Delete(model->speakers[i].status);
        cJSON_Delete(model->speakers[i].playlist);
        cJSON_Delete(model->speakers[i].requests);
    }
    model->speaker_count = 0;
}

const struct watch_speaker *watch_model_chosen(const struct watch_model *model)
{
    return &model->speakers[model->chosen_speaker];
}

bool watch_speaker_is_host(const struct watch_speaker *speaker)
{
    return strcmp(member_text(member(speaker->status, "session"), "role"), "host") == 0;
}

bool watch_speaker_may_control(const struct watch_speaker *speaker)
{
    return watch_speaker_is_host(speaker) ||
           member_is_true(member(speaker->status, "session"), "may_control");
}

static void say(struct watch_model *model, bool error, int64_t now_ms, const char *text)
{
    snprintf(model->message, sizeof model->message, "%s", text);
    model->message_is_error = error;
    model->message_until_ms = now_ms + MESSAGE_SHOWN_MS;
}

int64_t watch_model_tick(struct watch_model *model, int64_t now_ms)
{
    if (!model->message[0])
        return -1;
    if (now_ms < model->message_until_ms)
        return model->message_until_ms;
    model->message[0] = '\0';
    return -1;
}

/* --- requests ------------------------------------------------------------------------------- */

static bool is_pending(const cJSON *request)
{
    return strcmp(member_text(request, "status"), "pending") == 0;
}

int watch_speaker_requests(const struct watch_speaker *speaker, const cJSON *order[], int max)
{
    const cJSON *request;
    int count = 0;
    cJSON_ArrayForEach(request, speaker->requests)
    {
        if (is_pending(request) && count < max)
            order[count++] = request;
    }
    /* The first of a list knows its last. */
    const cJSON *first = speaker->requests ? speaker->requests->child : NULL;
    for (request = first ? first->prev : NULL; request && count < max; request = request->prev) {
        if (!is_pending(request))
            order[count++] = request;
        if (request == first)
            break;
    }
    return count;
}

const cJSON *watch_model_chosen_request(const struct watch_model *model)
{
    const cJSON *request, *first = NULL;
    cJSON_ArrayForEach(request, watch_model_chosen(model)->requests)
    {
        if (!is_pending(request))
            continue;
        if (strcmp(member_text(request, "id"), model->chosen_request) == 0)
            return request;
        first = first ? first : request;
    }
    return first;
}

static void choose_request(struct watch_model *model, int by)
{
    const cJSON *order[REQUESTS_MAX], *chosen = watch_model_chosen_request(model);
    int count = watch_speaker_requests(watch_model_chosen(model), order, REQUESTS_MAX);
    for (int i = 0; i < count && chosen; i++) {
        int to = i + by;
        if (order[i] != chosen || to < 0 || to >= count || !is_pending(order[to]))
            continue;
        snprintf(model->chosen_request, sizeof model->chosen_request, "%s",
                 member_text(order[to], "id"));
        return;
    }
}

/* --- lines ---------------------------------------------------------------------------------- */

/* Moves the line's member into *to; what is of another type is passed over. */
static bool keep(cJSON *line, const char *name, cJSON **to)
{
    const cJSON *there = member(line, name);
    if (!cJSON_IsObject(there) && !cJSON_IsArray(there))
        return false;
    cJSON_Delete(*to);
    *to = cJSON_DetachItemFromObjectCaseSensitive(line, name);
    return true;
}

static void take_state(struct watch_speaker *speaker, cJSON *line, int64_t now_ms)
{
    if (keep(line, "status", &speaker->status))
        trace_add(&speaker->drift, now_ms, member_number(speaker->status, "error_us"));
    keep(line, "playlist", &speaker->playlist);
    if (strcmp(member_text(line, "event"), "playlist_change") == 0)
        watch_list_change(speaker->playlist, line);
    keep(line, "requests", &speaker->requests);
}

static struct watch_asked *find_asked(struct watch_speaker *speaker, double id)
{
    for (int i = 0; i < WATCH_ASKED_MAX; i++) {
        if (speaker->asked[i].id != 0 && speaker->asked[i].id == id)
            return &speaker->asked[i];
    }
    return NULL;
}

static void tell_done(struct watch_model *model, const char *cmd, const cJSON *answer,
                      int64_t now_ms)
{
    char text[WATCH_TEXT_MAX];
    double took_ms = member_number(answer, "took_ms");
    const struct command *command = command_find(cmd);
    const char *done = command && command->done ? command->done : member_text(answer, "state");
    const char *summary = member_text(member(answer, "request"), "summary");
    if (!isfinite(took_ms))
        return; /* volume and mute are seen at once */
    snprintf(text, sizeof text, "%s%s%.100s, confirmed in %.0f ms", done, *summary ? " " : "",
             summary, took_ms);
    say(model, false, now_ms, text);
}

static void take_answer(struct watch_model *model, struct watch_speaker *speaker,
                        const cJSON *answer, int64_t now_ms)
{
    struct watch_asked *asked = find_asked(speaker, member_number(answer, "id"));
    if (!member_is_true(answer, "ok"))
        say(model, true, now_ms, member_text(answer, "error"));
    else if (asked)
        tell_done(model, asked->cmd, answer, now_ms);
    if (asked)
        asked->id = 0;
}

void watch_model_take(struct watch_model *model, int index, cJSON *line, int64_t now_ms)
{
    struct watch_speaker *speaker = &model->speakers[index];
    if (cJSON_IsObject(line)) {
        if (member(line, "id") && !member(line, "progress"))
            take_answer(model, speaker, line, now_ms);
        take_state(speaker, line, now_ms);
        speaker->live = speaker->live || speaker->status != NULL;
    }
    cJSON_Delete(line);
}

void watch_model_lost(struct watch_model *model, int index, int64_t now_ms)
{
    struct watch_speaker *speaker = &model->speakers[index];
    bool unanswered = false;
    for (int i = 0; i < WATCH_ASKED_MAX; i++) {
        unanswered = unanswered || speaker->asked[i].id != 0;
        speaker->asked[i].id = 0;
    }
    if (speaker->live)
        trace_add(&speaker->drift, now_ms, NAN);
    speaker->live = false;
    if (unanswered)
        say(model, true, now_ms, "the daemon has gone before it answered");
}

void watch_model_sent(struct watch_model *model, int index, int id, const cJSON *request)
{
    struct watch_speaker *speaker = &model->speakers[index];
    const struct command *command = command_find(member_text(request, "cmd"));
    for (int i = 0; i < WATCH_ASKED_MAX && command; i++) {
        if (speaker->asked[i].id != 0)
            continue;
        speaker->asked[i] = (struct watch_asked){id, command->name};
        return;
    }
}

/* --- keys ----------------------------------------------------------------------------------- */

static cJSON *request_of(const char *cmd)
{
    cJSON *request = cJSON_CreateObject();
    cJSON_AddStringToObject(request, "cmd", cmd);
    return request;
}

static cJSON *request_by(const char *cmd, const char *name, double by)
{
    cJSON *request = request_of(cmd);
    cJSON_AddNumberToObject(request, name, by);
    return request;
}

static cJSON *request_about_chosen(const struct watch_model *model, const char *cmd)
{
    const cJSON *chosen = watch_model_chosen_request(model);
    if (!chosen)
        return NULL;
    cJSON *request = request_of(cmd);
    cJSON_AddStringToObject(request, "request_id", member_text(chosen, "id"));
    return request;
}

#define TYPED_BYTES_MAX (WATCH_TYPED_MAX * 4)

static void typed_text(const struct watch_model *model, char text[TYPED_BYTES_MAX])
{
    wchar_t typed[WATCH_TYPED_MAX];
    const wchar_t *from = typed;
    mbstate_t state = {0};
    wmemcpy(typed, model->typed, (size_t)model->typed_length);
    typed[model->typed_length] = L'\0';
    size_t bytes = wcsrtombs(text, &from, TYPED_BYTES_MAX - 1, &state);
    text[bytes == (size_t)-1 ? 0 : bytes] = '\0';
}

static cJSON *begin_denial(struct watch_model *model)
{
    const cJSON *chosen = watch_model_chosen_request(model);
    if (!chosen || !watch_speaker_is_host(watch_model_chosen(model)))
        return request_about_chosen(model, "deny"); /* the daemon says who may */
    /* The choice stays with it while the reason is typed, whatever arrives. */
    snprintf(model->chosen_request, sizeof model->chosen_request, "%s", member_text(chosen, "id"));
    model->asking_reason = true;
    model->typed_length = 0;
    return NULL;
}

static cJSON *end_denial(struct watch_model *model)
{
    cJSON *request = request_of("deny");
    char text[TYPED_BYTES_MAX];
    model->asking_reason = false;
    typed_text(model, text);
    cJSON_AddStringToObject(request, "request_id", model->chosen_request);
    if (*text)
        cJSON_AddStringToObject(request, "reason", text);
    return request;
}

/* True: what is typed is another by now. */
static bool type(struct watch_model *model, struct watch_key key)
{
    bool rubs = key.kind == WATCH_KEY_BACKSPACE && model->typed_length > 0;
    bool adds = key.kind == WATCH_KEY_CHARACTER && wcwidth(key.character) >= 0 &&
                model->typed_length < WATCH_TYPED_MAX - 1;
    if (rubs)
        model->typed_length--;
    if (adds)
        model->typed[model->typed_length++] = key.character;
    return rubs || adds;
}

static cJSON *key_of_reason(struct watch_model *model, struct watch_key key)
{
    if (key.kind == WATCH_KEY_ENTER)
        return end_denial(model);
    if (key.kind == WATCH_KEY_ESCAPE)
        model->asking_reason = false;
    else
        type(model, key);
    return NULL;
}

/* The next place from `from` on, forwards or back and round the end, whose name has what is typed. */
static int find(const struct watch_model *model, int from, int step)
{
    char text[TYPED_BYTES_MAX];
    const cJSON *playlist = watch_model_chosen(model)->playlist;
    int count = cJSON_GetArraySize(playlist);
    typed_text(model, text);
    for (int i = 0; i < count && *text; i++) {
        int at = ((from + i * step) % count + count) % count;
        if (text_contains(member_text(cJSON_GetArrayItem(playlist, at), "name"), text))
            return at;
    }
    return -1;
}

static cJSON *play_found(struct watch_model *model)
{
    const cJSON *playlist = watch_model_chosen(model)->playlist;
    const cJSON *item = model->found < 0 ? NULL : cJSON_GetArrayItem(playlist, model->found);
    model->searching = false;
    if (!item)
        return NULL;
    cJSON *request = request_of("play");
    cJSON_AddStringToObject(request, "track_id", member_text(item, "id"));
    return request;
}

static cJSON *key_of_search(struct watch_model *model, struct watch_key key)
{
    int from = model->found < 0 ? 0 : model->found;
    if (key.kind == WATCH_KEY_ENTER)
        return play_found(model);
    if (key.kind == WATCH_KEY_ESCAPE)
        model->searching = false;
    else if (key.kind == WATCH_KEY_DOWN)
        model->found = find(model, from + 1, 1);
    else if (key.kind == WATCH_KEY_UP)
        model->found = find(model, from - 1, -1);
    else if (type(model, key))
        model->found = find(model, from, 1);
    return NULL;
}

static cJSON *begin_search(struct watch_model *model)
{
    model->searching = true;
    model->found = -1;
    model->typed_length = 0;
    model->scrolled = 0;
    return NULL;
}

static cJSON *character_of_host(struct watch_model *model, wchar_t character)
{
    switch (character) {
    case L' ':
        return request_of("toggle");
    case L'n':
        return request_of("next");
    case L'p':
        return request_of("prev");
    case L'a':
        return request_about_chosen(model, "approve");
    case L'd':
        return begin_denial(model);
    default:
        return NULL;
    }
}

static void scroll(struct watch_model *model, int by)
{
    int count = cJSON_GetArraySize(watch_model_chosen(model)->playlist), to = model->scrolled + by;
    model->scrolled = to < -count ? -count : to > count ? count : to;
}

static cJSON *key_of_view(struct watch_model *model, struct watch_key key)
{
    switch (key.kind) {
    case WATCH_KEY_LEFT:
        return request_by("seek", "by_ms", -SEEK_STEP_MS);
    case WATCH_KEY_RIGHT:
        return request_by("seek", "by_ms", SEEK_STEP_MS);
    case WATCH_KEY_UP:
    case WATCH_KEY_DOWN:
        choose_request(model, key.kind == WATCH_KEY_UP ? -1 : 1);
        return NULL;
    case WATCH_KEY_PAGE_UP:
    case WATCH_KEY_PAGE_DOWN:
        scroll(model, key.kind == WATCH_KEY_PAGE_UP ? -PAGE_ROWS : PAGE_ROWS);
        return NULL;
    case WATCH_KEY_TAB:
        model->chosen_speaker = (model->chosen_speaker + 1) % model->speaker_count;
        model->scrolled = 0;
        model->chosen_request[0] = '\0';
        return NULL;
    case WATCH_KEY_ENTER:
        return request_of("play");
    case WATCH_KEY_CHARACTER:
        break;
    default:
        return NULL;
    }
    switch (key.character) {
    case L'/':
        return begin_search(model);
    case L'+':
    case L'=':
        return request_by("volume", "by", VOLUME_STEP);
    case L'-':
        return request_by("volume", "by", -VOLUME_STEP);
    case L'm':
        return request_of("mute");
    default:
        return character_of_host(model, key.character);
    }
}

/* A key that is held down must not pile up commands which the backend has yet to confirm. */
static bool is_waiting(const struct watch_speaker *speaker, const char *cmd)
{
    int outstanding = 0;
    for (int i = 0; i < WATCH_ASKED_MAX; i++) {
        outstanding += speaker->asked[i].id != 0;
        if (speaker->asked[i].id != 0 && strcmp(speaker->asked[i].cmd, cmd) == 0)
            return true;
    }
    return outstanding == WATCH_ASKED_MAX;
}

enum watch_outcome watch_model_key(struct watch_model *model, struct watch_key key, int64_t now_ms,
                                   cJSON **ret_request)
{
    const struct watch_speaker *speaker = watch_model_chosen(model);
    bool typing = model->asking_reason || model->searching;
    if (!typing && key.kind == WATCH_KEY_CHARACTER && key.character == L'q')
        return WATCH_QUIT;
    if (model->message_is_error)
        model->message[0] = '\0';
    cJSON *request = model->asking_reason ? key_of_reason(model, key)
                     : model->searching   ? key_of_search(model, key)
                                          : key_of_view(model, key);
    if (!request)
        return WATCH_STAY;
    if (speaker->live && !is_waiting(speaker, member_text(request, "cmd"))) {
        *ret_request = request;
        return WATCH_SEND;
    }
    if (!speaker->live)
        say(model, true, now_ms, "not now: the daemon is away");
    cJSON_Delete(request);
    return WATCH_STAY;
}
