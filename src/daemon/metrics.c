/*
 * metrics.c: the status snapshot in Prometheus' text format, version 0.0.4.
 *
 * A table says which member of the snapshot is which metric. What is not known at the moment (null)
 * is left out, as Prometheus wants it.
 */
#include "daemon_internal.h"
#include "tutti/base/text.h"
#include "tutti/core/group.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Of a label's text, with its end. */
#define LABEL_BYTES 512

struct metric {
    const char *name; /* after tutti_; "_total": it only grows */
    const char *help;
    const char *path; /* in the snapshot */
    double unit;      /* of the member, in the metric's */
};

static const struct metric metrics[] = {
    {"error_seconds", "Heard less wanted position: positive, the speaker is ahead.", "error_us",
     1e-6},
    {"position_seconds", "Position in the track that is heard.", "position_ms", 1e-3},
    {"rate_ppm", "Playback rate in use, the card's error included.", "rate_ppm", 1},
    {"correction_ppm", "The part of the rate that corrects an error.", "correction_ppm", 1},
    {"volume_percent", "Volume as set.", "volume", 1},
    {"muted", "1 when muted.", "muted", 1},
    {"latency_seconds", "How much later than the card the speaker sounds, as set.", "latency_ms",
     1e-3},
    {"clock_offset_seconds", "Server time less local monotonic time.", "clock.offset_ms", 1e-3},
    {"clock_uncertainty_seconds", "The offset is within this, 99 times of 100.",
     "clock.uncertainty_ms", 1e-3},
    {"clock_settled", "1 when the speakers agree on the server's time, or it is known to 20 ms.",
     "clock.settled", 1},
    {"clock_disbelieved_total", "Stamps and echoes of the backend that cannot be.",
     "clock.disbelieved", 1},
    {"group_members", "Speakers of the session that hear each other, this one included.",
     "group.members", 1},
    {"group_round_trip_seconds", "The shortest way to the reference and back.",
     "group.round_trip_ms", 1e-3},
    {"group_apart_seconds", "The reference's clock is known to this.", "group.apart_us", 1e-6},
    {"group_received_total", "Datagrams of the group.", "group.datagrams.received", 1},
    {"group_forged_total", "Datagrams that claim to be, and are not.", "group.datagrams.forged", 1},
    {"card_ppm", "Error of the sound card's crystal.", "sink.card_ppm", 1},
    {"device_open", "1 while the sound device is open.", "sink.open", 1},
    {"buffer_seconds", "Depth of the sound device's queue.", "sink.buffer_ms", 1e-3},
    {"buffer_fill_seconds", "How much of it is filled.", "sink.queued_ms", 1e-3},
    {"xruns_total", "Underruns of the sound device.", "sink.xruns", 1},
    {"device_losses_total", "How often the sound device went.", "sink.losses", 1},
    {"seeks_total", "Jumps because of an error beyond the threshold.", "sink.seeks", 1},
    {"connected", "1 while in the session.", "session.connected", 1},
    {"connects_total", "Sockets that became the session's; the rechecks are not counted.",
     "session.connects", 1},
    {"reconnects_total", "The same after the first.", "session.reconnects", 1},
    {"commands_confirmed_total", "A host's commands that the backend has confirmed.",
     "session.commands.confirmed", 1},
    {"commands_repeated_total", "Commands that had to be repeated.", "session.commands.repeated",
     1},
    {"commands_failed_total", "Commands that were given up.", "session.commands.failed", 1},
    {"downloads_total", "Tracks that were downloaded.", "cache.downloads", 1},
    {"download_failures_total", "Downloads that failed; they are tried again.", "cache.failures",
     1},
    {"cache_tracks", "Tracks in the cache.", "cache.tracks", 1},
    {"cache_bytes", "Their size.", "cache.bytes", 1},
    {"longest_stall_seconds", "The longest that a callback has kept the loop.",
     "loop.longest_stall_us", 1e-6},
};

/* The possible words of a member: one of them is 1, the others 0. */
struct words {
    const char *name, *label, *help, *path;
    const char *(*word)(int i); /* NULL: there are no more */
};

static const char *source_word(int i)
{
    return i <= SERVER_CLOCK_GROUP ? server_clock_source_name((enum server_clock_source)i) : NULL;
}

static const char *role_word(int i)
{
    if (i == 0)
        return "off";
    return i <= GROUP_APART + 1 ? group_role_name((enum group_role)(i - 1)) : NULL;
}

