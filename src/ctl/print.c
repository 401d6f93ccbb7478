/*
 * print.c: see print.h. Widths of columns add up to 80 at most, whatever the names are.
 */
#include "print.h"

#include "duration.h"
#include "members.h"
#include "rooms.h"
#include "speaker_words.h"
#include "text.h"

#include <math.h>
#include <string.h>

#define LABEL_COLUMNS 10
#define VALUE_COLUMNS (PAPER_COLUMNS - LABEL_COLUMNS)

/* "label     value" */
static void line(const struct paper *paper, const char *label, enum ink ink, const char *value)
{
    char shown[VALUE_COLUMNS * 8];
    fprintf(paper->out, "%-*s", LABEL_COLUMNS, label);
    text_fit(shown, sizeof shown, value, VALUE_COLUMNS);
    paper_text(paper, ink, shown);
    fputc('\n', paper->out);
}

/* A problem: shown whole, it may be longer than a line. */
static void problem(const struct paper *paper, const char *text)
{
    if (!*text)
        return;
    fprintf(paper->out, "%*s", LABEL_COLUMNS, "");
    paper_text(paper, INK_BAD, text);
    fputc('\n', paper->out);
}

/* What the file says beside the name that it was given. */
static void print_tags(const struct paper *paper, const cJSON *status)
{
    const char *title = member_text(status, "title"), *artist = member_text(status, "artist");
    const char *album = member_text(status, "album");
    double number = member_number(status, "track_number");
    char text[1024];
    if (*title && strcmp(title, member_text(status, "track_name")) != 0)
        line(paper, "title", INK_PLAIN, title);
    if (*artist)
        line(paper, "artist", INK_PLAIN, artist);
    snprintf(text, sizeof text, "%s", album);
    if (number > 0)
        snprintf(text, sizeof text, "%s, track %.0f", album, number);
    if (*album)
        line(paper, "album", INK_PLAIN, text);
}

static void print_track(const struct paper *paper, const cJSON *status)
{
    char at[DURATION_MAX], of[DURATION_MAX], text[80];
    const char *name = member_text(status, "track_name");
    const char *id = member_text(status, "track_id");
    line(paper, "track", INK_PLAIN, *name ? name : *id ? id : "none");
    print_tags(paper, status);
    if (*id) {
        duration_format(member_number(status, "position_ms"), at);
        duration_format(member_number(status, "length_ms"), of);
        snprintf(text, sizeof text, "%s of %s", at, of);
        line(paper, "position", INK_PLAIN, text);
    }
    problem(paper, member_text(status, "track_error"));
}

static void print_membership(const struct paper *paper, const cJSON *session)
{
    char text[256];
    bool has_code = *member_text(session, "code") != '\0';
    snprintf(text, sizeof text, "%.60s as %.20s%s%.40s", member_text(session, "link"),
             member_text(session, "role"), has_code ? ", invite code " : "",
             member_text(session, "code"));
    line(paper, "session", INK_PLAIN, text);
    problem(paper, member_text(session, "problem"));
}

static void print_sound(const struct paper *paper, const cJSON *sink)
{
    char text[256];
    const char *error = member_text(sink, "error");
    if (!member_is_true(sink, "open")) {
        line(paper, "sound", *error ? INK_BAD : INK_PLAIN, *error ? error : "not open");
        return;
    }
    snprintf(text, sizeof text, "%.80s, %.20s, %.0f Hz, %.0f underruns",
             member_text(sink, "device"), member_text(sink, "format"),
             member_number(sink, "rate_hz"), member_number(sink, "xruns"));
    line(paper, "sound", INK_PLAIN, text);
}

static void print_group(const struct paper *paper, const cJSON *group)
{
    const char *role = member_text(group, "role");
    double round_trip_ms = member_number(group, "round_trip_ms");
    char text[128];
    if (!*role || strcmp(role, "off") == 0)
        return;
    snprintf(text, sizeof text, "%.20s, %.0f speaker%s", role, member_number(group, "members"),
             member_number(group, "members") == 1 ? "" : "s");
    if (isfinite(round_trip_ms))
        snprintf(text, sizeof text, "%.20s of %.40s, %.0f speakers, %.2f ms away, within %.0f us",
                 role, member_text(group, "reference"), member_number(group, "members"),
                 round_trip_ms, member_number(group, "apart_us"));
    line(paper, "group", strcmp(role, "apart") == 0 ? INK_WAITING : INK_PLAIN, text);
}

