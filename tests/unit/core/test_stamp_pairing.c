#include "../cmocka_all.h"
#include "tutti/core/stamp_pairing.h"

#include <math.h>
#include <stdlib.h>

#define RATE_HZ 48000
#define CALL_NS (2 * NS_PER_US)

/* A driver: stamps every stamp_ns (0: in the call), the position in steps of step_ns, of the stamp
 * or of the call. */
struct driver {
    int64_t stamp_ns, step_ns;
    bool position_is_stamped;
};

static int64_t floor_to(int64_t ns, int64_t step_ns)
{
    return step_ns ? ns - ns % step_ns : ns;
}

static int64_t position_at(int64_t ns)
{
    return (int64_t)(ns_to_s(ns) * RATE_HZ);
}

static struct mono_time look(struct stamp_pairing *pairing, const struct driver *driver,
                             struct mono_time at)
{
    struct mono_time after = mono_add(at, CALL_NS);
    int64_t stamp_ns = driver->stamp_ns ? floor_to(at.ns, driver->stamp_ns) : at.ns + CALL_NS / 2;
    int64_t taken_ns = driver->position_is_stamped ? stamp_ns : at.ns + CALL_NS / 2;
    return stamp_pairing_choose(pairing, at, after, (struct mono_time){stamp_ns},
                                position_at(floor_to(taken_ns, driver->step_ns)));
}

/* How far the positions of many looks are ahead of the truth, at most and at least, in ns. */
static void play(struct stamp_pairing *pairing, const struct driver *driver, int64_t *ret_ahead_ns,
                 int64_t *ret_behind_ns)
{
    struct mono_time at = {NS_PER_S};
    double phase = 0;
    *ret_ahead_ns = *ret_behind_ns = 0;
    for (int i = 0; i < 400; i++) {
        phase = fmod(phase + 0.6180339887, 1);
        at = mono_add(at, 300 * NS_PER_US + (int64_t)(phase * NS_PER_MS));
        struct mono_time chosen = look(pairing, driver, at);
        int64_t stamp_ns = driver->stamp_ns ? floor_to(at.ns, driver->stamp_ns) : at.ns;
        int64_t taken_ns = driver->position_is_stamped ? stamp_ns : at.ns;
        int64_t ahead_ns = floor_to(taken_ns, driver->step_ns) - chosen.ns;
        *ret_ahead_ns = ahead_ns > *ret_ahead_ns ? ahead_ns : *ret_ahead_ns;
        *ret_behind_ns = ahead_ns < -*ret_behind_ns ? -ahead_ns : *ret_behind_ns;
    }
}

/* snd-usb-audio: a stamp of 5 ms ago beside a delay of now. */
static void a_delay_of_the_call_is_not_paired_with_an_old_stamp(void **state)
{
    (void)state;
    const struct driver usb = {.stamp_ns = 5 * NS_PER_MS, .step_ns = NS_PER_MS};
    struct stamp_pairing pairing;
    int64_t ahead_ns, behind_ns;
    stamp_pairing_init(&pairing);
    play(&pairing, &usb, &ahead_ns, &behind_ns);
    assert_true(ahead_ns < 5 * NS_PER_US);
    assert_true(behind_ns < NS_PER_MS + 5 * NS_PER_US);
    assert_int_equal(stamp_pairing_kind(&pairing), STAMP_PAIRING_OF_CALL);
}

/* snd-aloop: the position stands still between stamps, and is exact with its stamp. */
static void a_position_of_the_stamp_is_exact(void **state)
{
    (void)state;
    const struct driver aloop = {.stamp_ns = 4 * NS_PER_MS, .position_is_stamped = true};
    struct stamp_pairing pairing;
    int64_t ahead_ns, behind_ns;
    stamp_pairing_init(&pairing);
    play(&pairing, &aloop, &ahead_ns, &behind_ns);
    assert_int_equal(stamp_pairing_kind(&pairing), STAMP_PAIRING_OF_STAMP);
    assert_true(ahead_ns < 5 * NS_PER_US);
    assert_true(behind_ns < 4 * NS_PER_MS); /* before it was known */
    play(&pairing, &aloop, &ahead_ns, &behind_ns);
    assert_true(behind_ns < 5 * NS_PER_US);
}

