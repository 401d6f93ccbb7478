#include "../../../src/io/device_events_internal.h"
#include "io_test.h"

/* The kernel is asked for an event of a device that every machine has and nobody minds. */
#define SUBSYSTEM "mem"
#define TRIGGER "/sys/class/mem/null/uevent"

static struct loop *loop;
static struct device_events *events;
static int changes;
static bool changed_once;
static bool destroy_in_change;

static void on_change(void *user)
{
    assert_ptr_equal(user, &changes);
    changes++;
    changed_once = true;
    if (destroy_in_change) {
        device_events_destroy(events);
        events = NULL;
    }
}

static bool trigger(void)
{
    int fd = open(TRIGGER, O_WRONLY | O_CLOEXEC);
    bool good = fd >= 0 && write(fd, "change", 6) == 6;
    if (fd >= 0)
        close(fd);
    return good;
}

static void need_events(void)
{
    if (trigger())
        return;
    print_message("device events can be made by root only\n");
    skip();
}

static int set_up(void **state)
{
    (void)state;
    changes = 0;
    changed_once = destroy_in_change = false;
    loop = loop_create(NULL);
    return loop ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    device_events_destroy(events);
    events = NULL;
    loop_destroy(loop);
    return 0;
}

static void a_burst_of_events_is_one_change(void **state)
{
    (void)state;
    events = device_events_create_for(loop, SUBSYSTEM, on_change, &changes);
    assert_non_null(events);
    need_events();
    struct mono_time start = mono_clock_now();
    for (int i = 0; i < 20; i++)
        trigger();
    assert_comes_true(loop, &changed_once);
    assert_true(mono_sub(mono_clock_now(), start) >= DEVICE_EVENTS_QUIET_MS * NS_PER_MS);
    assert_false(io_test_run(loop, io_test_never, NULL, 300 * NS_PER_MS));
    assert_int_equal(changes, 1);
    changed_once = false;
    trigger();
    assert_comes_true(loop, &changed_once);
}

static struct loop_timer *nagging;

static void nag(void *user, struct mono_time now)
{
    (void)user;
    trigger();
    loop_timer_set(nagging, mono_add(now, 50 * NS_PER_MS));
}

static void endless_events_do_not_put_it_off_for_ever(void **state)
{
    (void)state;
    events = device_events_create_for(loop, SUBSYSTEM, on_change, &changes);
    need_events();
    nagging = loop_timer_create(loop, nag, NULL);
    loop_timer_set_in(nagging, 0);
    assert_comes_true(loop, &changed_once);
    loop_timer_destroy(nagging);
}

static void other_subsystems_do_not_matter(void **state)
{
    (void)state;
    events = device_events_create(loop, on_change, &changes);
    assert_non_null(events);
    need_events();
    assert_false(io_test_run(loop, io_test_flag, &changed_once, 400 * NS_PER_MS));
}

static void may_be_destroyed_in_its_callback(void **state)
{
    (void)state;
    events = device_events_create_for(loop, SUBSYSTEM, on_change, &changes);
    destroy_in_change = true;
    need_events();
    assert_comes_true(loop, &changed_once);
    assert_null(events);
    device_events_destroy(NULL);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_burst_of_events_is_one_change),
        TEST(endless_events_do_not_put_it_off_for_ever),
        TEST(other_subsystems_do_not_matter),
        TEST(may_be_destroyed_in_its_callback),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
