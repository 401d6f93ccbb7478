#include "../cmocka_all.h"
#include "tutti/core/transport.h"

static struct transport_facts sounding(void)
{
    return (struct transport_facts){.track = true,
                                    .playing = true,
                                    .clock_ready = true,
                                    .output_ready = true,
                                    .joined = true,
                                    .sounding = true};
}

static enum transport_state next(struct transport_facts facts)
{
    return transport_next(&facts);
}

static void facts_imply_the_state(void **state)
{
    (void)state;
    struct transport_facts facts = sounding();
    assert_int_equal(next(facts), TRANSPORT_PLAYING);
    facts.sounding = false;
    assert_int_equal(next(facts), TRANSPORT_ARMED);
    facts.joined = false;
    assert_int_equal(next(facts), TRANSPORT_LOADING);
    facts.output_ready = false;
    assert_int_equal(next(facts), TRANSPORT_RECOVERING);
    facts.past_end = true;
    assert_int_equal(next(facts), TRANSPORT_ENDED);
    facts.playing = false;
    assert_int_equal(next(facts), TRANSPORT_PAUSED);
    facts.failed = true;
    assert_int_equal(next(facts), TRANSPORT_FAILED);
    facts.track = false;
    assert_int_equal(next(facts), TRANSPORT_IDLE);
}

static void a_clock_in_doubt_does_not_stop_the_music(void **state)
{
    (void)state;
    struct transport_facts facts = sounding();
    facts.clock_ready = false;
    assert_int_equal(next(facts), TRANSPORT_PLAYING);
}

static void every_state_has_a_name(void **state)
{
    (void)state;
    for (int i = TRANSPORT_IDLE; i <= TRANSPORT_FAILED; i++)
        assert_non_null(transport_name((enum transport_state)i));
    assert_string_equal(transport_name(TRANSPORT_PLAYING), "playing");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(facts_imply_the_state),
        cmocka_unit_test(a_clock_in_doubt_does_not_stop_the_music),
        cmocka_unit_test(every_state_has_a_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
