/*
 * test_sink_alsa.c: the ALSA sink on virtual cards, judged by what they recorded.
 *
 * The cards run in real time on CLOCK_MONOTONIC (tests/support/vcard); waiting is for conditions,
 * with a deadline.
 */
#include "../cmocka_all.h"
#include "tutti/audio/sink.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define RATE 48000
#define PATH_BYTES 256

static char directory[] = "/tmp/tutti-sink-XXXXXX";

static struct mono_time read_clock(void *clock)
{
    (void)clock;
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (struct mono_time){(int64_t)now.tv_sec * NS_PER_S + now.tv_nsec};
}

static void in_directory(char path[PATH_BYTES], const char *name, const char *kind)
{
    snprintf(path, PATH_BYTES, "%s/%s.%s", directory, name, kind);
}

static void write_card(FILE *file, const char *name, const char *options)
{
    fprintf(file,
            "pcm.%s {\n type tutti_vcard\n record \"%s/%s.record\"\n control \"%s/%s.control\"\n"
            " %s\n}\n",
            name, directory, name, directory, name, options);
}

/* What ALSA's configuration may name, and whether a speaker has a use for it. */
static const struct {
    const char *name;
    bool listed;
} offered[] = {
    {"iec958", false},       {"spdif", false},    {"surround51", false}, {"front", false},
    {"lavrate_high", false}, {"plughw", false},   {"hdmi", true},        {"front_room", true},
    {"ossuary", true},       {"nullarbor", true}, {"sidewalk", true},    {"default", true},
};

static void write_offer(FILE *file, const char *name)
{
    fprintf(file, "pcm.%s {\n type null\n hint { show on description \"Of\ntwo\" }\n}\n", name);
}

static int set_up_cards(void **state)
{
    (void)state;
    char path[PATH_BYTES];
    if (!mkdtemp(directory))
        return -1;
    in_directory(path, "asound", "conf");
    FILE *file = fopen(path, "w");
    if (!file)
        return -1;
    fprintf(file, "pcm_type.tutti_vcard { lib \"%s\" }\n", VCARD_PLUGIN);
    write_card(file, "wide", "rates [ 44100 48000 ] formats [ S16 S32 ] ppm 80");
    write_card(file, "narrow", "rates 48000 formats [ S16 ]");
    write_card(file, "usb", "rates [ 44100 96000 ] formats [ S24_3LE ]");
    write_card(file, "padded", "rates [ 8000 22050 32000 44100 48000 ] formats [ S24 ]");
    write_card(file, "coarse", "rates 48000 formats [ S32 ] step_us 10000");
    write_card(file, "mute", "rates 48000 formats [ S32 ] no_delay 1");
    write_card(file, "odd", "rates 50000 formats [ S32 ]");
    write_card(file, "alaw", "rates 48000 formats [ A_LAW ]");
    fprintf(file, "pcm.nothing { type null }\n");
    for (size_t i = 0; i < sizeof offered / sizeof *offered; i++)
        write_offer(file, offered[i].name);
    fclose(file);
    return setenv("ALSA_CONFIG_PATH", path, 1);
}

static int remove_cards(void **state)
{
    (void)state;
    char command[PATH_BYTES];
    snprintf(command, sizeof command, "rm -r '%s'", directory);
    return system(command) == 0 ? 0 : -1;
}

static void command(const char *card, const char *line)
{
    char path[PATH_BYTES];
    in_directory(path, card, "control");
    FILE *file = fopen(path, "a");
    assert_non_null(file);
    fprintf(file, "%s\n", line);
    fclose(file);
}

static struct sink_config config_for(const char *device)
{
    return (struct sink_config){
        .device = device,
        .preferred_rate_hz = RATE,
        .buffer_ns = 500 * NS_PER_MS,
        .now = read_clock,
        .clock_id = CLOCK_MONOTONIC,
    };
}

