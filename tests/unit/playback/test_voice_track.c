/*
 * test_voice_track.c: a track from any position on, before its beginning and behind its end, as its
 * bytes come.
 */
#include "../cmocka_all.h"
#include "tutti/base/log.h"
#include "tutti/playback/voice.h"

#include <fcntl.h>
#include <math.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define RATE_HZ 44100
#define FRAMES_MAX 44100

static struct voice *voice;
static int fd;
static int64_t bytes;
static float frames[FRAMES_MAX * RESAMPLER_CHANNELS], others[FRAMES_MAX * RESAMPLER_CHANNELS];

static int set_up(void **state)
{
    struct stat info;
    (void)state;
    log_set_level(LOG_ERROR);
    fd = open(MUSIC_DIR "/harbour.mp3", O_RDONLY | O_CLOEXEC);
    assert_true(fd >= 0 && fstat(fd, &info) == 0);
    bytes = info.st_size;
    voice = voice_create(NULL, fd, bytes, bytes, RESAMPLER_HIGH);
    assert_non_null(voice);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    voice_destroy(voice);
    close(fd);
    return 0;
}

/* A decoder that searches in slices is asked again. */
static enum voice_result start_at(double position_s, unsigned card_rate_hz)
{
    enum voice_result result;
    do
        result = voice_start(voice, position_s, card_rate_hz);
    while (result == VOICE_AGAIN && voice_wants_time(voice));
    return result;
}

static size_t render(float *to, size_t count)
{
    size_t done = 0, more;
    while (done < count &&
           ((more = voice_render(voice, to + done * RESAMPLER_CHANNELS, count - done)) > 0 ||
            voice_wants_time(voice)))
        done += more;
    return done;
}

/* Every call looks a bit farther. */
static bool reaches(double position_s)
{
    for (int i = 0; i < 1000; i++)
        if (voice_reaches(voice, position_s))
            return true;
    return false;
}

static double loudest(const float *of, size_t count)
{
    double most = 0;
    for (size_t i = 0; i < count * RESAMPLER_CHANNELS; i++)
        most = fmax(most, fabs((double)of[i]));
    return most;
}

static void assert_about(double is, double wanted)
{
    if (!(fabs(is - wanted) < 1e-9))
        fail_msg("is %.12g, not %.12g", is, wanted);
}

static void it_is_rendered_at_the_rate_of_the_card(void **state)
{
    (void)state;
    assert_int_equal(start_at(1, 48000), VOICE_OK);
    assert_int_equal(voice_rate_hz(voice), RATE_HZ);
    assert_about(voice_position_s(voice), 1);
    assert_about(voice_step_s(voice), 1.0 / 48000);
    voice_set_ppm(voice, 100);
    assert_about(voice_step_s(voice), 1.0001 / 48000);
    assert_int_equal(render(frames, 480), 480);
    assert_about(voice_position_s(voice), 1 + 480 * 1.0001 / 48000);
    assert_int_equal(start_at(1.5, 96000), VOICE_OK); /* another card */
    assert_about(voice_position_s(voice), 1.5);
    assert_about(voice_step_s(voice) * 96000, 1);
    assert_int_equal(start_at(1, 48000), VOICE_OK);
    assert_about(voice_step_s(voice) * 48000, 1);
}

static void it_is_the_same_in_however_many_pieces(void **state)
{
    (void)state;
    const size_t count = 20000;
    assert_int_equal(start_at(1, 48000), VOICE_OK);
    assert_int_equal(render(frames, count), count);
    assert_int_equal(start_at(1, 48000), VOICE_OK);
    for (size_t i = 0; i < count; i += 100)
        assert_int_equal(render(others + i * RESAMPLER_CHANNELS, 100), 100);
    for (size_t i = 0; i < count * RESAMPLER_CHANNELS; i++)
        assert_true(fabs((double)(others[i] - frames[i])) < 1e-6);
}

static void a_rate_that_nothing_can_be_brought_to_is_an_error(void **state)
{
    (void)state;
    assert_int_equal(start_at(1, 1), VOICE_ERROR);
    assert_non_null(strstr(voice_error(voice), "cannot be brought"));
    assert_int_equal(voice_prepare(voice), VOICE_ERROR);
}

/* The first frame of the track is where it should be, to the frame. */
static void before_the_beginning_is_silence(void **state)
{
    (void)state;
    const size_t lead = 11025;
    assert_int_equal(start_at(0, RATE_HZ), VOICE_OK);
    assert_int_equal(render(frames, 20000), 20000);
    assert_true(loudest(frames, 20000) > 0.01);
    assert_int_equal(start_at(-0.25, RATE_HZ), VOICE_OK);
    assert_about(voice_position_s(voice), -0.25);
    assert_int_equal(render(others, 20000 + lead), 20000 + lead);
    assert_true(loudest(others, lead - 100) < 1e-6);
    for (size_t i = 0; i < 20000 * RESAMPLER_CHANNELS; i++)
        assert_true(fabs((double)(others[lead * RESAMPLER_CHANNELS + i] - frames[i])) < 1e-4);
    assert_about(voice_position_s(voice), 20000.0 / RATE_HZ);
}

static void assert_scaled(double by)
{
    const size_t count = 20000;
    assert_int_equal(render(others, count), count);
    for (size_t i = 0; i < count * RESAMPLER_CHANNELS; i++)
        assert_true(fabs((double)others[i] - by * (double)frames[i]) < 1e-4);
}

