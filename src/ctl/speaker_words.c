/*
 * speaker_words.c: see speaker_words.h.
 */
#include "speaker_words.h"

#include "members.h"

#include <math.h>
#include <stdio.h>

void speaker_words_sound(const cJSON *speaker, char *to, size_t size)
{
    double drift_ms = member_number(speaker, "drift_ms");
    if (!member_is_true(speaker, "connected"))
        snprintf(to, size, "away since %.16s", member_text(speaker, "since"));
    else if (isfinite(drift_ms))
        snprintf(to, size, "%.12s %+.0f us", member_text(speaker, "device"), drift_ms * 1e3 + 0.0);
    else
        snprintf(to, size, "%.12s", member_text(speaker, "device"));
}

void speaker_words_volume(const cJSON *speaker, char *to, size_t size)
{
    double volume = member_number(speaker, "volume");
    if (isfinite(volume))
        snprintf(to, size, "%.0f %%%s", volume, member_is_true(speaker, "muted") ? " muted" : "");
    else
        snprintf(to, size, "-");
}