static struct sink *open_sink(const struct sink_config *config)
{
    char error[SINK_TEXT_MAX] = "";
    struct sink *sink = NULL;
    if (sink_open(config, &sink, error) < 0)
        fail_msg("%s", error);
    return sink;
}

static struct sink *open_card(const char *device)
{
    struct sink_config config = config_for(device);
    return open_sink(&config);
}

/* Looks until the state is there; fails after five seconds. */
static struct sink_observation wait_for(struct sink *sink, enum sink_state state)
{
    int64_t deadline = read_clock(NULL).ns + 5 * NS_PER_S;
    for (;;) {
        struct sink_observation look = sink_observe(sink);
        if (look.state == state)
            return look;
        if (read_clock(NULL).ns > deadline)
            fail_msg("state %d, but %d after 5 s", state, look.state);
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    }
}

static void wait_while_running(struct sink *sink)
{
    int64_t deadline = read_clock(NULL).ns + 5 * NS_PER_S;
    while (sink_observe(sink).state == SINK_RUNNING) {
        if (read_clock(NULL).ns > deadline)
            fail_msg("still running after 5 s");
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    }
}

/* Where all was played before we looked, on a busy machine, it ended in an underrun. */
static void wait_until_played(struct sink *sink, int64_t frame)
{
    int64_t deadline = read_clock(NULL).ns + 5 * NS_PER_S;
    for (;;) {
        struct sink_observation look = sink_observe(sink);
        if (look.state == SINK_XRUN && look.written_frames >= frame)
            return;
        assert_int_equal(look.state, SINK_RUNNING);
        if (look.written_frames - look.delay_frames >= frame)
            return;
        if (read_clock(NULL).ns > deadline)
            fail_msg("frame %lld not played after 5 s", (long long)frame);
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    }
}

/* --- what a card recorded since it was last started ------------------------------------------ */

struct recording {
    unsigned sample_bytes, sample_bits;
    int64_t count;
    int32_t *samples; /* interleaved */
    int64_t first_ns;
    double rate_hz;
};

struct record_header {
    char tag[4];
    uint32_t bytes;
};

static int32_t sample_at(const unsigned char *at, unsigned bytes)
{
    uint32_t x = 0;
    for (unsigned i = 0; i < bytes; i++)
        x |= (uint32_t)at[i] << (8 * i);
    return (int32_t)(x << (32 - 8 * bytes)) >> (32 - 8 * bytes);
}

static void take_run(struct recording *recording, const unsigned char *payload, uint32_t bytes)
{
    uint64_t frame;
    memcpy(&frame, payload + 8, 8);
    if (frame == 0) {
        memcpy(&recording->first_ns, payload, 8);
        memcpy(&recording->rate_hz, payload + 16, 8);
        recording->count = 0;
    }
    assert_int_equal(frame, recording->count);
    int64_t frames = (bytes - 24) / (recording->sample_bytes * 2);
    recording->samples =
        realloc(recording->samples, (size_t)(recording->count + frames) * 2 * sizeof(int32_t));
    assert_non_null(recording->samples);
    for (int64_t i = 0; i < frames * 2; i++)
        recording->samples[recording->count * 2 + i] =
            sample_at(payload + 24 + i * recording->sample_bytes, recording->sample_bytes);
    recording->count += frames;
}

static struct recording load_recording(const char *card)
{
    struct recording recording = {0};
    char path[PATH_BYTES];
    in_directory(path, card, "record");
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    struct record_header header;
    while (fread(&header, sizeof header, 1, file) == 1) {
        unsigned char *payload = malloc(header.bytes + 1);
        assert_non_null(payload);
        assert_int_equal(fread(payload, 1, header.bytes, file), header.bytes);
        if (memcmp(header.tag, "CONF", 4) == 0)
            memcpy(&recording.sample_bytes, payload + 8, 2 * sizeof(uint32_t));
        else if (memcmp(header.tag, "RUN ", 4) == 0)
            take_run(&recording, payload, header.bytes);
        free(payload);
    }
    fclose(file);
    return recording;
}

