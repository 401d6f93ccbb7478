/*
 * test_output.c: what a card is given, frame by frame, and when it is asked for again; on a virtual
 * clock.
 */
#include "../../../src/playback/output_internal.h"
#include "../cmocka_all.h"
#include "fake_card.h"
#include "tutti/base/log.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FADE 192 /* 4 ms */
#define SECOND FAKE_CARD_RATE_HZ

static struct fake_card card;
static struct output *output;

static void begin_with(double remembered_ppm)
{
    fake_card_init(&card);
    log_set_level(LOG_ERROR);
    output = output_create(&(struct output_config){.sink = {.device = "fake",
                                                            .now = fake_card_now,
                                                            .clock = &card,
                                                            .backend = &fake_card_backend},
                                                   .remembered_ppm = remembered_ppm});
    assert_non_null(output);
}

static int set_up(void **state)
{
    (void)state;
    begin_with(NAN);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    output_destroy(output);
    fake_card_end(&card);
    return 0;
}

static void go_on_ms(double ms)
{
    card.now = mono_add(card.now, (int64_t)(ms * NS_PER_MS));
}

/* Looks whenever it wants, until it is ready. Returns how many that took. */
static int get_ready(void)
{
    int looks = 0;
    output_want(output, 44100);
    while (output_look(output, card.now) != OUTPUT_READY) {
        int64_t wait_ns = mono_sub(output_next_look(output), card.now);
        assert_true(wait_ns < 2 * NS_PER_S && looks++ < 1000);
        card.now = mono_add(card.now, wait_ns > 0 ? wait_ns : 0);
    }
    return looks;
}

/* Looks every 50 ms, with silence in the queue. */
static void idle_ms(int ms)
{
    for (int i = 0; i < ms; i += 50) {
        go_on_ms(50);
        output_look(output, card.now);
        if (output->sink)
            output_append_silence(output, output_space(output, card.now) / 2);
    }
}

/* A level in both channels. Returns the first frame's number. */
static int64_t append(float level, size_t count, bool begins)
{
    float *frames = malloc(count * SINK_CHANNELS * sizeof *frames);
    int64_t first = output_end(output);
    for (size_t i = 0; i < count * SINK_CHANNELS; i++)
        frames[i] = level;
    output_append_sound(output, frames, count, 10, 1.0 / SECOND, begins);
    free(frames);
    return first;
}

/* What was given to the card for a frame. */
static double given(int64_t frame)
{
    assert_true(frame < card.written);
    return (double)card.left[frame % FAKE_CARD_KEPT_FRAMES];
}

static double rise(double share)
{
    return 0.5 - 0.5 * cos(M_PI * share);
}

static void assert_about(double is, double wanted)
{
    if (fabs(is - wanted) > 1e-5)
        fail_msg("is %.7g, not %.7g", is, wanted);
}

static void it_starts_on_silence_and_learns_the_card(void **state)
{
    (void)state;
    struct mono_time began = card.now;
    output_want(output, 44100);
    assert_int_equal(output_look(output, card.now), OUTPUT_ACQUIRING);
    assert_int_equal(card.asked_rate_hz, 44100);
    assert_int_equal(card.written, SECOND * 150 / 1000);
    assert_int_equal(output_get_status(output).queued_ns, 150 * NS_PER_MS);
    output_look(output, card.now); /* the first one is due at once */
    int64_t shortest_ns = INT64_MAX, longest_ns = 0;
    for (int i = 0; i < 10; i++) {
        int64_t wait_ns = mono_sub(output_next_look(output), card.now);
        assert_true(wait_ns >= 590 * NS_PER_US && wait_ns <= 1430 * NS_PER_US);
        shortest_ns = wait_ns < shortest_ns ? wait_ns : shortest_ns;
        longest_ns = wait_ns > longest_ns ? wait_ns : longest_ns;
        card.now = mono_add(card.now, wait_ns);
        output_look(output, card.now);
    }
    assert_true(longest_ns - shortest_ns > 400 * NS_PER_US); /* in step with no pointer */
    assert_in_range(get_ready(), 10, 40);
    assert_in_range(mono_sub(card.now, began), 30 * NS_PER_MS, 34 * NS_PER_MS);
    assert_int_equal(output_next_look(output).ns, INT64_MAX);
    int64_t end = output_end(output), played = fake_card_played(&card);
    assert_int_equal(end, SECOND * 150 / 1000);
    assert_true(fabs(output_frame_played_at(output, card.now) - (double)played) < 1.5);
    assert_int_equal(output_space(output, card.now), FAKE_CARD_BUFFER_FRAMES - (end - played) - 1);
}

