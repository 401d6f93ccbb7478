/*
 * library.c: see library.h.
 */
#include "library.h"

#include "duration.h"
#include "members.h"
#include "text.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define PATIENCE_S 20
/* As the daemon takes them. */
#define WORDS_MAX 256
#define NUMBER_DIGITS_MAX 7
#define TRACKS_MAX 200
#define ID_MAX 33

/* With blanks between. False: they are too many. */
static bool join(int count, const char *const *words, char *to, size_t size)
{
    size_t used = 0;
    to[0] = '\0';
    for (int i = 0; i < count; i++) {
        int more = snprintf(to + used, size - used, "%s%s", i ? " " : "", words[i]);
        if (more < 0 || (size_t)more >= size - used)
            return false;
        used += (size_t)more;
    }
    return true;
}

bool order_search(const struct order_call *call, struct order *order)
{
    char words[WORDS_MAX];
    if (!join(call->argc, (const char *const *)call->argv, words, sizeof words)) {
        snprintf(order->error, sizeof order->error, "these are too many words");
        return false;
    }
    cJSON_AddStringToObject(order->request, "words", words);
    return cJSON_AddNumberToObject(order->request, "limit", 50) != NULL;
}

/* --- what was found ------------------------------------------------------------------------ */

static void print_track(const struct paper *paper, const cJSON *track, double number)
{
    char length[DURATION_MAX] = "";
    double duration_s = member_number(track, "duration_seconds");
    if (isfinite(duration_s))
        duration_format(duration_s * 1e3, length);
    fprintf(paper->out, "%6.0f  ", number);
    paper_field(paper, INK_PLAIN, 26, member_text(track, "title"));
    fputs("  ", paper->out);
    paper_field(paper, INK_PLAIN, 16, member_text(track, "artist"));
    fputs("  ", paper->out);
    paper_field(paper, INK_PLAIN, 16, member_text(track, "album"));
    fprintf(paper->out, " %9s\n", length);
}

void print_found(const struct paper *paper, const cJSON *answer,
                 const struct print_context *context)
{
    const cJSON *found = member(answer, "library"), *track;
    double number = member_number(found, "number");
    int count = 0;
    (void)context;
    cJSON_ArrayForEach(track, member(found, "tracks"))
    {
        print_track(paper, track, number + count++);
    }
    if (isfinite(member_number(found, "next")))
        fputs("        and more: another word says which\n", paper->out);
    if (count == 0)
        fprintf(paper->out, "Nothing was found among %.0f tracks.\n",
                member_number(found, "total"));
    if (!member_is_true(found, "complete"))
        fputs("The hub is still looking through its directories.\n", paper->out);
}

void print_cleared(const struct paper *paper, const cJSON *answer,
                   const struct print_context *context)
{
    (void)context;
    fprintf(paper->out, "removed all %.0f tracks of the playlist; the library keeps them\n",
            member_number(answer, "removed"));
}

/* --- playlists that are kept under a name -------------------------------------------------- */

bool order_list(const struct order_call *call, struct order *order)
{
    char name[WORDS_MAX];
    if (call->argc == 0)
        return false;
    if (!join(call->argc, (const char *const *)call->argv, name, sizeof name)) {
        snprintf(order->error, sizeof order->error, "this name is too long");
        return false;
    }
    text_fit(order->subject, sizeof order->subject, name, 44);
    return cJSON_AddStringToObject(order->request, "name", name) != NULL;
}

bool order_load(const struct order_call *call, struct order *order)
{
    if (call->argc > 0)
        return order_list(call, order);
    return cJSON_ReplaceItemInObjectCaseSensitive(order->request, "cmd",
                                                  cJSON_CreateString("lists"));
}

void print_saved(const struct paper *paper, const cJSON *answer,
                 const struct print_context *context)
{
    fprintf(paper->out, "saved %.0f tracks as ", member_number(member(answer, "list"), "saved"));
    paper_text(paper, INK_PLAIN, context->subject);
    fputc('\n', paper->out);
}

static void print_lists(const struct paper *paper, const cJSON *lists)
{
    const cJSON *list;
    int count = 0;
    cJSON_ArrayForEach(list, lists)
    {
        paper_field(paper, INK_PLAIN, 60, member_text(list, "name"));
        fprintf(paper->out, " %6.0f tracks\n", member_number(list, "tracks"));
        count++;
    }
    if (count == 0)
        fputs("No playlist was saved yet: tuttictl save NAME\n", paper->out);
}

void print_loaded(const struct paper *paper, const cJSON *answer,
                  const struct print_context *context)
{
    const cJSON *lists = member(answer, "lists"), *list = member(answer, "list");
    if (lists) {
        print_lists(paper, lists);
        return;
    }
    fprintf(paper->out, "added %.0f tracks of ", member_number(list, "loaded"));
    paper_text(paper, INK_PLAIN, context->subject);
    if (member_number(list, "missing") > 0)
        fprintf(paper->out, "; %.0f are not there any more", member_number(list, "missing"));
    fputc('\n', paper->out);
}

void print_forgotten(const struct paper *paper, const cJSON *answer,
                     const struct print_context *context)
{
    (void)answer;
    fputs("forgot ", paper->out);
    paper_text(paper, INK_PLAIN, context->subject);
    fputs("; the library keeps its tracks\n", paper->out);
}