/* How well the sound follows a guess is not how well speakers are together. */
static void print_sync(const struct paper *paper, const cJSON *status)
{
    const cJSON *clock = member(status, "clock");
    double error_us = member_number(status, "error_us");
    char text[128];
    if (!isfinite(error_us))
        return;
    bool settled = member_is_true(clock, "settled");
    if (settled)
        snprintf(text, sizeof text, "%+.0f us, rate %+.1f ppm", round(error_us) + 0.0,
                 member_number(status, "rate_ppm"));
    else
        snprintf(text, sizeof text, "not yet: the time is known to %.0f ms only",
                 member_number(clock, "uncertainty_ms"));
    line(paper, "in sync", settled ? INK_PLAIN : INK_WAITING, text);
}

void print_status(const struct paper *paper, const cJSON *answer,
                  const struct print_context *context)
{
    (void)context;
    const cJSON *status = member(answer, "status"), *clock = member(status, "clock");
    char text[256];
    text_fit(text, sizeof text, member_text(status, "name"), PAPER_COLUMNS - 20);
    paper_text(paper, INK_BOLD, text);
    fputs(", ", paper->out);
    text_fit(text, sizeof text, member_text(status, "state"), 16);
    paper_text(paper, INK_PLAIN, text);
    fputc('\n', paper->out);
    print_track(paper, status);
    print_sync(paper, status);
    snprintf(text, sizeof text, "%.0f %%%s", member_number(status, "volume"),
             member_is_true(status, "muted") ? ", muted" : "");
    line(paper, "volume", INK_PLAIN, text);
    print_membership(paper, member(status, "session"));
    snprintf(text, sizeof text, "by %.20s, within %.3f ms", member_text(clock, "source"),
             member_number(clock, "uncertainty_ms"));
    line(paper, "clock", INK_PLAIN, text);
    print_group(paper, member(status, "group"));
    print_sound(paper, member(status, "sink"));
}

static void print_took(const struct paper *paper, const cJSON *answer,
                       const struct print_context *context)
{
    double took_ms = member_number(answer, "took_ms");
    fprintf(paper->out, ", confirmed in %.0f ms\n",
            isfinite(took_ms) ? took_ms : context->answered_ms);
}

void print_confirmed(const struct paper *paper, const cJSON *answer,
                     const struct print_context *context)
{
    fputs(context->done, paper->out);
    if (*context->subject)
        fputc(' ', paper->out);
    paper_text(paper, INK_PLAIN, context->subject);
    print_took(paper, answer, context);
}

void print_skipped(const struct paper *paper, const cJSON *answer,
                   const struct print_context *context)
{
    char name[256];
    text_fit(name, sizeof name, member_text(answer, "track_name"), 40);
    fputs(context->done, paper->out);
    if (*name)
        fputs(": ", paper->out);
    paper_text(paper, INK_PLAIN, name);
    print_took(paper, answer, context);
}

void print_toggled(const struct paper *paper, const cJSON *answer,
                   const struct print_context *context)
{
    paper_text(paper, INK_PLAIN, member_text(answer, "state"));
    print_took(paper, answer, context);
}

void print_playlist(const struct paper *paper, const cJSON *answer,
                    const struct print_context *context)
{
    (void)context;
    const cJSON *item, *playlist = member(answer, "playlist");
    int number = 0;
    cJSON_ArrayForEach(item, playlist)
    {
        bool current = member_is_true(item, "current");
        char length[DURATION_MAX] = "";
        double duration_s = member_number(item, "duration_s");
        if (isfinite(duration_s))
            duration_format(duration_s * 1e3, length);
        fprintf(paper->out, "%c %4d  ", current ? '>' : ' ', ++number);
        paper_field(paper, current ? INK_BOLD : INK_PLAIN, 62, member_text(item, "name"));
        fprintf(paper->out, " %9s\n", length);
    }
    if (number == 0)
        fputs("The playlist is empty.\n", paper->out);
}