/* What is said of the card is what it does, to a frame. */
static void check_known(void)
{
    double played = (double)fake_card_played(&card);
    assert_true(fabs(output_frame_played_at(output, card.now) - played) < 1.5);
    assert_int_equal(output_get_status(output).disbelieved, 0);
}

/* Started is not begun: its clock counts from when it moves. */
static void a_card_may_begin_late(void **state)
{
    (void)state;
    card.starts_late_ns = 25 * NS_PER_MS;
    get_ready();
    check_known();
    idle_ms(1000);
    check_known();
    assert_true(fabs(output_get_status(output).rate_error_ppm) < 20);
}

/* Its time and its position do not belong together: nothing is learned from it. */
static void a_look_that_was_interrupted_is_none(void **state)
{
    (void)state;
    output_want(output, 44100);
    output_look(output, card.now);
    for (int i = 0; i < 60; i++) {
        card.interrupted_ns = i % 3 == 0 ? 5 * NS_PER_MS : 0;
        go_on_ms(1);
        output_look(output, card.now);
    }
    assert_int_equal(output_get_status(output).state, OUTPUT_READY);
    check_known();
    card.interrupted_ns = 310 * NS_PER_US;
    idle_ms(2000);
    check_known();
    card.interrupted_ns = 0;
    idle_ms(1000);
    check_known();
}

static void what_begins_is_faded_in_however_it_comes(void **state)
{
    (void)state;
    get_ready();
    int64_t first = append(1, 100, true);
    append(1, 50, false);
    append(1, 300, false);
    for (int i = 0; i < FADE; i++)
        assert_about(given(first + i), rise((double)i / FADE));
    for (int i = FADE; i < 450; i++)
        assert_true(given(first + i) == 1);
    int64_t next = append(0.5F, 10, false); /* goes on: no fade */
    assert_true(given(next) == 0.5);
    append(1, 0, true); /* nothing, which begins nothing */
    next = append(0.5F, 10, false);
    assert_true(given(next) == 0.5);
}

static void a_cut_fades_what_is_before_it(void **state)
{
    (void)state;
    get_ready();
    int64_t first = append(1, 9000, false), cut = first + 6000;
    assert_int_equal(output_cut(output, cut, card.now), cut);
    assert_int_equal(output_end(output), cut);
    assert_int_equal(card.written, cut);
    assert_true(given(cut - FADE - 1) == 1);
    for (int i = 0; i < FADE; i++)
        assert_about(given(cut - FADE + i), 1 - rise((i + 1.0) / (FADE + 1)));
    output_append_silence(output, 100);
    assert_true(given(cut) == 0);
    double position_s;
    struct mono_time heard_at = output_time_of(output, (double)cut + 10);
    assert_false(output_position_at(output, heard_at, &position_s));
}

/* What the DAC is about to play cannot be taken back any more. */
static void a_cut_that_comes_too_late_is_made_as_soon_as_can_be(void **state)
{
    (void)state;
    get_ready();
    go_on_ms(100);
    output_look(output, card.now);
    int64_t first = append(1, 9000, false);
    struct mono_time begins = output_time_played(output, (double)first);
    card.now = mono_add(begins, 10 * NS_PER_MS);
    output_look(output, card.now);
    int64_t earliest = output_earliest_cut(output, card.now);
    double soon = output_frame_played_at(output, mono_add(card.now, 8 * NS_PER_MS));
    assert_int_equal(earliest, (int64_t)ceil(soon));
    assert_int_equal(output_cut(output, first, card.now), earliest + FADE);
    assert_true(given(earliest - 1) == 1);
    assert_about(given(earliest + FADE - 1), 1 - rise((double)FADE / (FADE + 1)));
    /* And where there is less than a fade left, that is it. */
    int64_t end = output_end(output);
    go_on_ms(2);
    earliest = output_earliest_cut(output, card.now);
    assert_true(earliest < end && earliest > end - FADE);
    assert_int_equal(output_cut(output, first, card.now), end);
    go_on_ms(10);
    assert_int_equal(output_earliest_cut(output, card.now), end);
}