/* --- adding -------------------------------------------------------------------------------- */

bool library_are_numbers(int count, const char *const *words)
{
    for (int i = 0; i < count; i++) {
        size_t digits = strspn(words[i], "0123456789");
        if (digits == 0 || digits > NUMBER_DIGITS_MAX || words[i][digits])
            return false;
    }
    return count > 0;
}

cJSON *library_ask(struct client *client, cJSON *request, enum exit_code *ret_failed)
{
    cJSON *answer = client_ask(client, request, -1, PATIENCE_S, NULL, NULL);
    *ret_failed = answer ? EXIT_OK : EXIT_UNREACHABLE;
    if (!answer || member_is_true(answer, "ok"))
        return answer;
    *ret_failed = EXIT_REFUSED;
    complain("%s", member_text(answer, "error"));
    cJSON_Delete(answer);
    return NULL;
}

static cJSON *search(struct client *client, const char *by, const char *words,
                     enum exit_code *ret_failed)
{
    cJSON *request = cJSON_CreateObject();
    cJSON_AddStringToObject(request, "cmd", "search");
    cJSON_AddStringToObject(request, by, words);
    return library_ask(client, request, ret_failed);
}

/* "added Tide", "asked: add Tide" */
static void print_one(const struct paper *paper, const char *what, const cJSON *named)
{
    char name[256];
    text_fit(name, sizeof name, member_text(named, "name"), 60);
    fprintf(paper->out, "%s ", what);
    paper_text(paper, INK_PLAIN, name);
    fputc('\n', paper->out);
}

static enum exit_code print_added(const struct paper *paper, const cJSON *added)
{
    const cJSON *each;
    cJSON_ArrayForEach(each, member(added, "items"))
    {
        print_one(paper, "added", each);
    }
    cJSON_ArrayForEach(each, member(added, "requests"))
    {
        print_one(paper, "asked: add", member(each, "payload"));
    }
    const cJSON *refused = member(added, "refused");
    if (refused)
        complain("and no more: %s", member_text(refused, "detail"));
    return refused ? EXIT_REFUSED : EXIT_OK;
}

/* tracks: ids or numbers, blanks between. */
static enum exit_code add_tracks(struct client *client, const char *tracks, bool json,
                                 const struct paper *paper)
{
    enum exit_code result;
    cJSON *request = cJSON_CreateObject();
    cJSON_AddStringToObject(request, "cmd", "add-tracks");
    cJSON_AddStringToObject(request, "tracks", tracks);
    cJSON *answer = library_ask(client, request, &result);
    if (!answer)
        return result;
    const cJSON *added = member(answer, "added");
    if (json) {
        paper_json(paper->out, added);
        result = member(added, "refused") ? EXIT_REFUSED : EXIT_OK;
    } else {
        result = print_added(paper, added);
    }
    cJSON_Delete(answer);
    return result;
}

static int list_ids(const cJSON *found, char *to, size_t size)
{
    const cJSON *track;
    size_t used = 0;
    int count = 0;
    to[0] = '\0';
    cJSON_ArrayForEach(track, member(found, "tracks"))
    {
        if (used + ID_MAX >= size)
            break;
        used += (size_t)snprintf(to + used, size - used, "%s%.32s", count ? " " : "",
                                 member_text(track, "id"));
        count++;
    }
    return count;
}

/* All that was found, or what to do instead. */
static enum exit_code add_found(struct client *client, const cJSON *found, bool album,
                                const char *words, bool json, const struct paper *paper)
{
    char ids[TRACKS_MAX * ID_MAX + 1], shown[128];
    int count = list_ids(found, ids, sizeof ids);
    text_fit(shown, sizeof shown, words, 40);
    if (count == 1 || (album && count > 0))
        return add_tracks(client, ids, json, paper);
    if (count == 0)
        complain("%s: no such file, and nothing in the library is called so", shown);
    else
        complain("%s: that is no album, and %s%d tracks have these words; see: tuttictl search %s, "
                 "then add them by their numbers",
                 shown, isfinite(member_number(found, "next")) ? "more than " : "", count, shown);
    return EXIT_REFUSED;
}

static enum exit_code add_words(struct client *client, const char *words, bool json,
                                const struct paper *paper)
{
    enum exit_code result;
    cJSON *answer = search(client, "album", words, &result);
    bool album = cJSON_GetArraySize(member(member(answer, "library"), "tracks")) > 0;
    if (answer && !album) {
        cJSON_Delete(answer);
        answer = search(client, "words", words, &result);
    }
    if (answer)
        result = add_found(client, member(answer, "library"), album, words, json, paper);
    cJSON_Delete(answer);
    return result;
}

enum exit_code library_add(struct client *client, int count, const char *const *words, bool json,
                           const struct paper *paper)
{
    char joined[TRACKS_MAX * ID_MAX + 1];
    bool numbers = library_are_numbers(count, words);
    if (!join(count, words, joined, numbers ? sizeof joined : WORDS_MAX)) {
        complain("these are too many words");
        return EXIT_REFUSED;
    }
    return numbers ? add_tracks(client, joined, json, paper)
                   : add_words(client, joined, json, paper);
}