const char *print_requester(const cJSON *request)
{
    return member_is_true(request, "mine") ? "this speaker" : member_text(request, "requester");
}

/* "pending   1f0c  add      Harbour            Dana" and, where there is one, the reason below. */
static void print_row(const struct paper *paper, const cJSON *request, size_t prefix)
{
    char id[64];
    int id_columns = prefix < 36 ? (int)prefix : 36;
    const char *status = member_text(request, "status"), *reason = member_text(request, "reason");
    int left = PAPER_COLUMNS - (9 + 1 + id_columns + 2 + 8 + 1 + 1);
    snprintf(id, sizeof id, "%.*s", (int)prefix, member_text(request, "id"));
    paper_field(paper, ink_of_request(status), 9, status);
    fputc(' ', paper->out);
    paper_field(paper, INK_PLAIN, id_columns, id);
    fputs("  ", paper->out);
    paper_field(paper, INK_PLAIN, 8, member_text(request, "type"));
    fputc(' ', paper->out);
    paper_field(paper, INK_PLAIN, left * 2 / 3, member_text(request, "summary"));
    fputc(' ', paper->out);
    char requester[256];
    text_fit(requester, sizeof requester, print_requester(request), left - left * 2 / 3);
    paper_text(paper, INK_DIM, requester);
    fputc('\n', paper->out);
    if (*reason) {
        char shown[512];
        text_fit(shown, sizeof shown, reason, PAPER_COLUMNS - 10);
        fprintf(paper->out, "%10s", "");
        paper_text(paper, INK_DIM, shown);
        fputc('\n', paper->out);
    }
}

void print_requests(const struct paper *paper, const cJSON *answer,
                    const struct print_context *context)
{
    const cJSON *request, *requests = member(answer, "requests");
    bool only_pending = context->call->argc > 0;
    size_t prefix = lookup_request_prefix(requests);
    int shown = 0;
    cJSON_ArrayForEach(request, requests)
    {
        if (only_pending && strcmp(member_text(request, "status"), "pending") != 0)
            continue;
        print_row(paper, request, prefix);
        shown++;
    }
    if (shown == 0)
        fprintf(paper->out, "There are no %srequests.\n", only_pending ? "pending " : "");
}

/* "4711  Kitchen            10.0.0.7           for 12 s  another of this name" */
static void print_asker(const struct paper *paper, const cJSON *asker)
{
    paper_field(paper, INK_PLAIN, 4, member_text(asker, "sign"));
    fputs("  ", paper->out);
    paper_field(paper, INK_PLAIN, 24, member_text(asker, "name"));
    fputc(' ', paper->out);
    paper_field(paper, INK_DIM, 20, member_text(asker, "address"));
    if (member_is_true(asker, "same_name"))
        paper_text(paper, INK_WAITING, " another of this name");
    fputc('\n', paper->out);
}

void print_pairing(const struct paper *paper, const cJSON *answer,
                   const struct print_context *context)
{
    const cJSON *asker, *pairing = member(answer, "pairing");
    (void)context;
    if (cJSON_IsObject(pairing)) {
        bool allowed = strcmp(member_text(pairing, "status"), "allowed") == 0;
        fprintf(paper->out, "%s: ", allowed ? "let in" : "not let in");
        paper_text(paper, INK_PLAIN, member_text(pairing, "name"));
        fputc('\n', paper->out);
        return;
    }
    if (cJSON_GetArraySize(pairing) == 0)
        fprintf(paper->out, "No speaker asks to be let in.\n");
    cJSON_ArrayForEach(asker, pairing) print_asker(paper, asker);
}

void print_request(const struct paper *paper, const cJSON *answer,
                   const struct print_context *context)
{
    const cJSON *request = member(answer, "request");
    char text[256];
    const char *summary = member_text(request, "summary");
    fprintf(paper->out, "%s ", context->done);
    text_fit(text, sizeof text, *summary ? summary : context->subject, 30);
    char type[64];
    text_fit(type, sizeof type, member_text(request, "type"), 10);
    paper_text(paper, INK_PLAIN, type);
    fputc(' ', paper->out);
    paper_text(paper, INK_PLAIN, text);
    print_took(paper, answer, context);
}