static void silence_is_cut_without_a_fade(void **state)
{
    (void)state;
    get_ready();
    append(1, 2000, false);
    int64_t sound_end = output_end(output);
    output_append_silence(output, 4000);
    int64_t cut = sound_end + 2000;
    assert_int_equal(output_cut(output, cut, card.now), cut - FADE);
    assert_true(given(sound_end - 1) == 1);
    append(1, 10, false);
    assert_true(given(cut - FADE) == 1);
    /* In the middle of the sound again. */
    assert_int_equal(output_cut(output, sound_end - 500, card.now), sound_end - 500);
    append(1, 10, false);
    assert_true(given(sound_end - 500) == 1);
    assert_true(given(sound_end - 501) < 0.01);
    /* Right behind it nothing is left. */
    sound_end = output_end(output);
    output_append_silence(output, 4000);
    assert_int_equal(output_cut(output, sound_end + FADE, card.now), sound_end);
    assert_true(given(sound_end - 1) == 1);
}

/* Of a card that gives nothing back, the last milliseconds are held back, and faded by a cut. */
static void the_last_frames_are_held_back_where_nothing_comes_back(void **state)
{
    (void)state;
    card.cannot_rewind = true;
    get_ready();
    int64_t first = append(1, 3000, false);
    assert_int_equal(card.written, first + 3000 - FADE);
    assert_int_equal(output_cut(output, first, card.now), first + 3000);
    output_append_silence(output, 500);
    assert_true(given(first + 3000 - FADE - 1) == 1);
    for (int i = 0; i < FADE; i++)
        assert_about(given(first + 3000 - FADE + i), 1 - rise((i + 1.0) / (FADE + 1)));
}

static void another_volume_is_heard_within_the_margin(void **state)
{
    (void)state;
    get_ready();
    int64_t first = append(1, 9000, false);
    output_set_gain(output, 0.25F, card.now);
    int64_t from = output_earliest_cut(output, card.now);
    assert_true(from < first); /* in the silence before it */
    assert_true(given(first + 10) == 0.25);
    go_on_ms(1e3 * (double)(first + 1000 - fake_card_played(&card)) / SECOND);
    output_look(output, card.now);
    from = output_earliest_cut(output, card.now);
    output_set_gain(output, 1, card.now);
    assert_true(given(from - 1) == 0.25);
    for (int i = 0; i < FADE; i++)
        assert_about(given(from + i), 0.25 + 0.75 * rise((double)i / FADE));
    assert_true(given(from + FADE) == 1);
    int64_t written = card.written;
    output_set_gain(output, 1, card.now); /* as it is: nothing is taken back */
    assert_int_equal(card.written, written);
}

static void a_volume_that_was_set_before_counts_from_the_first_frame(void **state)
{
    (void)state;
    output_set_gain(output, 0.5F, card.now);
    get_ready();
    int64_t first = append(1, 10, false);
    assert_true(given(first) == 0.5);
}

/* Every frame that is given is the one that was appended, for three times the ring's length. */
static void the_ring_goes_round(void **state)
{
    (void)state;
    float frames[1500 * SINK_CHANNELS];
    get_ready();
    int64_t begun = output_end(output), next = begun;
    while (next < 3 * FAKE_CARD_BUFFER_FRAMES) {
        for (int i = 0; i < 1500; i++)
            frames[i * SINK_CHANNELS] = frames[i * SINK_CHANNELS + 1] = (float)(next + i) / 1e6F;
        output_append_sound(output, frames, 1500, 0, 1, false);
        next += 1500;
        go_on_ms(1500.0 * 1000 / SECOND);
        output_look(output, card.now);
    }
    for (int64_t frame = begun; frame < next; frame++)
        assert_true(given(frame) == (double)((float)frame / 1e6F));
    size_t space = output_space(output, card.now);
    output_append_silence(output, space);
    assert_int_equal(output_space(output, card.now), 0);
    assert_true(card.written - fake_card_played(&card) <= FAKE_CARD_BUFFER_FRAMES);
    /* A cut far back goes over the ring's seam. */
    int64_t cut = next - 1000;
    assert_int_equal(output_cut(output, cut, card.now), cut);
    assert_true(given(cut - FADE - 1) == (double)((float)(cut - FADE - 1) / 1e6F));
    assert_about(given(cut - 1), 0);
}