/* --- sound whose every sample tells its number ------------------------------------------------ */

static float value_of(int64_t number)
{
    return (float)(number % 30000 + 1) / 32768.0f;
}

static void write_numbers(struct sink *sink, int64_t first, size_t count)
{
    float *frames = malloc(count * SINK_CHANNELS * sizeof *frames);
    assert_non_null(frames);
    for (size_t i = 0; i < count; i++) {
        frames[2 * i] = value_of(first + (int64_t)i);
        frames[2 * i + 1] = -frames[2 * i];
    }
    assert_int_equal(sink_write(sink, frames, count), count);
    free(frames);
}

static void expect_number(const struct recording *recording, int64_t frame, int64_t number)
{
    double scale = ldexp(1, (int)recording->sample_bits - 1);
    double tolerance = recording->sample_bits == 16 ? 1.5 : 0.5; /* dithered, or exact */
    double left = (double)value_of(number) * scale;
    if (fabs(recording->samples[2 * frame] - left) > tolerance ||
        fabs(recording->samples[2 * frame + 1] + left) > tolerance)
        fail_msg("frame %lld: %d %d instead of +-%.0f", (long long)frame,
                 recording->samples[2 * frame], recording->samples[2 * frame + 1], left);
}

/* --- tests ------------------------------------------------------------------------------------ */

static void check_negotiation(const char *device, unsigned preferred_hz, const char *format,
                              unsigned rate_hz)
{
    struct sink_config config = config_for(device);
    config.preferred_rate_hz = preferred_hz;
    struct sink *sink = open_sink(&config);
    const struct sink_info *info = sink_get_info(sink);
    assert_string_equal(info->device, device);
    assert_string_equal(info->format, format);
    assert_int_equal(info->rate_hz, rate_hz);
    assert_in_range(info->buffer_frames, rate_hz * 4 / 10, rate_hz * 6 / 10);
    assert_true(info->can_rewind);
    sink_close(sink);
}

static void test_takes_the_best_that_there_is(void **state)
{
    (void)state;
    check_negotiation("wide", 44100, "S32_LE", 44100);
    check_negotiation("wide", 48000, "S32_LE", 48000);
    check_negotiation("narrow", 44100, "S16_LE", 48000);
    check_negotiation("usb", 44100, "S24_3LE", 44100);
    check_negotiation("usb", 48000, "S24_3LE", 96000); /* its own family first */
    check_negotiation("padded", 8000, "S24_LE", 48000);
    check_negotiation("padded", 22050, "S24_LE", 44100);
    check_negotiation("padded", 32000, "S24_LE", 48000);
    check_negotiation("odd", 44100, "S32_LE", 50000);
}

static void check_refusal(const struct sink_config *config, int result, const char *why)
{
    char error[SINK_TEXT_MAX] = "";
    struct sink *sink = NULL;
    assert_int_equal(sink_open(config, &sink, error), result);
    assert_null(sink);
    if (!strstr(error, config->device) || !strstr(error, why) || strchr(error, '\n'))
        fail_msg("unclear: \"%s\"", error);
}

static void test_refusals_say_why(void **state)
{
    (void)state;
    struct sink_config config = config_for("nowhere");
    check_refusal(&config, -ENOENT, "no such device");
    config = config_for("alaw");
    check_refusal(&config, -EINVAL, "S32, S24, S24_3LE, S16");
    config = config_for("wide");
    config.fixed_rate_hz = 96000;
    check_refusal(&config, -EINVAL, "rate");
    command("wide", "busy");
    config = config_for("wide");
    check_refusal(&config, -EBUSY, "another program");
    command("wide", "fail");
    check_refusal(&config, -ENODEV, "not there");
    command("wide", "ok");
    sink_close(open_card("wide"));
}

