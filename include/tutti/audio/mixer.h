/*
 * mixer.h: the card's own volume control.
 *
 * Volume is in percent by the curve of gain_of_volume(), whatever steps the card has: the card is
 * set to its next louder step, and what that is too loud by is left to the caller, as a linear gain
 * of at most 1 to be applied in software. So volume is the same on every card, changes smoothly,
 * and mute can be faded (a card's mute switch clicks). The card is never set above 0 dB, where its
 * output would clip: 100 % is its highest step that is not. Controls that span less than 10 dB, or
 * do not say how much, are set by their raw steps in proportion to the percentage.
 */
#ifndef TUTTI_AUDIO_MIXER_H
#define TUTTI_AUDIO_MIXER_H

#define MIXER_TEXT_MAX 160

struct mixer;

/*
 * control: "auto" (the card's master volume, by its usual names) or "CARD:CONTROL", as amixer names
 * them: "0:PCM", "sndrpihifiberry:Digital", "hw:1:Headphone,1".
 * card: with "auto", an ALSA control device ("hw:1"). Else unused, may be NULL.
 * The volume stays as it is, but what is muted by a switch is let through. 0, or -errno with a line
 * for people in error[MIXER_TEXT_MAX]: -ENOENT no such control, -ENODEV no such card, ...
 */
int mixer_open(const char *control, const char *card, struct mixer **ret_mixer, char *error);
void mixer_close(struct mixer *mixer); /* NULL is fine */

/* "hw:1: Digital" */
const char *mixer_name(const struct mixer *mixer);

/* 0 with the gain that is left to software in *ret_rest, or -errno (-ENODEV: the card is gone;
 * close, and open again when it is back). */
int mixer_set_volume(struct mixer *mixer, double percent, float *ret_rest);

#endif