static void describe_settings(const cJSON *settings, char *to, size_t size)
{
    const char *repeat = member_text(settings, "repeat");
    const char *control = member_text(settings, "control"), *add = member_text(settings, "add");
    snprintf(to, size, "%s%s%s%s%s",
             member_is_true(settings, "advance") ? "plays on by itself" : "stops after each track",
             strcmp(repeat, "one") == 0   ? ", repeats the track"
             : strcmp(repeat, "all") == 0 ? ", repeats the playlist"
                                          : "",
             member_is_true(settings, "shuffle") ? ", shuffled" : "",
             strcmp(control, "everyone") == 0 ? ", everybody controls it" : "",
             strcmp(add, "everyone") == 0 ? ", everybody adds tracks"
             : strcmp(add, "host") == 0   ? ", the host alone adds tracks"
                                          : "");
}

void print_settings(const struct paper *paper, const cJSON *answer,
                    const struct print_context *context)
{
    char text[128];
    (void)context;
    describe_settings(member(answer, "settings"), text, sizeof text);
    fprintf(paper->out, "the session %s\n", text);
}

void print_session(const struct paper *paper, const cJSON *answer,
                   const struct print_context *context)
{
    static const struct {
        const char *label, *name;
    } rows[] = {{"session", "id"},  {"speaker", "name"}, {"role", "role"},
                {"backend", "url"}, {"link", "link"},    {"invite", "code"}};
    const cJSON *session = member(answer, "session");
    if (member(answer, "settings")) { /* they were changed */
        print_settings(paper, answer, context);
        return;
    }
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const char *value = member_text(session, rows[i].name);
        if (*value)
            line(paper, rows[i].label, strcmp(rows[i].name, "code") ? INK_PLAIN : INK_BOLD, value);
    }
    if (member(session, "settings")) {
        char text[128];
        describe_settings(member(session, "settings"), text, sizeof text);
        line(paper, "music", INK_PLAIN, text);
    }
    problem(paper, member_text(session, "problem"));
    double members = member_number(session, "members");
    if (isfinite(members))
        fprintf(paper->out, "%-*s%.0f\n", LABEL_COLUMNS, "members", members);
}

void print_volume(const struct paper *paper, const cJSON *answer,
                  const struct print_context *context)
{
    (void)context;
    fprintf(paper->out, "volume %.0f %%\n", member_number(answer, "volume"));
}

void print_muted(const struct paper *paper, const cJSON *answer,
                 const struct print_context *context)
{
    (void)context;
    fputs(member_is_true(answer, "muted") ? "muted\n" : "not muted\n", paper->out);
}

void print_latency(const struct paper *paper, const cJSON *answer,
                   const struct print_context *context)
{
    (void)context;
    fprintf(paper->out, "latency %.1f ms\n", member_number(answer, "latency_ms"));
}

void print_level(const struct paper *paper, const cJSON *answer,
                 const struct print_context *context)
{
    (void)context;
    paper_text(paper, INK_PLAIN, member_text(answer, "level"));
    fputc('\n', paper->out);
}

void print_devices(const struct paper *paper, const cJSON *answer,
                   const struct print_context *context)
{
    (void)context;
    const cJSON *device, *devices = member(answer, "devices");
    cJSON_ArrayForEach(device, devices)
    {
        bool current = member_is_true(device, "current");
        const char *name = member_text(device, "name");
        char shown[256];
        fprintf(paper->out, "%c ", current ? '>' : ' ');
        /* A name is there to be copied: never cut. */
        paper_text(paper, current ? INK_BOLD : INK_PLAIN, name);
        int used = text_columns(name);
        if (PAPER_COLUMNS - 2 - used > 12) {
            fprintf(paper->out, "%*s", used < 28 ? 29 - used : 1, "");
            int left = PAPER_COLUMNS - 2 - (used < 28 ? 29 : used + 1);
            text_fit(shown, sizeof shown, member_text(device, "description"), left);
            paper_text(paper, INK_DIM, shown);
        }
        fputc('\n', paper->out);
    }
    if (cJSON_GetArraySize(devices) == 0)
        fputs("There are no sound devices.\n", paper->out);
}

/* --- speakers ------------------------------------------------------------------------------ */