static void check_playing(const char *device)
{
    struct sink *sink = open_card(device);
    assert_int_equal(sink_observe(sink).state, SINK_STOPPED);
    write_numbers(sink, 0, 4000);
    write_numbers(sink, 4000, 3000);
    assert_int_equal(sink_observe(sink).written_frames, 7000);
    assert_int_equal(sink_start(sink), 0);
    wait_until_played(sink, 5000);
    sink_close(sink);
    struct recording recording = load_recording(device);
    assert_true(recording.count >= 5000);
    for (int64_t i = 0; i < 5000; i++)
        expect_number(&recording, i, i);
    free(recording.samples);
}

static void test_plays_what_was_written(void **state)
{
    (void)state;
    check_playing("wide");
    check_playing("narrow");
    check_playing("usb");
    check_playing("padded");
}

static void check_channels(enum sink_channel_mode mode, float left, float right)
{
    struct sink_config config = config_for("wide");
    config.channels = mode;
    struct sink *sink = open_sink(&config);
    static float frames[4000 * SINK_CHANNELS];
    for (int i = 0; i < 4000; i++) {
        frames[2 * i] = 0.5f;
        frames[2 * i + 1] = 0.25f;
    }
    assert_int_equal(sink_write(sink, frames, 4000), 4000);
    assert_int_equal(sink_start(sink), 0);
    wait_until_played(sink, 1000);
    sink_close(sink);
    struct recording recording = load_recording("wide");
    for (int64_t i = 0; i < 1000; i++) {
        assert_int_equal(recording.samples[2 * i], (int32_t)(left * 2147483648.0f));
        assert_int_equal(recording.samples[2 * i + 1], (int32_t)(right * 2147483648.0f));
    }
    free(recording.samples);
}

static void test_channel_modes(void **state)
{
    (void)state;
    check_channels(SINK_STEREO, 0.5f, 0.25f);
    check_channels(SINK_LEFT, 0.5f, 0.5f);
    check_channels(SINK_RIGHT, 0.25f, 0.25f);
    check_channels(SINK_MONO, 0.375f, 0.375f);
}

static void test_takes_what_fits(void **state)
{
    (void)state;
    struct sink *sink = open_card("wide");
    size_t room = sink_get_info(sink)->buffer_frames;
    static float frames[RATE * SINK_CHANNELS];
    assert_int_equal(sink_write(sink, frames, RATE), room);
    assert_int_equal(sink_write(sink, frames, 100), 0);
    assert_int_equal(sink_observe(sink).state, SINK_STOPPED); /* a full queue starts nothing */
    sink_close(sink);
}

/*
 * Every look must say the frame that the card was really at, by its own recording: to a frame (it
 * reports whole ones, begun), a coarse pointer to its step, stale but never ahead.
 */
static void check_observations(const char *device, double stale_frames)
{
    enum { LOOKS = 200 };
    struct sink_observation looks[LOOKS];
    struct sink *sink = open_card(device);
    write_numbers(sink, 0, 20000);
    assert_int_equal(sink_start(sink), 0);
    int count = 0;
    for (int64_t next = 20000; count < LOOKS; count++) {
        looks[count] = sink_observe(sink);
        assert_int_equal(looks[count].state, SINK_RUNNING);
        assert_int_equal(looks[count].written_frames, next);
        assert_true(looks[count].uncertainty_ns >= 0);
        if (looks[count].delay_frames < 18000) {
            write_numbers(sink, next, 1000);
            next += 1000;
        }
        nanosleep(&(struct timespec){.tv_nsec = 1300000}, NULL);
    }
    sink_close(sink);
    struct recording recording = load_recording(device);
    for (int i = 0; i < count; i++) {
        double truth = ns_to_frames(looks[i].time.ns - recording.first_ns, recording.rate_hz);
        double said = (double)(looks[i].written_frames - looks[i].delay_frames);
        double slack = 1 + ns_to_frames(looks[i].uncertainty_ns, recording.rate_hz);
        if (said > truth + slack || said < truth - stale_frames - slack)
            fail_msg("look %d: frame %.0f, but it was at %.2f", i, said, truth);
    }
    free(recording.samples);
}

