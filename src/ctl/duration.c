/*
 * duration.c: see duration.h.
 */
#include "duration.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LONGEST_MS (366.0 * 24 * 3600 * 1000) /* as core/protocol has it */

bool duration_parse(const char *text, double *ret_ms)
{
    double seconds = 0;
    for (int part = 0; part < 3; part++) {
        size_t length = strspn(text, "0123456789.");
        char *end;
        if (*text < '0' || *text > '9')
            return false;
        double number = strtod(text, &end);
        if (end != text + length || (part > 0 && number >= 60))
            return false;
        seconds = seconds * 60 + number;
        if (*end == '\0' && seconds * 1e3 <= LONGEST_MS) {
            *ret_ms = seconds * 1e3;
            return true;
        }
        if (*end != ':')
            return false;
        text = end + 1;
    }
    return false;
}

void duration_format(double ms, char to[DURATION_MAX])
{
    if (!(ms <= LONGEST_MS)) {
        strcpy(to, "?");
        return;
    }
    long seconds = (long)fmax(ms / 1e3, 0);
    if (seconds >= 3600)
        snprintf(to, DURATION_MAX, "%ld:%02ld:%02ld", seconds / 3600, seconds / 60 % 60,
                 seconds % 60);
    else
        snprintf(to, DURATION_MAX, "%ld:%02ld", seconds / 60, seconds % 60);
}