static void a_stamp_in_the_call_is_always_taken(void **state)
{
    (void)state;
    const struct driver hda = {.step_ns = NS_PER_MS};
    struct stamp_pairing pairing;
    int64_t ahead_ns, behind_ns;
    stamp_pairing_init(&pairing);
    play(&pairing, &hda, &ahead_ns, &behind_ns);
    assert_int_equal(stamp_pairing_kind(&pairing), STAMP_PAIRING_UNKNOWN);
    assert_true(ahead_ns < 5 * NS_PER_US);
}

/* Zero, the future, minutes ago: then the call is what there is. */
static void an_impossible_stamp_is_none(void **state)
{
    (void)state;
    const int64_t stamps_ns[] = {0, 3600 * NS_PER_S, 100 * NS_PER_S - 51 * NS_PER_MS};
    struct stamp_pairing pairing;
    stamp_pairing_init(&pairing);
    struct mono_time before = {100 * NS_PER_S}, after = mono_add(before, CALL_NS);
    for (size_t i = 0; i < sizeof stamps_ns / sizeof *stamps_ns; i++) {
        struct mono_time stamp = {stamps_ns[i]};
        struct mono_time chosen = stamp_pairing_choose(&pairing, before, after, stamp, 1000);
        assert_int_equal(chosen.ns, before.ns + CALL_NS / 2);
    }
    assert_int_equal(stamp_pairing_kind(&pairing), STAMP_PAIRING_UNKNOWN);
}

/* A driver that forgets its delay once, and then seems half a second further. */
static void one_look_of_nonsense_does_not_decide(void **state)
{
    (void)state;
    const struct driver aloop = {.stamp_ns = 4 * NS_PER_MS, .position_is_stamped = true};
    struct stamp_pairing pairing;
    int64_t ahead_ns, behind_ns;
    stamp_pairing_init(&pairing);
    play(&pairing, &aloop, &ahead_ns, &behind_ns);
    struct mono_time at = {NS_PER_S + 401 * NS_PER_MS};
    look(&pairing, &aloop, at);
    stamp_pairing_choose(&pairing, at, mono_add(at, CALL_NS),
                         (struct mono_time){floor_to(at.ns, 4 * NS_PER_MS)}, RATE_HZ * 2);
    assert_int_equal(stamp_pairing_kind(&pairing), STAMP_PAIRING_OF_STAMP);
}

/* Another mode of the same card: what was learned is unlearned. */
static void a_driver_that_changes_its_ways_is_followed(void **state)
{
    (void)state;
    const struct driver aloop = {.stamp_ns = 4 * NS_PER_MS, .position_is_stamped = true};
    const struct driver usb = {.stamp_ns = 5 * NS_PER_MS, .step_ns = NS_PER_MS};
    struct stamp_pairing pairing;
    int64_t ahead_ns, behind_ns;
    stamp_pairing_init(&pairing);
    for (int i = 0; i < 10; i++)
        play(&pairing, &aloop, &ahead_ns, &behind_ns);
    play(&pairing, &usb, &ahead_ns, &behind_ns);
    assert_int_equal(stamp_pairing_kind(&pairing), STAMP_PAIRING_OF_CALL);
    for (int i = 0; i < 20; i++)
        play(&pairing, &aloop, &ahead_ns, &behind_ns);
    assert_int_equal(stamp_pairing_kind(&pairing), STAMP_PAIRING_OF_STAMP);
}

static void kinds_have_names(void **state)
{
    (void)state;
    assert_string_equal(stamp_pairing_name(STAMP_PAIRING_UNKNOWN), "unknown");
    assert_string_equal(stamp_pairing_name(STAMP_PAIRING_OF_STAMP), "stamp");
    assert_string_equal(stamp_pairing_name(STAMP_PAIRING_OF_CALL), "call");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_delay_of_the_call_is_not_paired_with_an_old_stamp),
        cmocka_unit_test(a_position_of_the_stamp_is_exact),
        cmocka_unit_test(a_stamp_in_the_call_is_always_taken),
        cmocka_unit_test(an_impossible_stamp_is_none),
        cmocka_unit_test(one_look_of_nonsense_does_not_decide),
        cmocka_unit_test(a_driver_that_changes_its_ways_is_followed),
        cmocka_unit_test(kinds_have_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
