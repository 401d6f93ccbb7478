/*
 * capture.c: records the capture sides of several cards of a machine, and when each frame came.
 *
 *   capture RATE DEVICE:FILE...     (until SIGTERM)
 *
 * FILE gets stereo frames of S32, FILE.looks three int64 per look: ns of CLOCK_MONOTONIC before and
 * after it, and the frames that the card had captured by then. Looks are irregular and about a
 * millisecond apart, so that some come right after a pointer that moves in coarse steps has moved:
 * those are the ones that tell the time.
 */
#include <alsa/asoundlib.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define CARDS_MAX 4
#define BUFFER_FRAMES 32768
#define READ_FRAMES 4096
#define FRAME_BYTES 8

struct card {
    const char *name;
    snd_pcm_t *pcm;
    FILE *frames, *looks;
    int64_t read_frames;
};

static volatile sig_atomic_t over;

static void end(int number)
{
    (void)number;
    over = 1;
}

static int64_t now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

static void must(int result, const char *what, const char *name)
{
    if (result >= 0)
        return;
    fprintf(stderr, "%s: %s: %s\n", name, what, snd_strerror(result));
    exit(1);
}

static FILE *create(const char *path, const char *ending)
{
    char name[512];
    snprintf(name, sizeof name, "%s%s", path, ending);
    FILE *file = fopen(name, "wb");
    if (!file) {
        perror(name);
        exit(1);
    }
    return file;
}

static void open_card(struct card *card, char *argument, unsigned rate_hz)
{
    char *colon = strrchr(argument, ':');
    must(colon ? 0 : -EINVAL, "not DEVICE:FILE", argument);
    *colon = '\0';
    card->name = argument;
    must(snd_pcm_open(&card->pcm, argument, SND_PCM_STREAM_CAPTURE, SND_PCM_NONBLOCK), "open",
         argument);
    snd_pcm_hw_params_t *hw;
    snd_pcm_hw_params_alloca(&hw);
    snd_pcm_uframes_t buffer = BUFFER_FRAMES;
    must(snd_pcm_hw_params_any(card->pcm, hw), "parameters", argument);
    must(snd_pcm_hw_params_set_access(card->pcm, hw, SND_PCM_ACCESS_RW_INTERLEAVED), "access",
         argument);
    must(snd_pcm_hw_params_set_format(card->pcm, hw, SND_PCM_FORMAT_S32), "format", argument);
    must(snd_pcm_hw_params_set_channels(card->pcm, hw, 2), "channels", argument);
    must(snd_pcm_hw_params_set_rate(card->pcm, hw, rate_hz, 0), "rate", argument);
    must(snd_pcm_hw_params_set_buffer_size_near(card->pcm, hw, &buffer), "buffer", argument);
    must(snd_pcm_hw_params(card->pcm, hw), "parameters", argument);
    card->frames = create(colon + 1, "");
    card->looks = create(colon + 1, ".looks");
}

static void look(struct card *card)
{
    static char frames[READ_FRAMES * FRAME_BYTES];
    int64_t line[3];
    line[0] = now_ns();
    snd_pcm_sframes_t available = snd_pcm_avail(card->pcm);
    line[1] = now_ns();
    must((int)available, "it stopped", card->name);
    line[2] = card->read_frames + available;
    fwrite(line, sizeof line, 1, card->looks);
    if (available < READ_FRAMES)
        return;
    snd_pcm_sframes_t got = snd_pcm_readi(card->pcm, frames, READ_FRAMES);
    must((int)got, "read", card->name);
    fwrite(frames, FRAME_BYTES, (size_t)got, card->frames);
    card->read_frames += got;
}

/* 0.6 to 1.4 ms, at random: evenly spread ones would add up to a beat with the pointer's own steps,
 * and miss their ends. */
static void nap(void)
{
    static uint64_t random = 1;
    random = random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    nanosleep(&(struct timespec){.tv_nsec = 600000 + (long)((random >> 33) % 800000)}, NULL);
}

int main(int argc, char **argv)
{
    struct card cards[CARDS_MAX] = {0};
    int count = argc - 2;
    if (count < 1 || count > CARDS_MAX)
        return 2;
    signal(SIGTERM, end);
    struct sched_param priority = {.sched_priority = 30};
    if (sched_setscheduler(0, SCHED_FIFO, &priority) < 0)
        perror("a real-time priority");
    for (int i = 0; i < count; i++)
        open_card(&cards[i], argv[i + 2], (unsigned)strtoul(argv[1], NULL, 10));
    for (int i = 0; i < count; i++)
        must(snd_pcm_start(cards[i].pcm), "start", cards[i].name);
    while (!over) {
        for (int i = 0; i < count; i++)
            look(&cards[i]);
        nap();
    }
    for (int i = 0; i < count; i++) {
        fclose(cards[i].frames);
        fclose(cards[i].looks);
        snd_pcm_close(cards[i].pcm);
    }
    return 0;
}
