/*
 * protocol_words.c: the contract's words.
 */
#include "tutti/core/protocol.h"

#include <string.h>

static const char *const actions[] = {
    [PLAYBACK_PLAY] = "play",           [PLAYBACK_PAUSE] = "pause",
    [PLAYBACK_SEEK] = "seek",           [PLAYBACK_SKIP_NEXT] = "skip_next",
    [PLAYBACK_SKIP_PREV] = "skip_prev",
};
static const char *const types[] = {
    [REQUEST_OTHER] = "",
    [REQUEST_ADD] = "add",
    [REQUEST_REORDER] = "reorder",
    [REQUEST_REMOVE] = "remove",
};
static const char *const statuses[] = {
    [REQUEST_PENDING] = "pending",
    [REQUEST_APPROVED] = "approved",
    [REQUEST_DENIED] = "denied",
};
static const char *const repeats[] = {
    [REPEAT_OFF] = "off",
    [REPEAT_ONE] = "one",
    [REPEAT_ALL] = "all",
};
static const char *const whos[] = {
    [WHO_HOST] = "host",
    [WHO_REQUESTS] = "requests",
    [WHO_EVERYONE] = "everyone",
};
static const char *const states[] = {[false] = "paused", [true] = "playing"};

#define COUNT(words) ((int)(sizeof(words) / sizeof *(words)))

/* -1: it is none of them. */
static int find(const char *const *words, int count, const char *word)
{
    for (int i = 0; i < count; i++)
        if (strcmp(words[i], word) == 0)
            return i;
    return -1;
}

const char *playback_action_name(enum playback_action action)
{
    return actions[action];
}

bool playback_action_parse(const char *word, enum playback_action *ret_action)
{
    int found = find(actions, COUNT(actions), word);
    if (found >= 0)
        *ret_action = (enum playback_action)found;
    return found >= 0;
}

const char *request_type_name(enum request_type type)
{
    return types[type];
}

enum request_type request_type_parse(const char *word)
{
    int found = find(types, COUNT(types), word);
    return found >= 0 ? (enum request_type)found : REQUEST_OTHER;
}

const char *request_status_name(enum request_status status)
{
    return statuses[status];
}

bool request_status_parse(const char *word, enum request_status *ret_status)
{
    int found = find(statuses, COUNT(statuses), word);
    if (found >= 0)
        *ret_status = (enum request_status)found;
    return found >= 0;
}

const char *playback_state_name(bool playing)
{
    return states[playing];
}

bool playback_state_parse(const char *word, bool *ret_playing)
{
    int found = find(states, COUNT(states), word);
    if (found >= 0)
        *ret_playing = found;
    return found >= 0;
}

const char *session_who_name(enum session_who who)
{
    return whos[who];
}

bool session_who_parse(const char *word, enum session_who *ret_who)
{
    int found = find(whos, COUNT(whos), word);
    if (found >= 0)
        *ret_who = (enum session_who)found;
    return found >= 0;
}

const char *session_repeat_name(enum session_repeat repeat)
{
    return repeats[repeat];
}

bool session_repeat_parse(const char *word, enum session_repeat *ret_repeat)
{
    int found = find(repeats, COUNT(repeats), word);
    if (found >= 0)
        *ret_repeat = (enum session_repeat)found;
    return found >= 0;
}
