/*
 * lookup.c: see lookup.h. The most exact way to name an item is tried first.
 */
#include "lookup.h"

#include "members.h"
#include "text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PREFIX_MIN 4
#define NAMES_SHOWN 3

typedef bool matches(const cJSON *item, const char *word);

static bool has_id(const cJSON *item, const char *word)
{
    return strcmp(member_text(item, "id"), word) == 0;
}

static bool has_track_id(const cJSON *item, const char *word)
{
    return strcmp(member_text(item, "track_id"), word) == 0;
}

static bool has_name(const cJSON *item, const char *word)
{
    return text_equals(member_text(item, "name"), word);
}

static bool name_has_part(const cJSON *item, const char *word)
{
    return text_contains(member_text(item, "name"), word);
}

static const cJSON *by_number(const cJSON *playlist, const char *word)
{
    char *end;
    long number = strtol(word, &end, 10);
    if (*word < '0' || *word > '9' || *end || number < 1 || number > cJSON_GetArraySize(playlist))
        return NULL;
    return cJSON_GetArrayItem(playlist, (int)number - 1);
}

static bool is_number(const char *word)
{
    return *word && strspn(word, "0123456789") == strlen(word);
}

static void tell_nothing(const cJSON *playlist, const char *word, char error[LOOKUP_ERROR_MAX])
{
    char shown[200];
    int count = cJSON_GetArraySize(playlist);
    text_fit(shown, sizeof shown, word, 40);
    if (is_number(word))
        snprintf(error, LOOKUP_ERROR_MAX, "there is no track %s: the playlist has %d", shown,
                 count);
    else
        snprintf(error, LOOKUP_ERROR_MAX,
                 "nothing on the playlist matches %s; see tuttictl playlist", shown);
}

static bool same_track(const cJSON *a, const cJSON *b)
{
    return strcmp(member_text(a, "track_id"), member_text(b, "track_id")) == 0;
}

/* The first match; *ret_count of all, those of the same track counting once if that will do. */
static const cJSON *match(const cJSON *playlist, const char *word, matches *test,
                          enum lookup_aim aim, int *ret_count)
{
    const cJSON *item, *first = NULL;
    *ret_count = 0;
    cJSON_ArrayForEach(item, playlist)
    {
        if (!test(item, word) || (first && aim == LOOKUP_TRACK && same_track(first, item)))
            continue;
        if (!first)
            first = item;
        ++*ret_count;
    }
    return first;
}

/* "lake matches 4 tracks: 2 Lake, 3 Lakeside, 7 By the lake ..." */
static void tell_ambiguous(const cJSON *playlist, const char *word, matches *test, int count,
                           char error[LOOKUP_ERROR_MAX])
{
    char shown[80];
    text_fit(shown, sizeof shown, word, 20);
    int at = snprintf(error, LOOKUP_ERROR_MAX, "%s matches %d tracks:", shown, count);
    int number = 0, named = 0;
    const cJSON *item;
    cJSON_ArrayForEach(item, playlist)
    {
        number++;
        if (!test(item, word))
            continue;
        if (named++ == NAMES_SHOWN) {
            snprintf(error + at, LOOKUP_ERROR_MAX - (size_t)at, " ...");
            return;
        }
        char name[64];
        text_fit(name, sizeof name, member_text(item, "name"), 24);
        int more = snprintf(error + at, LOOKUP_ERROR_MAX - (size_t)at, "%s %d %s",
                            named > 1 ? "," : "", number, name);
        if (more < 0 || more >= LOOKUP_ERROR_MAX - at)
            return;
        at += more;
    }
}

const cJSON *lookup_item(const cJSON *playlist, const char *word, enum lookup_aim aim,
                         char error[LOOKUP_ERROR_MAX])
{
    static matches *const tests[] = {has_id, has_track_id, has_name, name_has_part};
    const cJSON *item = by_number(playlist, word);
    /* A number beyond the list is a slip, and not a part of some name. */
    size_t ways = is_number(word) ? 2 : sizeof tests / sizeof *tests;
    for (size_t i = 0; !item && *word && i < ways; i++) {
        int count;
        const cJSON *found = match(playlist, word, tests[i], aim, &count);
        if (count > 1) {
            tell_ambiguous(playlist, word, tests[i], count, error);
            return NULL;
        }
        item = found;
    }
    if (!item)
        tell_nothing(playlist, word, error);
    return item;
}

const char *lookup_request(const cJSON *requests, const char *word, char error[LOOKUP_ERROR_MAX])
{
    const char *found = NULL;
    int count = 0;
    const cJSON *request;
    cJSON_ArrayForEach(request, requests)
    {
        const char *id = member_text(request, "id");
        if (strcmp(id, word) == 0)
            return id;
        if (strncmp(id, word, strlen(word)) != 0)
            continue;
        found = id;
        count++;
    }
    if (count > 1 && *word) {
        char shown[80];
        text_fit(shown, sizeof shown, word, 20);
        snprintf(error, LOOKUP_ERROR_MAX,
                 "the ids of %d requests begin with %s; see tuttictl requests", count, shown);
        return NULL;
    }
    return count == 1 ? found : word;
}

const cJSON *lookup_speaker(const cJSON *speakers, const char *word, char error[LOOKUP_ERROR_MAX])
{
    const cJSON *speaker, *found = NULL;
    int count = 0;
    cJSON_ArrayForEach(speaker, speakers)
    {
        const char *name = member_text(speaker, "name");
        if (strcmp(name, word) == 0 || strcmp(member_text(speaker, "device_id"), word) == 0)
            return speaker;
        if (text_begins(name, word))
            found = speaker, count++;
    }
    if (count == 1)
        return found;
    char shown[80];
    text_fit(shown, sizeof shown, word, 40);
    snprintf(error, LOOKUP_ERROR_MAX, "%s speaker is called %s; see: tuttictl speakers",
             count ? "more than one" : "no", shown);
    return NULL;
}

static size_t common_bytes(const char *a, const char *b)
{
    size_t at = 0;
    while (a[at] && a[at] == b[at])
        at++;
    return at;
}

size_t lookup_request_prefix(const cJSON *requests)
{
    size_t longest = PREFIX_MIN;
    const cJSON *one, *other;
    cJSON_ArrayForEach(one, requests)
    {
        for (other = one->next; other; other = other->next) {
            size_t needed = common_bytes(member_text(one, "id"), member_text(other, "id")) + 1;
            longest = needed > longest ? needed : longest;
        }
    }
    return longest;
}