static void print_one_speaker(const struct paper *paper, const cJSON *speaker)
{
    char volume[24], sound[SPEAKER_WORDS_MAX];
    speaker_words_volume(speaker, volume, sizeof volume);
    speaker_words_sound(speaker, sound, sizeof sound);
    paper_field(paper, member_is_true(speaker, "connected") ? INK_PLAIN : INK_WAITING, 24,
                member_text(speaker, "name"));
    fputc(' ', paper->out);
    paper_field(paper, INK_PLAIN, 12, volume);
    fputc(' ', paper->out);
    paper_text(paper, INK_PLAIN, sound);
    fputc('\n', paper->out);
}

void print_speakers(const struct paper *paper, const cJSON *answer,
                    const struct print_context *context)
{
    const cJSON *speakers = member(answer, "speakers"), *speaker;
    (void)context;
    if (cJSON_GetArraySize(speakers) == 0)
        fputs("The session has no speakers.\n", paper->out);
    cJSON_ArrayForEach(speaker, speakers)
    {
        print_one_speaker(paper, speaker);
    }
}

void print_speaker(const struct paper *paper, const cJSON *answer,
                   const struct print_context *context)
{
    (void)context;
    print_one_speaker(paper, member(answer, "speaker"));
}

/* --- other rooms --------------------------------------------------------------------------- */

static void print_rooms(const struct paper *paper, const cJSON *answer,
                        void (*describe)(const cJSON *speaker, char *to, size_t size))
{
    const cJSON *speaker;
    bool changed = member(answer, "told") != NULL;
    cJSON_ArrayForEach(speaker, member(answer, "speakers"))
    {
        char text[64];
        if (changed && !rooms_is_done(speaker)) /* complained of */
            continue;
        describe(speaker, text, sizeof text);
        paper_field(paper, INK_PLAIN, 24, member_text(speaker, "name"));
        fprintf(paper->out, " %s%s\n", text,
                member_is_true(speaker, "connected") ? "" : ", when it was last there");
    }
}

static void describe_muted(const cJSON *speaker, char *to, size_t size)
{
    snprintf(to, size, "%s", member_is_true(speaker, "muted") ? "muted" : "not muted");
}

static void describe_latency(const cJSON *speaker, char *to, size_t size)
{
    double latency_ms = member_number(speaker, "latency_ms");
    if (isfinite(latency_ms))
        snprintf(to, size, "latency %.1f ms", latency_ms);
    else
        snprintf(to, size, "-");
}

void print_rooms_volume(const struct paper *paper, const cJSON *answer,
                        const struct print_context *context)
{
    (void)context;
    print_rooms(paper, answer, speaker_words_volume);
}

void print_rooms_mute(const struct paper *paper, const cJSON *answer,
                      const struct print_context *context)
{
    (void)context;
    print_rooms(paper, answer, describe_muted);
}

void print_rooms_latency(const struct paper *paper, const cJSON *answer,
                         const struct print_context *context)
{
    (void)context;
    print_rooms(paper, answer, describe_latency);
}

static void describe_identified(const cJSON *speaker, char *to, size_t size)
{
    (void)speaker;
    snprintf(to, size, "sounds");
}

static const char *clicks_text(const cJSON *speaker)
{
    return member_is_true(speaker, "clicks") ? "clicks for a minute" : "does not click";
}

static void describe_clicks(const cJSON *speaker, char *to, size_t size)
{
    snprintf(to, size, "%s", clicks_text(speaker));
}

void print_rooms_identified(const struct paper *paper, const cJSON *answer,
                            const struct print_context *context)
{
    (void)context;
    print_rooms(paper, answer, describe_identified);
}

void print_rooms_clicks(const struct paper *paper, const cJSON *answer,
                        const struct print_context *context)
{
    (void)context;
    print_rooms(paper, answer, describe_clicks);
}

void print_identified(const struct paper *paper, const cJSON *answer,
                      const struct print_context *context)
{
    (void)answer;
    (void)context;
    fputs("sounds\n", paper->out);
}

void print_clicks(const struct paper *paper, const cJSON *answer,
                  const struct print_context *context)
{
    (void)context;
    fprintf(paper->out, "%s\n", clicks_text(answer));
}
