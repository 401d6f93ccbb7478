/*
 * sink_list.c: the playback devices that ALSA's configuration offers, one way each.
 *
 * ALSA has a dozen names for one card. Listed are those that are of use here: the default, every
 * card's plain hardware and HDMI outputs, and what an administrator has defined.
 */
#include "tutti/audio/sink.h"

#include <alsa/asoundlib.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Names that lead to a card already listed by another, to conversions, or to no loudspeaker; alone,
 * or with a card after a colon. */
static bool is_superfluous(const char *name)
{
    static const char *const patterns[] = {
        "null",  "plughw", "sysdefault", "front",    "surround[0-9]*", "iec958",
        "spdif", "modem",  "phoneline",  "dmix",     "dsnoop",         "usbstream",
        "rear",  "side",   "center_lfe", "lavrate*", "samplerate*",    "speexrate*",
        "speex", "upmix",  "vdownmix",   "oss",
    };
    char word[64];
    snprintf(word, sizeof word, "%.*s", (int)strcspn(name, ":"), name);
    for (size_t i = 0; i < sizeof patterns / sizeof *patterns; i++)
        if (fnmatch(patterns[i], word, 0) == 0)
            return true;
    return false;
}

static void make_one_line(char *text)
{
    for (char *c = text; *c; c++)
        if (*c == '\n')
            *c = ' ';
}

static void list_hint(const void *hint, void (*each)(void *, const char *, const char *),
                      void *user)
{
    char *name = snd_device_name_get_hint(hint, "NAME");
    char *description = snd_device_name_get_hint(hint, "DESC");
    char *direction = snd_device_name_get_hint(hint, "IOID");
    bool plays = !direction || strcmp(direction, "Output") == 0;
    if (description)
        make_one_line(description);
    if (name && plays && !is_superfluous(name))
        each(user, name, description ? description : "");
    free(name);
    free(description);
    free(direction);
}

void sink_list_devices(void (*each)(void *user, const char *name, const char *description),
                       void *user)
{
    void **hints = NULL;
    if (snd_device_name_hint(-1, "pcm", &hints) >= 0) {
        for (void **hint = hints; *hint; hint++)
            list_hint(*hint, each, user);
        snd_device_name_free_hint(hints);
    }
    each(user, "null", "No sound, at an exact pace");
}