static void test_observations_are_true(void **state)
{
    (void)state;
    check_observations("wide", 0);
    check_observations("coarse", 0.01 * RATE);
    check_observations("mute", 0); /* says that nothing is queued: the pointer knows better */
}

static void freeze(struct sink *sink)
{
    command("wide", "freeze");
    int64_t before = sink_observe(sink).delay_frames, now;
    while ((now = sink_observe(sink).delay_frames) != before)
        before = now;
}

static void test_rewinds_what_is_not_played(void **state)
{
    (void)state;
    struct sink *sink = open_card("wide");
    write_numbers(sink, 0, 20000);
    assert_int_equal(sink_start(sink), 0);
    wait_until_played(sink, 1000);
    freeze(sink);
    assert_int_equal(sink_rewind(sink, 4000), 4000);
    write_numbers(sink, 20000, 4000); /* instead of 16000 ... 19999 */
    size_t taken = sink_rewind(sink, 100000);
    struct sink_observation look = sink_observe(sink);
    assert_int_equal(look.written_frames, 20000 - (int64_t)taken);
    /* A margin stays, of a few milliseconds. */
    assert_in_range(look.delay_frames, RATE / 500, RATE / 100);
    assert_int_equal(sink_rewind(sink, 100000), 0);
    int64_t cut = look.written_frames;
    write_numbers(sink, 10000, 3000);
    command("wide", "thaw");
    wait_until_played(sink, cut + 2000);
    sink_close(sink);
    struct recording recording = load_recording("wide");
    for (int64_t i = 0; i < cut + 2000; i++)
        expect_number(&recording, i, i < cut ? i : i - cut + 10000);
    free(recording.samples);
}

static void test_rewound_frames_are_replaced(void **state)
{
    (void)state;
    struct sink *sink = open_card("wide");
    write_numbers(sink, 0, 9000);
    assert_int_equal(sink_rewind(sink, 4000), 4000); /* before the start, too */
    write_numbers(sink, 20000, 4000);
    assert_int_equal(sink_start(sink), 0);
    freeze(sink);
    assert_int_equal(sink_rewind(sink, 2000), 2000);
    write_numbers(sink, 25000, 2000);
    command("wide", "thaw");
    wait_until_played(sink, 9000);
    sink_close(sink);
    struct recording recording = load_recording("wide");
    for (int64_t i = 0; i < 9000 - 1; i++)
        expect_number(&recording, i, i < 5000 ? i : i < 7000 ? i + 15000 : i + 18000);
    free(recording.samples);
}

static void check_restart(struct sink *sink)
{
    static const float frames[200];
    assert_int_equal(sink_reset(sink), 0);
    assert_int_equal(sink_observe(sink).state, SINK_STOPPED);
    assert_int_equal(sink_observe(sink).written_frames, 0);
    write_numbers(sink, 500, 20000);
    assert_int_equal(sink_start(sink), 0);
    wait_until_played(sink, 2000);
    assert_int_equal(sink_write(sink, frames, 100), 100);
    assert_int_equal(sink_observe(sink).written_frames, 20100);
    struct recording recording = load_recording("wide");
    for (int64_t i = 0; i < 1000; i++)
        expect_number(&recording, i, i + 500);
    free(recording.samples);
}

static void test_starts_over_after_an_underrun(void **state)
{
    (void)state;
    static const float frames[200];
    struct sink *sink = open_card("wide");
    write_numbers(sink, 0, 1000); /* and no more */
    assert_int_equal(sink_start(sink), 0);
    wait_for(sink, SINK_XRUN);
    assert_int_equal(sink_write(sink, frames, 100), -EPIPE);
    assert_int_equal(sink_rewind(sink, 100), 0);
    check_restart(sink);
    command("wide", "xrun");
    wait_for(sink, SINK_XRUN);
    check_restart(sink);
    sink_close(sink);
}