/* A fade that goes over the ring's seam is one to its last frame. */
static void a_fade_over_the_seam_is_whole(void **state)
{
    (void)state;
    for (int behind = 0; behind < 4; behind++) {
        const int64_t cut = FAKE_CARD_BUFFER_FRAMES + behind;
        if (behind > 0)
            set_up(state);
        get_ready();
        append(1, 10000, false);
        go_on_ms(200);
        output_look(output, card.now);
        append(1, 10000, false);
        assert_int_equal(output_cut(output, cut, card.now), cut);
        for (int i = 0; i < FADE; i++)
            assert_about(given(cut - FADE + i), 1 - rise((i + 1.0) / (FADE + 1)));
        if (behind < 3)
            tear_down(state);
    }
}

static void what_is_heard_is_known_by_its_time(void **state)
{
    (void)state;
    double position_s;
    assert_false(output_position_at(output, card.now, &position_s));
    get_ready();
    output_set_latency(output, 30 * NS_PER_MS);
    int64_t first = append(1, 4000, false);
    struct mono_time at = output_time_of(output, (double)first + 480);
    assert_in_range(mono_sub(at, output_time_played(output, (double)first + 480)),
                    30 * NS_PER_MS - 1, 30 * NS_PER_MS + 1);
    assert_true(fabs(output_frame_at(output, at) - ((double)first + 480)) < 0.01);
    assert_true(output_position_at(output, at, &position_s));
    assert_true(fabs(position_s - 10.01) < 1e-6);
}

static void an_underrun_begins_anew(void **state)
{
    (void)state;
    get_ready();
    unsigned generation = output_generation(output);
    append(1, 1000, false);
    go_on_ms(400);
    assert_int_equal(output_look(output, card.now), OUTPUT_ACQUIRING);
    assert_int_equal(card.resets, 1);
    assert_int_equal(output_get_status(output).xruns, 1);
    assert_int_not_equal(output_generation(output), generation);
    assert_int_equal(card.written, SECOND * 150 / 1000);
    assert_true(mono_sub(output_next_look(output), card.now) < 1430 * NS_PER_US);
    get_ready();
    int64_t first = append(1, 100, false);
    assert_int_equal(first, SECOND * 150 / 1000);
    assert_true(given(first) == 1);
    generation = output_generation(output);
    card.broken = SINK_SUSPENDED;
    assert_int_equal(output_look(output, card.now), OUTPUT_ACQUIRING);
    assert_int_equal(output_get_status(output).xruns, 1); /* no fault of anybody's */
    assert_int_not_equal(output_generation(output), generation);
    assert_int_equal(card.opened, 1);
}

static char said[4000];

/* One underrun; what the log says of it. */
static const char *interrupt(void)
{
    int ends[2];
    card.broken = SINK_XRUN;
    assert_int_equal(pipe(ends), 0);
    int own = dup(STDERR_FILENO);
    assert_true(own >= 0 && dup2(ends[1], STDERR_FILENO) >= 0);
    log_set_level(LOG_WARN);
    output_look(output, card.now);
    log_set_level(LOG_ERROR);
    dup2(own, STDERR_FILENO);
    close(own);
    close(ends[1]);
    ssize_t length = read(ends[0], said, sizeof said - 1);
    close(ends[0]);
    said[length > 0 ? length : 0] = '\0';
    get_ready();
    return said;
}

/* A card may be interrupted all the time: the log is not, and leaves none of them out. */
static void interruptions_are_counted_rather_than_said_one_by_one(void **state)
{
    (void)state;
    get_ready();
    assert_non_null(strstr(interrupt(), "underrun\n"));
    assert_string_equal(interrupt(), "");
    idle_ms(9000);
    assert_string_equal(interrupt(), "");
    idle_ms(2000);
    assert_non_null(strstr(interrupt(), "underrun; 3 interruptions"));
    idle_ms(11000);
    assert_non_null(strstr(interrupt(), "underrun\n"));
    assert_string_equal(interrupt(), "");
    idle_ms(11000);
    assert_non_null(strstr(interrupt(), "; 2 interruptions"));
}

