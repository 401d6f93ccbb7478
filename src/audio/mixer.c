/*
 * mixer.c: one simple mixer element of one card.
 *
 * Drivers tell of their scale in dB, or not, or nonsense (a range of 1 dB, a lowest step of
 * "mute"); the range that is usable is found once, at opening.
 */
#include "tutti/audio/mixer.h"

#include "quiet_alsa.h"
#include "tutti/audio/gain.h"

#include <alsa/asoundlib.h>
#include <ctype.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NAME_MAX_BYTES 64
/* ALSA's unit of level. */
#define CDB_PER_DB 100.0
/* Less is no scale that a volume could be had from. */
#define RANGE_MIN_CDB 1000

struct mixer {
    snd_mixer_t *handle;
    snd_mixer_elem_t *elem;
    char card[NAME_MAX_BYTES];
    char name[2 * NAME_MAX_BYTES + 16];
    bool in_db;
    long raw_min, raw_max;
    long min_cdb, max_cdb; /* of what is used */
};

static int refuse(char *error, const char *where, const char *what, int result)
{
    snprintf(error, MIXER_TEXT_MAX, "mixer %.80s: %s", where, what);
    return result;
}

static int open_card(struct mixer *mixer, char *error)
{
    quiet_alsa();
    int result = snd_mixer_open(&mixer->handle, 0);
    if (result < 0) {
        mixer->handle = NULL;
        return refuse(error, mixer->card, snd_strerror(result), result);
    }
    result = snd_mixer_attach(mixer->handle, mixer->card);
    if (result >= 0)
        result = snd_mixer_selem_register(mixer->handle, NULL, NULL);
    if (result >= 0)
        result = snd_mixer_load(mixer->handle);
    if (result < 0)
        return refuse(error, mixer->card, snd_strerror(result), result);
    return 0;
}

static snd_mixer_elem_t *find_named(snd_mixer_t *handle, const char *name, unsigned index)
{
    snd_mixer_selem_id_t *id;
    snd_mixer_selem_id_alloca(&id);
    snd_mixer_selem_id_set_name(id, name);
    snd_mixer_selem_id_set_index(id, index);
    snd_mixer_elem_t *elem = snd_mixer_find_selem(handle, id);
    return elem && snd_mixer_selem_has_playback_volume(elem) ? elem : NULL;
}

/* "Name" or "Name,2". */
static snd_mixer_elem_t *find_control(snd_mixer_t *handle, const char *control)
{
    char name[NAME_MAX_BYTES];
    unsigned index = 0;
    snprintf(name, sizeof name, "%s", control);
    char *comma = strrchr(name, ',');
    if (comma && isdigit((unsigned char)comma[1])) {
        index = (unsigned)strtoul(comma + 1, NULL, 10);
        *comma = '\0';
    }
    return find_named(handle, name, index);
}

/* What the volume that everybody means is called, the most general first: on boards, on HATs with
 * a DAC, on USB devices. Anything else may be an input's monitor, so it is taken only alone. */
static snd_mixer_elem_t *find_master(snd_mixer_t *handle)
{
    static const char *const names[] = {"Master",    "Digital", "DAC",  "PCM",     "Speaker",
                                        "Headphone", "Headset", "HDMI", "Line Out"};
    snd_mixer_elem_t *elem = NULL, *only = NULL;
    for (size_t i = 0; !elem && i < sizeof names / sizeof *names; i++)
        elem = find_named(handle, names[i], 0);
    if (elem)
        return elem;
    int count = 0;
    for (elem = snd_mixer_first_elem(handle); elem; elem = snd_mixer_elem_next(elem))
        if (snd_mixer_selem_has_playback_volume(elem)) {
            only = elem;
            count++;
        }
    return count == 1 ? only : NULL;
}

/* Leaves out the steps above 0 dB. The highest that stays need not be at 0 dB. */
static void leave_out_excess(struct mixer *mixer, long *max_cdb)
{
    long raw, cdb;
    if (snd_mixer_selem_ask_playback_dB_vol(mixer->elem, 0, -1, &raw) < 0 ||
        snd_mixer_selem_ask_playback_vol_dB(mixer->elem, raw, &cdb) < 0)
        return;
    if (cdb > 0 && raw > mixer->raw_min)
        snd_mixer_selem_ask_playback_vol_dB(mixer->elem, --raw, &cdb);
    mixer->raw_max = raw;
    *max_cdb = cdb;
}

/* Which part of the control's range is used, and whether in dB. */
static void learn_range(struct mixer *mixer)
{
    long min_cdb = 0, max_cdb = 0;
    snd_mixer_selem_get_playback_volume_range(mixer->elem, &mixer->raw_min, &mixer->raw_max);
    if (snd_mixer_selem_get_playback_dB_range(mixer->elem, &min_cdb, &max_cdb) < 0)
        return;
    /* Often the lowest step is silence: what the scale spans begins with the next. */
    if (min_cdb <= SND_CTL_TLV_DB_GAIN_MUTE &&
        snd_mixer_selem_ask_playback_vol_dB(mixer->elem, mixer->raw_min + 1, &min_cdb) < 0)
        return;
    if (max_cdb > 0 && min_cdb < 0)
        leave_out_excess(mixer, &max_cdb);
    mixer->in_db = max_cdb - min_cdb >= RANGE_MIN_CDB;
    mixer->min_cdb = min_cdb;
    mixer->max_cdb = max_cdb;
}

