/*
 * format.c: see format.h.
 */
#include "format.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool format_parse_time(const char *text, double *ret_ms)
{
    double seconds = 0;
    for (int part = 0; part < 3; part++) {
        char *end;
        if (*text < '0' || *text > '9')
            return false;
        double number = strtod(text, &end);
        if (part > 0 && number >= 60)
            return false;
        seconds = seconds * 60 + number;
        if (*end == '\0') {
            *ret_ms = seconds * 1e3;
            return isfinite(seconds);
        }
        if (*end != ':')
            return false;
        text = end + 1;
    }
    return false;
}

void format_time(double ms, char *to, size_t size)
{
    long seconds = (long)fmax(ms / 1e3, 0);
    if (seconds >= 3600)
        snprintf(to, size, "%ld:%02ld:%02ld", seconds / 3600, seconds / 60 % 60, seconds % 60);
    else
        snprintf(to, size, "%ld:%02ld", seconds / 60, seconds % 60);
}

static const char *text(const cJSON *object, const char *name)
{
    const cJSON *member = cJSON_GetObjectItemCaseSensitive(object, name);
    return cJSON_IsString(member) ? member->valuestring : "";
}

static double number(const cJSON *object, const char *name)
{
    const cJSON *member = cJSON_GetObjectItemCaseSensitive(object, name);
    return cJSON_IsNumber(member) ? member->valuedouble : NAN;
}

static bool is_true(const cJSON *object, const char *name)
{
    return cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(object, name));
}

static void print_track(const cJSON *status)
{
    char at[16], of[16] = "?";
    double length_ms = number(status, "length_ms");
    format_time(number(status, "position_ms"), at, sizeof at);
    if (isfinite(length_ms))
        format_time(length_ms, of, sizeof of);
    const char *name = text(status, "track_name");
    printf("track     %.60s\n", name[0] ? name : "none");
    if (text(status, "track_id")[0])
        printf("position  %s of %s\n", at, of);
    if (text(status, "track_error")[0])
        printf("          %s\n", text(status, "track_error"));
}

void format_status(const cJSON *status)
{
    const cJSON *clock = cJSON_GetObjectItemCaseSensitive(status, "clock");
    const cJSON *sink = cJSON_GetObjectItemCaseSensitive(status, "sink");
    const cJSON *session = cJSON_GetObjectItemCaseSensitive(status, "session");
    double error_us = number(status, "error_us");
    printf("%s, %s\n", text(status, "name"), text(status, "state"));
    print_track(status);
    if (isfinite(error_us))
        printf("in sync   %+.0f us, rate %+.1f ppm\n", error_us, number(status, "rate_ppm"));
    printf("volume    %.0f %%%s\n", number(status, "volume"),
           is_true(status, "muted") ? ", muted" : "");
    printf("session   %s as %s%s%s\n", text(session, "link"), text(session, "role"),
           text(session, "code")[0] ? ", invite code " : "", text(session, "code"));
    if (text(session, "problem")[0])
        printf("          %s\n", text(session, "problem"));
    printf("clock     by %s, within %.3f ms\n", text(clock, "source"),
           number(clock, "uncertainty_ms"));
    if (is_true(sink, "open"))
        printf("sound     %s, %s, %.0f Hz, %.0f underruns\n", text(sink, "device"),
               text(sink, "format"), number(sink, "rate_hz"), number(sink, "xruns"));
    else
        printf("sound     %s\n", text(sink, "error")[0] ? text(sink, "error") : "not open");
}

void format_playlist(const cJSON *playlist)
{
    const cJSON *item;
    int position = 0;
    cJSON_ArrayForEach(item, playlist)
    {
        char length[16] = "";
        if (isfinite(number(item, "duration_s")))
            format_time(number(item, "duration_s") * 1e3, length, sizeof length);
        printf("%c %3d  %-58.58s %8s\n", is_true(item, "current") ? '>' : ' ', ++position,
               text(item, "name"), length);
    }
    if (position == 0)
        printf("The playlist is empty.\n");
}

void format_requests(const cJSON *requests)
{
    const cJSON *request;
    cJSON_ArrayForEach(request, requests)
    {
        printf("%-9s %-8s %-20.20s by %-15.15s %.8s\n", text(request, "status"),
               text(request, "type"), text(request, "summary"), text(request, "requester"),
               text(request, "id"));
    }
}