static int64_t wait_for_next_try(void)
{
    struct mono_time before = card.now;
    card.now = output_next_look(output);
    output_look(output, mono_add(card.now, -1));
    assert_int_equal(mono_sub(output_next_look(output), card.now), 0); /* not before */
    output_look(output, card.now);
    return mono_sub(card.now, before) / NS_PER_MS;
}

static void one_that_has_gone_is_asked_for_at_growing_intervals(void **state)
{
    (void)state;
    static const int waits_ms[] = {100, 200, 400, 800, 1000, 1000};
    get_ready();
    card.absent = true;
    card.broken = SINK_LOST;
    assert_int_equal(output_look(output, card.now), OUTPUT_CLOSED);
    assert_int_equal(output_get_status(output).losses, 1);
    assert_string_equal(output_get_status(output).error, "gone");
    assert_int_equal(output_get_status(output).queued_ns, 0);
    for (size_t i = 0; i < sizeof waits_ms / sizeof *waits_ms; i++)
        assert_int_equal(wait_for_next_try(), waits_ms[i]);
    assert_non_null(strstr(output_get_status(output).error, "fake"));
    output_retry(output); /* something was plugged in */
    assert_true(mono_sub(output_next_look(output), card.now) <= 0);
    card.absent = false;
    assert_int_equal(output_look(output, card.now), OUTPUT_ACQUIRING);
    get_ready();
    assert_string_equal(output_get_status(output).error, "");
    card.absent = true;
    card.broken = SINK_XRUN; /* and cannot be reset */
    assert_int_equal(output_look(output, card.now), OUTPUT_CLOSED);
    assert_int_equal(output_get_status(output).losses, 2);
    assert_int_equal(wait_for_next_try(), 100);
    output_release(output);
    assert_int_equal(output_next_look(output).ns, INT64_MAX);
}

/* Many looks must agree: a driver may say once more what it said before. */
static void one_that_stood_still_begins_anew(void **state)
{
    (void)state;
    get_ready();
    idle_ms(2000);
    card.stood_at = fake_card_played(&card);
    card.stands_still = true;
    go_on_ms(90); /* not yet */
    assert_int_equal(output_look(output, card.now), OUTPUT_READY);
    assert_int_equal(output_next_look(output).ns, INT64_MAX);
    go_on_ms(30);
    for (int i = 1; i < 6; i++) {
        assert_int_equal(output_look(output, card.now), OUTPUT_READY);
        assert_int_equal(mono_sub(output_next_look(output), card.now), 10 * NS_PER_MS);
        assert_int_equal(output_get_status(output).xruns, 0);
        card.now = output_next_look(output);
    }
    assert_int_equal(output_look(output, card.now), OUTPUT_ACQUIRING);
    assert_int_equal(output_get_status(output).xruns, 1);
    assert_int_equal(card.resets, 1);
}

static void one_that_was_late_once_goes_on(void **state)
{
    (void)state;
    get_ready();
    idle_ms(2000);
    int64_t played = fake_card_played(&card);
    for (int times = 0; times < 3; times++) {
        card.stood_at = played;
        card.stands_still = true;
        go_on_ms(120);
        for (int i = 0; i < 5; i++)
            output_look(output, card.now);
        card.stands_still = false;
        assert_int_equal(output_look(output, card.now), OUTPUT_READY);
        assert_int_equal(output_next_look(output).ns, INT64_MAX);
        output_append_silence(output, output_space(output, card.now) / 2);
        played = fake_card_played(&card);
    }
    assert_int_equal(output_get_status(output).xruns, 0);
}

static void one_that_never_begins_is_as_good_as_gone(void **state)
{
    (void)state;
    output_want(output, 48000);
    output_look(output, card.now);
    card.stands_still = true;
    go_on_ms(500);
    assert_int_equal(output_look(output, card.now), OUTPUT_ACQUIRING);
    go_on_ms(1);
    assert_int_equal(output_look(output, card.now), OUTPUT_CLOSED);
    assert_string_equal(output_get_status(output).error, "takes no frames");
    assert_int_equal(output_get_status(output).losses, 1);
}

