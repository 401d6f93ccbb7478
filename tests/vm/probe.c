/*
 * probe.c: what a speaker takes for its card's position, look by look, while silence is played.
 *
 *   probe DEVICE RATE SECONDS FILE
 *
 * FILE gets five int64 per look: ns of CLOCK_MONOTONIC_RAW before and after the driver was asked,
 * the time that the speaker's sink chose for the position, the position in frames, and the pairing
 * that it has found (enum stamp_pairing_kind). Looks are irregular and about a millisecond apart.
 */
#include "tutti/audio/sink.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define BUFFER_NS (NS_PER_S * 3 / 2)
#define WRITE_FRAMES 4096

/* The sink reads its clock right before and right after it asks the driver: these two. */
struct bracket {
    struct mono_time before, after;
};

static struct mono_time now(void *clock)
{
    struct bracket *bracket = clock;
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC_RAW, &t);
    bracket->before = bracket->after;
    bracket->after = (struct mono_time){t.tv_sec * NS_PER_S + t.tv_nsec};
    return bracket->after;
}

static void must(bool good, const char *what)
{
    if (good)
        return;
    fprintf(stderr, "%s\n", what);
    exit(1);
}

static void fill(struct sink *sink)
{
    static const float silence[WRITE_FRAMES * SINK_CHANNELS];
    int64_t taken;
    while ((taken = sink_write(sink, silence, WRITE_FRAMES)) == WRITE_FRAMES)
        ;
    must(taken >= 0, "it takes no sound");
}

static void look(struct sink *sink, const struct bracket *bracket, FILE *file)
{
    struct sink_observation seen = sink_observe(sink);
    must(seen.state == SINK_RUNNING, "it has stopped");
    int64_t line[] = {bracket->before.ns, bracket->after.ns, seen.time.ns,
                      seen.written_frames - seen.delay_frames, seen.pairing};
    fwrite(line, sizeof line, 1, file);
}

/* 0.6 to 1.4 ms, at random: looks at all phases of the pointer's steps. */
static void nap(void)
{
    static uint64_t random = 1;
    random = random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    nanosleep(&(struct timespec){.tv_nsec = 600000 + (long)((random >> 33) % 800000)}, NULL);
}

int main(int argc, char **argv)
{
    if (argc != 5)
        return 2;
    static struct bracket bracket;
    struct sink_config config = {
        .device = argv[1],
        .preferred_rate_hz = (unsigned)strtoul(argv[2], NULL, 10),
        .buffer_ns = BUFFER_NS,
        .now = now,
        .clock = &bracket,
        .clock_id = CLOCK_MONOTONIC_RAW,
    };
    struct sink *sink;
    char error[SINK_TEXT_MAX];
    must(sink_open(&config, &sink, error) == 0, error);
    FILE *file = fopen(argv[4], "wb");
    must(file, "no file");
    fill(sink);
    must(sink_start(sink) == 0, "it does not start");
    int64_t end_ns = now(&bracket).ns + strtol(argv[3], NULL, 10) * NS_PER_S;
    while (bracket.after.ns < end_ns) {
        look(sink, &bracket, file);
        fill(sink);
        nap();
    }
    fclose(file);
    printf("%u\n", sink_get_info(sink)->rate_hz);
    sink_close(sink);
    return 0;
}
