/*
 * volume.h: who sets the volume: the card, where it can and may; software the rest.
 *
 * A card's mixer is looked for whenever the sound device has been opened, because it may be another
 * one than before, and forgotten when the device is closed or gone.
 */
#ifndef TUTTI_DAEMON_VOLUME_H
#define TUTTI_DAEMON_VOLUME_H

#include <stdbool.h>

struct volume;

/* control, mixer_device: [audio] mixer and mixer_device of the settings; both outlive it. */
struct volume *volume_create(const char *control, const char *mixer_device);
void volume_destroy(struct volume *volume);

/* The sound device is open, on ALSA's card of this number (-1: none known), or not. True when
 * that is news: volume_set() is due. */
bool volume_follow(struct volume *volume, bool open, int card);

/* Sets the card, if there is one, and returns the linear gain to be applied in software. */
float volume_set(struct volume *volume, double percent, bool muted);

/* "hw:1: Digital", "software" or "none", for status. */
const char *volume_setter(const struct volume *volume);

#endif
