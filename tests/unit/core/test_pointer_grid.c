#include "../cmocka_all.h"
#include "tutti/core/pointer_grid.h"

#include <math.h>
#include <stdlib.h>

/* Positions of a pointer with such steps, looked at as a speaker does: close together, then not. */
static int64_t show(double step_frames, double true_frame)
{
    return (int64_t)(floor(true_frame / step_frames) * step_frames);
}

static double look_many(struct pointer_grid *grid, double step_frames, double rate_hz)
{
    double t = 0.0123, phase = 0;
    for (int i = 0; i < 200; i++) {
        phase = fmod(phase + 0.6180339887, 1);
        t += i < 30 ? 0.0006 + 0.0008 * phase : 0.12 + 0.04 * phase;
        pointer_grid_observe(grid, show(step_frames, t * rate_hz));
    }
    return t * rate_hz;
}

static void steps_are_found_to_a_fraction_of_a_frame(void **state)
{
    (void)state;
    const struct {
        double step_frames, rate_hz;
    } cards[] = {{48, 48000}, {44.1, 44100}, {176.4, 44100}, {480, 48000}, {441, 44100}};
    for (size_t i = 0; i < sizeof cards / sizeof *cards; i++) {
        struct pointer_grid grid;
        pointer_grid_init(&grid);
        double frame = look_many(&grid, cards[i].step_frames, cards[i].rate_hz);
        assert_true(fabs(pointer_grid_step(&grid) - cards[i].step_frames) < 0.01);
        double next = pointer_grid_next(&grid, frame + 5000);
        double is = ceil((frame + 5000) / cards[i].step_frames) * cards[i].step_frames;
        assert_true(fabs(next - is) < 2 + 5000 * 0.01 / cards[i].step_frames);
    }
}

static void a_fine_pointer_has_no_steps_worth_the_name(void **state)
{
    (void)state;
    struct pointer_grid grid;
    pointer_grid_init(&grid);
    look_many(&grid, 1, 48000);
    assert_true(pointer_grid_step(&grid) < 10);
}

/* Steps of 11 to 21 frames at random, as an ES1370 shows. */
static void uneven_steps_are_none(void **state)
{
    (void)state;
    struct pointer_grid grid;
    uint32_t random = 1;
    int64_t position = 0;
    pointer_grid_init(&grid);
    for (int i = 0; i < 500; i++) {
        for (int k = 0; k < 7; k++) {
            random = random * 1664525 + 1013904223;
            position += 11 + (random >> 16) % 11;
        }
        pointer_grid_observe(&grid, position);
    }
    assert_true(pointer_grid_step(&grid) < 11);
}

static void another_grid_is_learned(void **state)
{
    (void)state;
    struct pointer_grid grid;
    pointer_grid_init(&grid);
    look_many(&grid, 48, 48000);
    for (int i = 1; i < 200; i++)
        pointer_grid_observe(&grid, 100000000 + i * 441);
    assert_true(fabs(pointer_grid_step(&grid) - 441) < 0.01);
}

static void a_look_of_nonsense_is_passed_over(void **state)
{
    (void)state;
    struct pointer_grid grid;
    pointer_grid_init(&grid);
    double frame = look_many(&grid, 480, 48000);
    pointer_grid_observe(&grid, (int64_t)frame + 24017);
    assert_true(fabs(pointer_grid_step(&grid) - 480) < 0.01);
    pointer_grid_observe(&grid, show(480, frame + 24000));
    assert_true(fabs(pointer_grid_step(&grid) - 480) < 0.01);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(steps_are_found_to_a_fraction_of_a_frame),
        cmocka_unit_test(a_fine_pointer_has_no_steps_worth_the_name),
        cmocka_unit_test(uneven_steps_are_none),
        cmocka_unit_test(another_grid_is_learned),
        cmocka_unit_test(a_look_of_nonsense_is_passed_over),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