static const char *state_word(int i)
{
    return i <= TRANSPORT_FAILED ? transport_name((enum transport_state)i) : NULL;
}

static const struct words worded[] = {
    {"clock_evidence", "source", "The best evidence of the server's time in use.", "clock.source",
     source_word},
    {"group_role", "role", "What this speaker is to the others.", "group.role", role_word},
    {"state", "state", "What the speaker does.", "state", state_word},
};

static const cJSON *member(const cJSON *json, const char *path)
{
    char part[32];
    while (json && *path) {
        size_t length = strcspn(path, ".");
        snprintf(part, sizeof part, "%.*s", (int)length, path);
        json = cJSON_GetObjectItemCaseSensitive(json, part);
        path += length + (path[length] == '.');
    }
    return json;
}

static void head(FILE *out, const char *name, const char *help)
{
    size_t length = strlen(name);
    bool counter = length > 6 && strcmp(name + length - 6, "_total") == 0;
    fprintf(out, "# HELP tutti_%s %s\n# TYPE tutti_%s %s\n", name, help, name,
            counter ? "counter" : "gauge");
}

static void print_metric(FILE *out, const struct metric *metric, const cJSON *status)
{
    const cJSON *value = member(status, metric->path);
    if (!cJSON_IsNumber(value) && !cJSON_IsBool(value))
        return;
    double number = cJSON_IsNumber(value) ? value->valuedouble : cJSON_IsTrue(value);
    head(out, metric->name, metric->help);
    fprintf(out, "tutti_%s %.12g\n", metric->name, number * metric->unit);
}

static void print_words(FILE *out, const struct words *words, const cJSON *status)
{
    const char *now = cJSON_GetStringValue(member(status, words->path));
    head(out, words->name, words->help);
    const char *word;
    for (int i = 0; (word = words->word(i)); i++)
        fprintf(out, "tutti_%s{%s=\"%s\"} %d\n", words->name, words->label, word,
                now && strcmp(now, word) == 0);
}

static void print_label(FILE *out, const char *label, const cJSON *text)
{
    const char *said = cJSON_GetStringValue(text);
    char shown[LABEL_BYTES];
    snprintf(shown, sizeof shown, "%s", said ? said : "");
    text_defuse(shown, ' ');
    fprintf(out, "%s=\"", label);
    for (const char *at = shown; *at; at++) {
        if (*at == '"' || *at == '\\')
            fputc('\\', out);
        fputc(*at, out);
    }
    fputc('"', out);
}

struct info {
    const char *name, *help;
    const char *if_any; /* the member without which it is left out; NULL: it never is */
    const char *labels[4][2];
};

static const struct info infos[] = {
    {"info",
     "What this speaker is.",
     NULL,
     {{"name", "name"},
      {"version", "version"},
      {"device", "sink.device"},
      {"format", "sink.format"}}},
    {"track_info",
     "The current track.",
     "track_id",
     {{"name", "track_name"}, {"title", "title"}, {"artist", "artist"}, {"album", "album"}}},
};

static void print_info(FILE *out, const struct info *info, const cJSON *status)
{
    if (info->if_any && !cJSON_IsString(member(status, info->if_any)))
        return;
    head(out, info->name, info->help);
    fprintf(out, "tutti_%s{", info->name);
    for (size_t i = 0; i < sizeof info->labels / sizeof *info->labels; i++) {
        fprintf(out, "%s", i > 0 ? "," : "");
        print_label(out, info->labels[i][0], member(status, info->labels[i][1]));
    }
    fprintf(out, "} 1\n");
}

char *metrics_text(void *user)
{
    struct daemon *daemon = user;
    char *text = NULL;
    size_t size;
    if (daemon->stopping) /* the link is gone already */
        return NULL;
    FILE *out = open_memstream(&text, &size);
    if (!out)
        return NULL;
    cJSON *status = status_build(daemon, loop_now(daemon->loop));
    for (size_t i = 0; i < sizeof metrics / sizeof *metrics; i++)
        print_metric(out, &metrics[i], status);
    for (size_t i = 0; i < sizeof worded / sizeof *worded; i++)
        print_words(out, &worded[i], status);
    for (size_t i = 0; i < sizeof infos / sizeof *infos; i++)
        print_info(out, &infos[i], status);
    cJSON_Delete(status);
    if (fclose(out) == 0)
        return text;
    free(text);
    return NULL;
}