static int find_elem(struct mixer *mixer, const char *control, char *error)
{
    mixer->elem = control ? find_control(mixer->handle, control) : find_master(mixer->handle);
    if (!mixer->elem && control) {
        char what[NAME_MAX_BYTES + 40];
        snprintf(what, sizeof what, "it has no volume called '%.60s'", control);
        return refuse(error, mixer->card, what, -ENOENT);
    }
    if (!mixer->elem)
        return refuse(error, mixer->card, "it has no volume that is surely the master", -ENOENT);
    snprintf(mixer->name, sizeof mixer->name, "%s: %s", mixer->card,
             snd_mixer_selem_get_name(mixer->elem));
    learn_range(mixer);
    if (snd_mixer_selem_has_playback_switch(mixer->elem))
        snd_mixer_selem_set_playback_switch_all(mixer->elem, 1);
    return 0;
}

/* "1:PCM" is the card hw:1; "hw:1:PCM" and "mine:PCM", of an administrator's own ctl.mine, too. */
static void name_card(char card[NAME_MAX_BYTES], const char *text, size_t length)
{
    bool is_number = length > 0 && strspn(text, "0123456789") >= length;
    snprintf(card, NAME_MAX_BYTES, "%s%.*s", is_number ? "hw:" : "", (int)length, text);
}

static int open_named(struct mixer *mixer, const char *control, char *error)
{
    const char *colon = strrchr(control, ':');
    if (!colon || colon == control)
        return refuse(error, control, "neither auto nor CARD:CONTROL", -EINVAL);
    name_card(mixer->card, control, (size_t)(colon - control));
    int result = open_card(mixer, error);
    if (result < 0 && !strchr(mixer->card, ':')) { /* a card's name, rather than a ctl's */
        if (mixer->handle)
            snd_mixer_close(mixer->handle);
        mixer->handle = NULL;
        snprintf(mixer->card, sizeof mixer->card, "hw:%.*s", (int)(colon - control), control);
        result = open_card(mixer, error);
    }
    return result < 0 ? result : find_elem(mixer, colon + 1, error);
}

int mixer_open(const char *control, const char *card, struct mixer **ret_mixer, char *error)
{
    struct mixer *mixer = calloc(1, sizeof *mixer);
    if (!mixer)
        return refuse(error, control, "out of memory", -ENOMEM);
    int result;
    if (strcmp(control, "auto") == 0) {
        snprintf(mixer->card, sizeof mixer->card, "%s", card);
        result = open_card(mixer, error);
        if (result >= 0)
            result = find_elem(mixer, NULL, error);
    } else {
        result = open_named(mixer, control, error);
    }
    if (result < 0) {
        mixer_close(mixer);
        return result;
    }
    *ret_mixer = mixer;
    return 0;
}

void mixer_close(struct mixer *mixer)
{
    if (!mixer)
        return;
    if (mixer->handle)
        snd_mixer_close(mixer->handle);
    free(mixer);
}

const char *mixer_name(const struct mixer *mixer)
{
    return mixer->name;
}

/* The raw step at or above a level, and what level that is. */
static int step_for(const struct mixer *mixer, double cdb, long *ret_raw, long *ret_cdb)
{
    long wanted = (long)ceil(cdb);
    if (wanted < mixer->min_cdb)
        wanted = mixer->min_cdb;
    int result = snd_mixer_selem_ask_playback_dB_vol(mixer->elem, wanted, 1, ret_raw);
    if (result >= 0)
        result = snd_mixer_selem_ask_playback_vol_dB(mixer->elem, *ret_raw, ret_cdb);
    return result;
}

static int set_in_db(struct mixer *mixer, float gain, float *ret_rest)
{
    long raw, cdb;
    double wanted = gain > 0 ? 20 * log10((double)gain) * CDB_PER_DB + (double)mixer->max_cdb
                             : (double)mixer->min_cdb;
    int result = step_for(mixer, wanted, &raw, &cdb);
    if (result < 0)
        return result;
    result = snd_mixer_selem_set_playback_volume_all(mixer->elem, raw);
    if (result < 0)
        return result;
    double rest = pow(10, (wanted - (double)cdb) / CDB_PER_DB / 20);
    *ret_rest = gain > 0 ? (float)fmin(rest, 1) : 0;
    return 0;
}

int mixer_set_volume(struct mixer *mixer, double percent, float *ret_rest)
{
    snd_mixer_handle_events(mixer->handle);
    if (mixer->in_db)
        return set_in_db(mixer, gain_of_volume(percent), ret_rest);
    double x = fmin(fmax(percent, 0), 100) / 100;
    long raw = mixer->raw_min + lround((double)(mixer->raw_max - mixer->raw_min) * x);
    int result = snd_mixer_selem_set_playback_volume_all(mixer->elem, raw);
    if (result >= 0)
        *ret_rest = x > 0 ? 1 : 0;
    return result < 0 ? result : 0;
}
