/*
 * card_choice.h: which of a machine's sound cards is meant where nobody has said which: the one that is
 * not HDMI. A Pi's own jack is meant only where nothing has been added to the board.
 */
#ifndef TUTTI_AUDIO_CARD_CHOICE_H
#define TUTTI_AUDIO_CARD_CHOICE_H

#include <stddef.h>

#define CARD_ID_MAX 16
#define CARD_NAME_MAX 128
#define CARD_DEVICE_MAX 48
#define CARD_OUTPUTS_MAX 32

/* One playback device of a card, as the kernel describes it. */
struct card_output {
    char card[CARD_ID_MAX];   /* "sndrpihifiberry" */
    int device;               /* its number on the card */
    char name[CARD_NAME_MAX]; /* the names of driver, card and device, with blanks between */
};

/*
 * Its ALSA name into device. 0; or -ENODEV, with what there is instead in why[size]: no card, none but
 * HDMI, or several.
 */
int card_choose(const struct card_output *outputs, size_t count, char device[CARD_DEVICE_MAX],
                char *why, size_t size);

/* What the kernel has now, at most CARD_OUTPUTS_MAX. Some system calls for each card. */
size_t card_list(struct card_output outputs[CARD_OUTPUTS_MAX]);

#endif