static void a_rate_that_is_well_known_is_remembered(void **state)
{
    (void)state;
    card.ppm = 80;
    assert_true(output_get_status(output).rate_error_ppm == 0);
    get_ready();
    idle_ms(60000);
    output_release(output);
    assert_true(fabs(output_get_status(output).rate_error_ppm - 80) < 1);
    get_ready();
    assert_true(fabs(output_get_status(output).rate_error_ppm - 80) < 5);
    output_set_device(output, "other", 7);
    assert_int_equal(output_get_status(output).state, OUTPUT_CLOSED);
    assert_true(output_get_status(output).rate_error_ppm == 7);
    assert_int_equal(output_look(output, card.now), OUTPUT_ACQUIRING); /* still wanted, at once */
    assert_string_equal(output_get_status(output).sink.device, "other");
}

/* No crystal is off by so much: it is not to be believed at the next start. */
static void nonsense_is_not_remembered(void **state)
{
    (void)state;
    card.ppm = 1500;
    get_ready();
    idle_ms(60000);
    output_release(output);
    assert_true(output_get_status(output).rate_error_ppm == 0);
}

/* The most of a channel that the card was given in [from, to). */
static double loudest(int64_t from, int64_t to)
{
    double most = 0;
    for (int64_t frame = from; frame < to; frame++)
        most = fmax(most, fabs(given(frame)));
    return most;
}

/* Of a click's energy, in frames. */
static double middle_of_click(int64_t from, int64_t to)
{
    double sum = 0, moment = 0;
    for (int64_t frame = from; frame < to; frame++) {
        sum += given(frame) * given(frame);
        moment += given(frame) * given(frame) * (double)frame;
    }
    return moment / sum;
}

#define CLICK_HALF (0.002 * SECOND)

static void a_chime_sounds_at_once_over_what_is_queued(void **state)
{
    (void)state;
    get_ready();
    append(0, 12000, false);
    int64_t from = output_earliest_cut(output, card.now), end = output_end(output);
    assert_false(output_is_cueing(output, card.now));
    assert_true(output_cue_soon(output, CUE_CHIME, card.now));
    assert_true(output_is_cueing(output, card.now));
    assert_int_equal(output_end(output), end);
    assert_int_equal(card.written, end);
    assert_true(loudest(0, from) == 0);
    assert_true(loudest(from, from + SECOND / 4) > 0.09);
    double position_s; /* what is played goes on under it */
    assert_true(output_position_at(output, output_time_of(output, (double)end - 9), &position_s));
    /* Another one meanwhile is the same. */
    go_on_ms(100);
    double before = given(end - 1);
    assert_true(output_cue_soon(output, CUE_CHIME, card.now));
    assert_true(given(end - 1) == before && before != 0);
    idle_ms(1200);
    assert_false(output_is_cueing(output, card.now));
    assert_true(loudest(output_end(output) - 1000, card.written) == 0);
}

static void a_click_sounds_at_its_frame(void **state)
{
    (void)state;
    get_ready();
    append(0, 12000, false);
    double at = (double)output_earliest_cut(output, card.now) + 3000.4;
    assert_true(output_cue_at(output, CUE_CLICK, at, card.now));
    assert_true(loudest((int64_t)at + 193, card.written) == 0);
    assert_true(fabs(middle_of_click((int64_t)at, (int64_t)at + 194) - at - CLICK_HALF) < 0.01);
    /* Another one later, behind all that is queued. */
    double later = (double)output_end(output) + 500.7;
    assert_true(output_cue_at(output, CUE_CLICK, later, card.now));
    append(0, 2000, false);
    assert_true(fabs(middle_of_click((int64_t)later, (int64_t)later + 194) - later - CLICK_HALF) <
                0.01);
    assert_false(output_cue_at(output, CUE_CLICK, (double)fake_card_played(&card), card.now));
    double first = (double)output_earliest_cut(output, card.now);
    assert_true(output_cue_at(output, CUE_CLICK, first, card.now));
}

