/*
 * control_library.c: the commands about a hub's library: a search, whose tracks people may then name
 * by their numbers, and what is added from it.
 */
#include "control_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WORDS_ENCODED_MAX (3 * CONTROL_WORDS_MAX)

/* --- searching ----------------------------------------------------------------------------- */

static void read_found(const cJSON *root, const char *key, struct link_said *ret)
{
    (void)key;
    if (cJSON_IsArray(cJSON_GetObjectItemCaseSensitive(root, "tracks")))
        link_say(ret, root);
}

/* No text within JSON has quotes without a backslash: this is the name of a member. */
static const char *next_id(const char *json)
{
    static const char name[] = "\"id\":\"";
    const char *found = strstr(json, name);
    return found ? found + strlen(name) : NULL;
}

static void remember(struct found_tracks *found, const char *json, int number)
{
    found->count = 0;
    found->number = number;
    while ((json = next_id(json)) && found->count < CONTROL_LIMIT_MAX)
        snprintf(found->ids[found->count++], FOUND_ID_MAX, "%.*s", (int)strcspn(json, "\""), json);
}

static void searched(void *user, const struct link_answer *answer)
{
    struct waiting *waiting = user;
    struct daemon *daemon = waiting->daemon;
    const char *json = answer->said->text;
    int number = waiting->number;
    struct asker asker = control_stop_waiting(waiting);
    char *members = NULL;
    if (answer->error[0]) {
        control_fail(&asker, answer->error);
        return;
    }
    if (!json) {
        control_fail(&asker, "the hub's answer cannot be understood");
        return;
    }
    remember(&daemon->found, json, number);
    /* Into the object, before its first member: it has some. */
    if (asprintf(&members, "\"library\":{\"number\":%d,%s", number, json + 1) > 0)
        control_answer_text(&asker, members);
    free(members);
}

static void do_search(struct daemon *daemon, const struct asker *asker,
                      const struct control_cmd *cmd)
{
    char words[WORDS_ENCODED_MAX], album[WORDS_ENCODED_MAX], path[2 * WORDS_ENCODED_MAX + 64];
    struct waiting *waiting = control_wait(daemon, asker);
    if (!waiting)
        return;
    int after = cmd->after < 0 ? 0 : cmd->after;
    waiting->number = after + 1;
    if (!protocol_encode(words, sizeof words, cmd->words) ||
        !protocol_encode(album, sizeof album, cmd->album)) {
        struct asker who = control_stop_waiting(waiting);
        control_fail(&who, "these are too many words");
        return;
    }
    snprintf(path, sizeof path, "/library?q=%s&album=%s&after=%d&limit=%d", words, album, after,
             cmd->limit < 0 ? CONTROL_LIMIT_MAX : cmd->limit);
    const struct link_question question = {
        .method = "GET", .path = path, .read = read_found, .of_house = true};
    link_ask_hub(daemon->link, &question, searched, waiting);
}

/* --- adding -------------------------------------------------------------------------------- */

static bool is_number(const char *word)
{
    return strlen(word) < 8 && strspn(word, "0123456789") == strlen(word);
}

/* An id, or what has this number in the last search; NULL: nothing has. */
static const char *find_track(const struct daemon *daemon, const char *word)
{
    const struct found_tracks *found = &daemon->found;
    if (!is_number(word))
        return control_is_hub_id(word) ? word : NULL;
    int place = atoi(word) - found->number;
    return place >= 0 && place < found->count && control_is_hub_id(found->ids[place])
               ? found->ids[place]
               : NULL;
}

/* An array of them; NULL: error says which is none. */
static cJSON *name_tracks(const struct daemon *daemon, const char *list,
                          char error[CONTROL_ERROR_MAX])
{
    char words[CONTROL_TRACKS_MAX], *rest = NULL;
    cJSON *array = cJSON_CreateArray();
    strcpy(words, list);
    for (char *word = strtok_r(words, " ", &rest); word; word = strtok_r(NULL, " ", &rest)) {
        const char *id = find_track(daemon, word);
        if (id) {
            cJSON_AddItemToArray(array, cJSON_CreateString(id));
            continue;
        }
        snprintf(error, CONTROL_ERROR_MAX,
                 "the last search here found no %.40s: see tuttictl search", word);
        cJSON_Delete(array);
        return NULL;
    }
    return array;
}

static void do_add_tracks(struct daemon *daemon, const struct asker *asker,
                          const struct control_cmd *cmd)
{
    char error[CONTROL_ERROR_MAX];
    cJSON *tracks = name_tracks(daemon, cmd->tracks, error);
    if (!tracks) {
        control_fail(asker, error);
        return;
    }
    cJSON *body = cJSON_CreateObject();
    cJSON_AddItemToObject(body, "library", tracks);
    control_ask_hub(daemon, asker, "POST", "/playlist", body, "added");
}

/* --- playlists ----------------------------------------------------------------------------- */

static void change_lists(struct daemon *daemon, const struct asker *asker, const char *act,
                         const char *name)
{
    cJSON *body = cJSON_CreateObject();
    cJSON_AddStringToObject(body, act, name);
    control_ask_hub(daemon, asker, "POST", "/lists", body, "list");
}

void control_library(struct daemon *daemon, const struct asker *asker,
                     const struct control_cmd *cmd)
{
    switch (cmd->verb) {
    case CONTROL_SEARCH:
        do_search(daemon, asker, cmd);
        break;
    case CONTROL_ADD_TRACKS:
        do_add_tracks(daemon, asker, cmd);
        break;
    case CONTROL_LISTS:
        control_ask_hub(daemon, asker, "GET", "/lists", NULL, "lists");
        break;
    case CONTROL_SAVE:
        change_lists(daemon, asker, "save", cmd->name);
        break;
    case CONTROL_LOAD:
        change_lists(daemon, asker, "load", cmd->name);
        break;
    case CONTROL_FORGET:
        change_lists(daemon, asker, "forget", cmd->name);
        break;
    default:
        control_ask_hub(daemon, asker, "DELETE", "/playlist", NULL, "removed");
        break;
    }
}
