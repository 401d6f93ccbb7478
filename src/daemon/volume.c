/*
 * volume.c: finds the card's mixer, sets it, does without it.
 *
 * Mute is always software's, because it can be faded; and so is everything while there is no mixer.
 */
#include "tutti/daemon/volume.h"

#include "tutti/audio/gain.h"
#include "tutti/audio/mixer.h"
#include "tutti/base/log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct volume {
    const char *control;
    const char *mixer_device;
    bool fixed;   /* "none": nobody sets it */
    bool by_card; /* neither "none" nor "software" */
    bool open;
    struct mixer *mixer;
    char said[MIXER_TEXT_MAX]; /* once is enough */
};

struct volume *volume_create(const char *control, const char *mixer_device)
{
    struct volume *volume = calloc(1, sizeof *volume);
    if (!volume)
        return NULL;
    volume->control = control;
    volume->mixer_device = mixer_device;
    volume->fixed = strcmp(control, "none") == 0;
    volume->by_card = !volume->fixed && strcmp(control, "software") != 0;
    return volume;
}

static void drop_mixer(struct volume *volume)
{
    mixer_close(volume->mixer);
    volume->mixer = NULL;
}

void volume_destroy(struct volume *volume)
{
    if (!volume)
        return;
    drop_mixer(volume);
    free(volume);
}

static void say_once(struct volume *volume, enum log_level level, const char *text)
{
    if (strcmp(volume->said, text) == 0)
        return;
    snprintf(volume->said, sizeof volume->said, "%s", text);
    log_write(level, "volume: %s", text);
}

/* A control that was asked for by name ought to be there; of "auto" nobody expects it. */
static void find_mixer(struct volume *volume, int card)
{
    char name[16], text[MIXER_TEXT_MAX + 32], error[MIXER_TEXT_MAX];
    bool automatic = strcmp(volume->control, "auto") == 0;
    const char *device = volume->mixer_device;
    snprintf(name, sizeof name, "hw:%d", card);
    if (!device[0])
        device = name;
    if (automatic && card < 0 && device == name)
        return;
    if (mixer_open(volume->control, device, &volume->mixer, error) < 0) {
        snprintf(text, sizeof text, "%s; setting it in software", error);
        say_once(volume, automatic ? LOG_INFO : LOG_WARN, text);
        return;
    }
    snprintf(text, sizeof text, "set by the card, %s", mixer_name(volume->mixer));
    say_once(volume, LOG_INFO, text);
}

bool volume_follow(struct volume *volume, bool open, int card)
{
    if (open == volume->open)
        return false;
    volume->open = open;
    drop_mixer(volume);
    if (open && volume->by_card)
        find_mixer(volume, card);
    return true;
}

float volume_set(struct volume *volume, double percent, bool muted)
{
    float gain = volume->fixed ? 1 : gain_of_volume(percent);
    if (volume->mixer && mixer_set_volume(volume->mixer, percent, &gain) < 0) {
        say_once(volume, LOG_WARN, "the card's mixer is gone; setting it in software");
        drop_mixer(volume);
    }
    return muted ? 0 : gain;
}

const char *volume_setter(const struct volume *volume)
{
    if (volume->mixer)
        return mixer_name(volume->mixer);
    return volume->fixed ? "none" : "software";
}
