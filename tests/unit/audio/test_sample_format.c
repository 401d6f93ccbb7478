/*
 * test_sample_format.c: scaling, clipping, layout, and what the dither must do.
 */
#include "../../../src/audio/sample_format.h"
#include "../cmocka_all.h"

#include <math.h>
#include <string.h>

static void test_full_scale_and_clipping(void **state)
{
    (void)state;
    static const float in[] = {0, 0.5f, -0.5f, 1, -1, 7, -7, NAN};
    static const int32_t wanted_32[] = {0,         1 << 30,   -(1 << 30), INT32_MAX,
                                        INT32_MIN, INT32_MAX, INT32_MIN,  0};
    static const int32_t wanted_24[] = {0,          1 << 22,       -(1 << 22), (1 << 23) - 1,
                                        -(1 << 23), (1 << 23) - 1, -(1 << 23), 0};
    struct dither dither = {1};
    int32_t out[8];
    sample_format_convert(SAMPLE_S32, in, 8, out, &dither);
    assert_memory_equal(out, wanted_32, sizeof out);
    sample_format_convert(SAMPLE_S24, in, 8, out, &dither);
    assert_memory_equal(out, wanted_24, sizeof out);
    uint8_t packed[24];
    sample_format_convert(SAMPLE_S24_3LE, in, 8, packed, &dither);
    for (int i = 0; i < 8; i++) {
        uint32_t x = (uint32_t)packed[3 * i] | (uint32_t)packed[3 * i + 1] << 8 |
                     (uint32_t)packed[3 * i + 2] << 16;
        assert_int_equal((int32_t)(x << 8) >> 8, wanted_24[i]);
    }
    int16_t narrow[8];
    sample_format_convert(SAMPLE_S16, in, 8, narrow, &dither);
    assert_int_equal(narrow[0], 0);
    assert_in_range(narrow[1], 16382, 16386);
    assert_int_equal(narrow[5], INT16_MAX);
    assert_int_equal(narrow[6], INT16_MIN);
    assert_int_equal(narrow[7], 0);
    assert_int_equal(sample_format_bytes(SAMPLE_S32), 4);
    assert_int_equal(sample_format_bytes(SAMPLE_S24), 4);
    assert_int_equal(sample_format_bytes(SAMPLE_S24_3LE), 3);
    assert_int_equal(sample_format_bytes(SAMPLE_S16), 2);
}

/* A triangular dither two steps wide makes mean and variance of the error the same wherever a level
 * lies between two steps: 0, and a quarter of a step squared. */
static void test_dither_frees_the_error_from_the_level(void **state)
{
    (void)state;
    enum { COUNT = 1 << 17, LAGS = 9 }; /* samples are made four at a time */
    static float in[COUNT];
    static int16_t out[COUNT];
    struct dither dither = {1};
    for (int level = 0; level < 8; level++) {
        double steps = 100 + level / 8.0;
        for (int i = 0; i < COUNT; i++)
            in[i] = (float)(steps / 32768);
        sample_format_convert(SAMPLE_S16, in, COUNT, out, &dither);
        double sum = 0, squares = 0, lagged[LAGS] = {0};
        for (int i = LAGS; i < COUNT; i++) {
            double error = out[i] - steps;
            sum += error;
            squares += error * error;
            for (int lag = 0; lag < LAGS; lag++)
                lagged[lag] += error * (out[i - 1 - lag] - steps);
        }
        assert_true(fabs(sum / COUNT) < 0.01);
        assert_true(fabs(squares / COUNT - 0.25) < 0.01);
        for (int lag = 0; lag < LAGS; lag++)
            assert_true(fabs(lagged[lag] / squares) < 0.02); /* and white */
    }
}

/* Whatever is left over of four is made as well, and nothing beyond it. */
static void test_any_count(void **state)
{
    (void)state;
    struct dither dither = {1};
    for (size_t count = 0; count <= 9; count++) {
        float in[9];
        int16_t out[10];
        for (int i = 0; i < 9; i++)
            in[i] = 0.25f;
        memset(out, 0x55, sizeof out);
        sample_format_convert(SAMPLE_S16, in, count, out, &dither);
        for (size_t i = 0; i < count; i++)
            assert_in_range(out[i], 8190, 8194);
        for (size_t i = count; i < 10; i++)
            assert_int_equal(out[i], 0x5555);
    }
}

static void test_silence_stays_silent(void **state)
{
    (void)state;
    static const float in[512];
    int16_t out[512], zero[512] = {0};
    struct dither dither = {1};
    memset(out, 1, sizeof out);
    sample_format_convert(SAMPLE_S16, in, 512, out, &dither);
    assert_memory_equal(out, zero, sizeof out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_full_scale_and_clipping),
        cmocka_unit_test(test_dither_frees_the_error_from_the_level),
        cmocka_unit_test(test_any_count),
        cmocka_unit_test(test_silence_stays_silent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
