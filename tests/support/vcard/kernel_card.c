/*
 * kernel_card.c: what the kernel says of a sound card, for a machine without one; preloaded into its programs.
 *
 * An ordinary file /dev/snd/controlC0 is the card, and has in it: NUMBER ID DRIVER NAME. It has one playback device and
 * no mixer. That device is opened as hw:…, which the machine's asound.conf makes a virtual card (vcard.c).
 */
#include <dlfcn.h>
#include <errno.h>
#include <sound/asound.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

struct described {
    int number;
    char id[16], driver[16], name[32];
};

static bool describe(int fd, struct described *ret)
{
    char text[128] = "";
    struct stat status;
    return fstat(fd, &status) == 0 && S_ISREG(status.st_mode) &&
           pread(fd, text, sizeof text - 1, 0) > 0 &&
           sscanf(text, "%d %15s %15s %31[^\n]", &ret->number, ret->id, ret->driver, ret->name) ==
               4;
}

static void tell_card(const struct described *card, struct snd_ctl_card_info *to)
{
    memset(to, 0, sizeof *to);
    to->card = card->number;
    memcpy(to->id, card->id, sizeof card->id);
    memcpy(to->driver, card->driver, sizeof card->driver);
    memcpy(to->name, card->name, sizeof card->name);
    memcpy(to->longname, card->name, sizeof card->name);
    memcpy(to->mixername, card->name, sizeof card->name);
}

static int tell_pcm(const struct described *card, struct snd_pcm_info *to)
{
    if (to->device != 0 || to->stream != SNDRV_PCM_STREAM_PLAYBACK) {
        errno = ENOENT;
        return -1;
    }
    to->card = card->number;
    memcpy(to->id, card->name, sizeof card->name);
    memcpy(to->name, card->name, sizeof card->name);
    to->subdevices_count = to->subdevices_avail = 1;
    return 0;
}

static int answer(const struct described *card, unsigned long request, void *to)
{
    switch (request) {
    case SNDRV_CTL_IOCTL_PVERSION:
        *(int *)to = SNDRV_CTL_VERSION;
        return 0;
    case SNDRV_CTL_IOCTL_CARD_INFO:
        tell_card(card, to);
        return 0;
    case SNDRV_CTL_IOCTL_PCM_NEXT_DEVICE:
        *(int *)to = *(int *)to < 0 ? 0 : -1;
        return 0;
    case SNDRV_CTL_IOCTL_PCM_INFO:
        return tell_pcm(card, to);
    case SNDRV_CTL_IOCTL_PCM_PREFER_SUBDEVICE:
    case SNDRV_CTL_IOCTL_SUBSCRIBE_EVENTS:
        return 0;
    case SNDRV_CTL_IOCTL_ELEM_LIST:
        ((struct snd_ctl_elem_list *)to)->used = ((struct snd_ctl_elem_list *)to)->count = 0;
        return 0;
    default:
        errno = ENOTTY;
        return -1;
    }
}

int ioctl(int fd, unsigned long request, ...)
{
    struct described card;
    va_list rest;
    va_start(rest, request);
    void *argument = va_arg(rest, void *);
    va_end(rest);
    if (_IOC_TYPE(request) == 'U' && describe(fd, &card))
        return answer(&card, request, argument);
    int (*real)(int, unsigned long, ...) = NULL;
    *(void **)&real = dlsym(RTLD_NEXT, "ioctl");
    return real(fd, request, argument);
}