/* Half as loud, and so to its end: whatever is told later is for the next time. */
static void its_level_is_one_from_its_start_on(void **state)
{
    (void)state;
    const size_t count = 20000;
    assert_int_equal(start_at(1, RATE_HZ), VOICE_OK);
    assert_int_equal(render(frames, count), count);
    tear_down(NULL);
    set_up(NULL);
    voice_set_loudness(voice, REPLAYGAIN_TRACK, &(struct loudness){0, 1, NAN, NAN});
    voice_set_loudness(voice, REPLAYGAIN_TRACK, &(struct loudness){-6.0206, 1, NAN, NAN});
    assert_int_equal(start_at(1, RATE_HZ), VOICE_OK);
    assert_scaled(0.5);
    voice_set_loudness(voice, REPLAYGAIN_OFF, &(struct loudness){-12, 1, NAN, NAN});
    assert_int_equal(start_at(1, RATE_HZ), VOICE_OK);
    assert_scaled(0.5);
}

static void behind_the_end_is_silence_that_goes_on(void **state)
{
    (void)state;
    assert_int_equal(start_at(0, RATE_HZ), VOICE_OK);
    double length_s = voice_length_s(voice);
    assert_true(length_s > 2 && length_s < 600);
    assert_int_equal(start_at(length_s - 0.1, RATE_HZ), VOICE_OK);
    assert_int_equal(render(frames, 30000), 30000);
    assert_true(loudest(frames, 4410) > 0);
    assert_true(loudest(frames + 5000 * RESAMPLER_CHANNELS, 25000) < 1e-6);
    assert_about(voice_position_s(voice), length_s - 0.1 + 30000.0 / RATE_HZ);
    assert_int_equal(start_at(length_s + 5, RATE_HZ), VOICE_OK);
    assert_int_equal(render(frames, 5000), 5000);
    assert_true(loudest(frames, 5000) == 0);
    assert_int_equal(start_at(0.5, RATE_HZ), VOICE_OK); /* and back */
    assert_int_equal(render(frames, 20000), 20000);
    assert_true(loudest(frames, 20000) > 0.01);
}

static void as_much_is_rendered_as_there_are_bytes(void **state)
{
    (void)state;
    assert_int_equal(start_at(0, RATE_HZ), VOICE_OK);
    double length_s = voice_length_s(voice);
    voice_destroy(voice);
    voice = voice_create(NULL, fd, 100, bytes, RESAMPLER_HIGH);
    assert_int_equal(voice_prepare(voice), VOICE_AGAIN);
    assert_false(voice_wants_time(voice));
    assert_about(voice_length_s(voice), -1);
    voice_set_available(voice, bytes / 2, false);
    assert_int_equal(start_at(0, RATE_HZ), VOICE_OK);
    assert_true(reaches(0.3));
    assert_false(reaches(length_s * 0.9));
    size_t half = 0, done;
    while ((done = render(frames, FRAMES_MAX)) > 0)
        half += done;
    assert_true((double)half / RATE_HZ > length_s * 0.3 && (double)half / RATE_HZ < length_s * 0.7);
    voice_set_available(voice, bytes, true);
    assert_true(reaches(length_s * 0.9));
    assert_int_equal(render(frames, FRAMES_MAX), FRAMES_MAX); /* it goes on where it was */
    assert_about(voice_position_s(voice), (double)(half + FRAMES_MAX) / RATE_HZ);
}

/* A disk that fails in the middle of a track ends it, and is said. */
static void a_file_that_cannot_be_read_any_more_is_an_error(void **state)
{
    (void)state;
    assert_int_equal(start_at(0, RATE_HZ), VOICE_OK);
    assert_int_equal(render(frames, 1000), 1000);
    int unreadable = open("/dev/null", O_WRONLY | O_CLOEXEC);
    assert_int_equal(dup2(unreadable, fd), fd);
    close(unreadable);
    size_t done;
    do
        done = render(frames, FRAMES_MAX);
    while (done == FRAMES_MAX);
    assert_string_not_equal(voice_error(voice), "");
    assert_int_equal(voice_prepare(voice), VOICE_ERROR);
    assert_int_equal(voice_render(voice, frames, 100), 0);
}

static void what_is_no_music_is_an_error(void **state)
{
    (void)state;
    voice_destroy(voice);
    int nothing = memfd_create("nothing", MFD_CLOEXEC);
    assert_int_equal(ftruncate(nothing, 100000), 0);
    voice = voice_create(NULL, nothing, 100000, 100000, RESAMPLER_HIGH);
    enum voice_result result;
    while ((result = voice_prepare(voice)) == VOICE_AGAIN)
        assert_true(voice_wants_time(voice));
    assert_int_equal(result, VOICE_ERROR);
    assert_string_not_equal(voice_error(voice), "");
    assert_int_equal(voice_start(voice, 0, RATE_HZ), VOICE_ERROR);
    close(nothing);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(it_is_rendered_at_the_rate_of_the_card),
        TEST(it_is_the_same_in_however_many_pieces),
        TEST(a_rate_that_nothing_can_be_brought_to_is_an_error),
        TEST(before_the_beginning_is_silence),
        TEST(its_level_is_one_from_its_start_on),
        TEST(behind_the_end_is_silence_that_goes_on),
        TEST(as_much_is_rendered_as_there_are_bytes),
        TEST(a_file_that_cannot_be_read_any_more_is_an_error),
        TEST(what_is_no_music_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
