#include "../cmocka_all.h"
#include "tutti/core/discovery.h"

#include <stdio.h>
#include <string.h>

#define HUB "http://192.168.1.5:8700"
#define HUB_6 "http://[fe80::5%25eth0]:8700"
#define MOVED "http://192.168.1.77:8700"
#define OTHER "http://192.168.1.6:8700"

static struct discovery discovery;
static double now_s;

static struct mono_time now(void)
{
    return (struct mono_time){s_to_ns(now_s)};
}

static void begin(const char *known)
{
    now_s = 1000;
    discovery_init(&discovery, known, now());
}

static int set_up(void **state)
{
    (void)state;
    begin("");
    return 0;
}

static void seen(const char *name, const char *host, const char *url)
{
    struct discovery_sighting sighting = {.interface = 2, .rank = strchr(url, '[') != NULL};
    sighting.protocol = sighting.rank;
    snprintf(sighting.name, sizeof sighting.name, "%s", name);
    snprintf(sighting.host, sizeof sighting.host, "%s", host);
    snprintf(sighting.url, sizeof sighting.url, "%s", url);
    discovery_seen(&discovery, &sighting, now());
}

static void vanished(const char *name)
{
    discovery_vanished(&discovery, 2, 0, name, now());
}

static void expect_wait(void)
{
    struct discovery_step step = discovery_next(&discovery, now());
    if (step.action != DISCOVERY_WAIT)
        fail_msg("action %d with \"%s\"", (int)step.action, step.url);
    assert_true(mono_sub(step.due, now()) > 0);
}

static void expect(enum discovery_action action, const char *url)
{
    struct discovery_step step = discovery_next(&discovery, now());
    assert_int_equal(step.action, action);
    assert_string_equal(step.url, url);
}

static const char *problem(void)
{
    static char text[DISCOVERY_PROBLEM_MAX];
    discovery_problem(&discovery, text);
    return text;
}

static void takes_the_only_one_once_another_had_time_to_show(void **state)
{
    (void)state;
    expect_wait();
    assert_non_null(strstr(problem(), "no hub announces itself"));
    seen("Hub", "hub.local", HUB_6);
    seen("Hub", "hub.local", HUB);
    expect_wait();
    now_s += 4.1;
    expect(DISCOVERY_USE, HUB);
    assert_string_equal(problem(), "");
    expect_wait();
}

static void of_two_new_ones_it_says_both_and_takes_none(void **state)
{
    (void)state;
    seen("Hub", "hub.local", HUB);
    now_s += 1;
    seen("Other", "other.local", OTHER);
    now_s += 3600;
    expect_wait();
    assert_non_null(strstr(problem(), HUB));
    assert_non_null(strstr(problem(), OTHER));
    assert_non_null(strstr(problem(), "[backend] url"));
    vanished("Hub");
    expect(DISCOVERY_USE, OTHER);
}

/* The same name from another host is somebody who calls himself so. */
static void a_name_that_two_hosts_have_is_two_hubs(void **state)
{
    (void)state;
    seen("Hub", "hub.local", HUB);
    seen("Hub", "liar.local", HUB_6);
    now_s += 10;
    expect_wait();
}

static void a_crowd_has_no_only_one(void **state)
{
    (void)state;
    for (int i = 0; i < 5000; i++) {
        char name[32];
        snprintf(name, sizeof name, "Hub %d", i);
        seen(name, name, OTHER);
        expect_wait();
    }
    now_s += 10;
    expect_wait();
    assert_non_null(strstr(problem(), "and more"));
    discovery_lost_sight(&discovery, now());
    seen("Hub", "hub.local", HUB);
    now_s += 10;
    expect(DISCOVERY_USE, HUB);
}

static void a_choice_that_flaps_is_kept_and_one_that_is_gone_is_not(void **state)
{
    (void)state;
    seen("Hub", "hub.local", HUB);
    now_s += 5;
    expect(DISCOVERY_USE, HUB);
    vanished("Hub");
    now_s += 20;
    expect_wait();
    seen("Hub", "hub.local", HUB);
    seen("Other", "other.local", OTHER);
    now_s += 100;
    expect_wait(); /* it has been asked: it stays */
    vanished("Hub");
    now_s += 31;
    expect(DISCOVERY_USE, "");
    expect(DISCOVERY_USE, OTHER);
}

static void a_choice_with_another_address_is_followed(void **state)
{
    (void)state;
    seen("Hub", "hub.local", HUB);
    now_s += 5;
    expect(DISCOVERY_USE, HUB);
    seen("Hub", "hub.local", MOVED);
    expect(DISCOVERY_USE, MOVED);
    expect_wait();
}

static void a_member_asks_for_a_proof_and_only_while_its_hub_is_away(void **state)
{
    (void)state;
    begin(HUB);
    assert_string_equal(problem(), "");
    discovery_live(&discovery, true, now());
    seen("Liar", "liar.local", OTHER);
    now_s += 1000;
    expect_wait();
    discovery_live(&discovery, false, now());
    expect_wait();
    now_s += 5.1;
    expect(DISCOVERY_PROBE, OTHER);
    expect_wait();
    discovery_probed(&discovery, OTHER, false, now());
    expect_wait();
    seen("Hub", "hub.local", MOVED);
    now_s += 2.1;
    expect(DISCOVERY_PROBE, MOVED);
    discovery_probed(&discovery, MOVED, true, now());
    expect(DISCOVERY_USE, MOVED);
    expect_wait();
}

static void a_liar_is_asked_once_a_minute_and_does_not_push_in_by_flapping(void **state)
{
    (void)state;
    int liar = 0, hub = 0;
    begin(HUB);
    now_s += 10;
    seen("Hub", "hub.local", MOVED);
    for (double end_s = now_s + 600; now_s < end_s; now_s += 0.5) {
        vanished("Liar");
        seen("Liar", "liar.local", OTHER);
        struct discovery_step step = discovery_next(&discovery, now());
        if (step.action != DISCOVERY_PROBE)
            continue;
        if (strcmp(step.url, OTHER) == 0)
            liar++;
        else
            hub++;
        discovery_probed(&discovery, step.url, false, now());
    }
    assert_in_range(hub, 9, 11);
    assert_in_range(liar, 1, 300); /* no more than one every two seconds, in all */
}

/* A late answer to a probe does not take a speaker away from a hub that is back. */
static void a_hub_that_is_back_is_stayed_with(void **state)
{
    (void)state;
    begin(HUB);
    seen("Hub", "hub.local", MOVED);
    now_s += 6;
    expect(DISCOVERY_PROBE, MOVED);
    discovery_live(&discovery, true, now());
    discovery_probed(&discovery, MOVED, true, now());
    expect_wait();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(takes_the_only_one_once_another_had_time_to_show, set_up),
        cmocka_unit_test_setup(of_two_new_ones_it_says_both_and_takes_none, set_up),
        cmocka_unit_test_setup(a_name_that_two_hosts_have_is_two_hubs, set_up),
        cmocka_unit_test_setup(a_crowd_has_no_only_one, set_up),
        cmocka_unit_test_setup(a_choice_that_flaps_is_kept_and_one_that_is_gone_is_not, set_up),
        cmocka_unit_test_setup(a_choice_with_another_address_is_followed, set_up),
        cmocka_unit_test_setup(a_member_asks_for_a_proof_and_only_while_its_hub_is_away, set_up),
        cmocka_unit_test_setup(a_liar_is_asked_once_a_minute_and_does_not_push_in_by_flapping,
                               set_up),
        cmocka_unit_test_setup(a_hub_that_is_back_is_stayed_with, set_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
