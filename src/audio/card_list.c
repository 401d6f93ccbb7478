/*
 * card_list.c: the kernel's cards and their playback devices, through ALSA's control interface.
 */
#include "card_choice.h"

#include <alsa/asoundlib.h>
#include <stdbool.h>
#include <stdio.h>

static bool describe(snd_ctl_t *control, snd_ctl_card_info_t *card, int device,
                     struct card_output *ret)
{
    snd_pcm_info_t *pcm;
    snd_pcm_info_alloca(&pcm);
    snd_pcm_info_set_device(pcm, (unsigned)device);
    snd_pcm_info_set_stream(pcm, SND_PCM_STREAM_PLAYBACK);
    if (snd_ctl_pcm_info(control, pcm) < 0)
        return false; /* it only records */
    snprintf(ret->card, sizeof ret->card, "%s", snd_ctl_card_info_get_id(card));
    ret->device = device;
    snprintf(ret->name, sizeof ret->name, "%.30s %.40s %.50s", snd_ctl_card_info_get_driver(card),
             snd_ctl_card_info_get_name(card), snd_pcm_info_get_name(pcm));
    return true;
}

static size_t list_card(int number, struct card_output *to, size_t room)
{
    snd_ctl_card_info_t *card;
    snd_ctl_t *control;
    char name[16];
    size_t count = 0;
    int device = -1;
    snd_ctl_card_info_alloca(&card);
    snprintf(name, sizeof name, "hw:%d", number);
    if (snd_ctl_open(&control, name, SND_CTL_NONBLOCK) < 0)
        return 0;
    if (snd_ctl_card_info(control, card) >= 0)
        while (count < room && snd_ctl_pcm_next_device(control, &device) >= 0 && device >= 0)
            count += describe(control, card, device, &to[count]) ? 1 : 0;
    snd_ctl_close(control);
    return count;
}

size_t card_list(struct card_output outputs[CARD_OUTPUTS_MAX])
{
    size_t count = 0;
    int number = -1;
    while (count < CARD_OUTPUTS_MAX && snd_card_next(&number) >= 0 && number >= 0)
        count += list_card(number, outputs + count, CARD_OUTPUTS_MAX - count);
    return count;
}