static void test_starts_over_after_a_suspend(void **state)
{
    (void)state;
    static const float frames[200];
    struct sink *sink = open_card("wide");
    write_numbers(sink, 0, 20000);
    assert_int_equal(sink_start(sink), 0);
    command("wide", "suspend");
    wait_for(sink, SINK_SUSPENDED);
    assert_int_equal(sink_write(sink, frames, 100), -ESTRPIPE);
    check_restart(sink);
    sink_close(sink);
}

static void test_a_lost_card_is_lost(void **state)
{
    (void)state;
    static const float frames[200];
    struct sink *sink = open_card("wide");
    write_numbers(sink, 0, 20000);
    assert_int_equal(sink_start(sink), 0);
    command("wide", "fail");
    /* Of a plugin's failure alsa-lib makes an underrun first; the reset then tells. */
    wait_while_running(sink);
    assert_true(sink_write(sink, frames, 100) < 0);
    assert_int_equal(sink_rewind(sink, 100), 0);
    assert_true(sink_reset(sink) < 0);
    sink_close(sink);
    command("wide", "ok");
    check_playing("wide");
}

static void test_a_start_needs_something_to_play(void **state)
{
    (void)state;
    struct sink *sink = open_card("wide");
    assert_true(sink_start(sink) < 0);
    sink_close(sink);
}

/* alsa-lib's own null device: consumes everything at once, has no timestamps, cannot rewind. */
static void test_a_device_of_another_kind(void **state)
{
    (void)state;
    struct sink *sink = open_card("nothing");
    assert_false(sink_get_info(sink)->can_rewind);
    static float frames[4800 * SINK_CHANNELS];
    assert_true(sink_write(sink, frames, 4800) > 0);
    assert_int_equal(sink_rewind(sink, 100), 0);
    sink_observe(sink);
    sink_close(sink);
}

struct found {
    unsigned offered; /* a bit each */
    bool null;
};

static void note_device(void *user, const char *name, const char *description)
{
    struct found *found = user;
    for (size_t i = 0; i < sizeof offered / sizeof *offered; i++)
        if (strcmp(name, offered[i].name) == 0)
            found->offered |= 1U << i;
    assert_true(name[0] != '\0');
    assert_null(strchr(description, '\n'));
    if (strcmp(name, "null") == 0) {
        assert_false(found->null);
        found->null = true;
    }
}

static void test_lists_devices(void **state)
{
    (void)state;
    struct found found = {0};
    sink_list_devices(note_device, &found);
    assert_true(found.null);
    for (size_t i = 0; i < sizeof offered / sizeof *offered; i++)
        if ((found.offered >> i & 1) != offered[i].listed)
            fail_msg("%s is %slisted", offered[i].name, offered[i].listed ? "not " : "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_takes_the_best_that_there_is),
        cmocka_unit_test(test_refusals_say_why),
        cmocka_unit_test(test_plays_what_was_written),
        cmocka_unit_test(test_channel_modes),
        cmocka_unit_test(test_takes_what_fits),
        cmocka_unit_test(test_observations_are_true),
        cmocka_unit_test(test_rewinds_what_is_not_played),
        cmocka_unit_test(test_rewound_frames_are_replaced),
        cmocka_unit_test(test_starts_over_after_an_underrun),
        cmocka_unit_test(test_starts_over_after_a_suspend),
        cmocka_unit_test(test_a_lost_card_is_lost),
        cmocka_unit_test(test_a_start_needs_something_to_play),
        cmocka_unit_test(test_a_device_of_another_kind),
        cmocka_unit_test(test_lists_devices),
    };
    return cmocka_run_group_tests(tests, set_up_cards, remove_cards);
}