/* A pause is silence, but for the cue. */
static void a_cut_leaves_cues_alone(void **state)
{
    (void)state;
    get_ready();
    append(1, 12000, false);
    int64_t earliest = output_earliest_cut(output, card.now);
    double at = (double)earliest + 5000;
    assert_true(output_cue_at(output, CUE_CLICK, at, card.now));
    assert_true(loudest((int64_t)at, (int64_t)at + 192) <= 1);
    output_cut(output, earliest + 1000, card.now);
    output_append_silence(output, 10000);
    assert_true(loudest(earliest + 1000, (int64_t)at) == 0);
    assert_true(fabs(middle_of_click((int64_t)at, (int64_t)at + 193) - at - CLICK_HALF) < 0.01);
    assert_true(loudest((int64_t)at, (int64_t)at + 192) > 0.19);
}

static void no_more_cues_wait_than_there_is_room_for(void **state)
{
    (void)state;
    get_ready();
    double end = (double)output_end(output);
    for (int i = 0; i < OUTPUT_CUES_MAX; i++)
        assert_true(output_cue_at(output, CUE_CLICK, end + 1000 * i, card.now));
    assert_false(output_cue_at(output, CUE_CLICK, end + 9000, card.now));
    assert_false(output_cue_soon(output, CUE_CHIME, card.now));
    idle_ms(1000);
    assert_true(output_cue_at(output, CUE_CLICK, (double)output_end(output), card.now));
}

static void a_muted_cue_is_not_heard(void **state)
{
    (void)state;
    get_ready();
    output_set_gain(output, 0, card.now);
    append(0, 12000, false);
    int64_t from = output_earliest_cut(output, card.now);
    assert_true(output_cue_soon(output, CUE_CHIME, card.now));
    assert_true(loudest(from + FADE, card.written) == 0);
}

/* What comes back of nothing cannot be changed: a click that is too late is none. */
static void cues_where_nothing_comes_back(void **state)
{
    (void)state;
    card.cannot_rewind = true;
    get_ready();
    append(0, 10000, false);
    int64_t written = card.written;
    assert_false(output_cue_at(output, CUE_CLICK, (double)written - 100, card.now));
    assert_true(output_cue_at(output, CUE_CLICK, (double)written + 100, card.now));
    assert_true(output_cue_soon(output, CUE_CHIME, card.now));
    append(0, 10000, false);
    assert_true(loudest(0, written) == 0);
    assert_true(loudest(written + 100, written + 300) > 0.15);
    assert_true(loudest(written + 1000, card.written) > 0.09);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(it_starts_on_silence_and_learns_the_card),
        TEST(a_card_may_begin_late),
        TEST(a_look_that_was_interrupted_is_none),
        TEST(what_begins_is_faded_in_however_it_comes),
        TEST(a_cut_fades_what_is_before_it),
        TEST(a_cut_that_comes_too_late_is_made_as_soon_as_can_be),
        TEST(silence_is_cut_without_a_fade),
        TEST(the_last_frames_are_held_back_where_nothing_comes_back),
        TEST(another_volume_is_heard_within_the_margin),
        TEST(a_volume_that_was_set_before_counts_from_the_first_frame),
        TEST(the_ring_goes_round),
        TEST(a_fade_over_the_seam_is_whole),
        TEST(what_is_heard_is_known_by_its_time),
        TEST(an_underrun_begins_anew),
        TEST(interruptions_are_counted_rather_than_said_one_by_one),
        TEST(one_that_has_gone_is_asked_for_at_growing_intervals),
        TEST(one_that_stood_still_begins_anew),
        TEST(one_that_was_late_once_goes_on),
        TEST(one_that_never_begins_is_as_good_as_gone),
        TEST(a_rate_that_is_well_known_is_remembered),
        TEST(nonsense_is_not_remembered),
        TEST(a_chime_sounds_at_once_over_what_is_queued),
        TEST(a_click_sounds_at_its_frame),
        TEST(a_cut_leaves_cues_alone),
        TEST(no_more_cues_wait_than_there_is_room_for),
        TEST(a_muted_cue_is_not_heard),
        TEST(cues_where_nothing_comes_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
