#include "io_test.h"

#include <errno.h>
#include <sys/resource.h>
#include <sys/socket.h>

static struct loop *loop;

static int set_up(void **state)
{
    (void)state;
    loop = loop_create(NULL);
    return loop ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    loop_destroy(loop);
    return 0;
}

/* --- timers --- */

#define TIMERS 5

static struct loop_timer *timers[TIMERS];
static struct mono_time wanted[TIMERS];
static int order[TIMERS];
static int fired;

static void note_timer(void *user, struct mono_time now)
{
    int which = (int)(intptr_t)user;
    assert_true(mono_sub(now, wanted[which]) >= 0);
    assert_int_equal(mono_sub(loop_now(loop), now), 0);
    order[fired++] = which;
    if (fired == TIMERS - 1)
        loop_stop(loop);
}

static void timers_fire_once_in_order_and_never_early(void **state)
{
    (void)state;
    static const int64_t delays_us[TIMERS] = {5300, 100, 2900, 0, 2000};
    struct mono_time start = mono_clock_now();
    fired = 0;
    for (int i = 0; i < TIMERS; i++) {
        timers[i] = loop_timer_create(loop, note_timer, (void *)(intptr_t)i);
        wanted[i] = mono_add(start, delays_us[i] * NS_PER_US);
        loop_timer_set(timers[i], wanted[i]);
    }
    loop_timer_cancel(timers[4]);
    loop_run(loop);
    assert_int_equal(fired, 4);
    assert_int_equal(order[0], 3);
    assert_int_equal(order[1], 1);
    assert_int_equal(order[2], 2);
    assert_int_equal(order[3], 0);
    for (int i = 0; i < TIMERS; i++)
        loop_timer_destroy(timers[i]);
}

static struct loop_timer *suicidal;

static void destroy_own_timer(void *user, struct mono_time now)
{
    (void)user;
    (void)now;
    loop_timer_destroy(suicidal);
    loop_stop(loop);
}

static void a_timer_may_destroy_itself(void **state)
{
    (void)state;
    suicidal = loop_timer_create(loop, destroy_own_timer, NULL);
    loop_timer_set_in(suicidal, 0);
    loop_run(loop);
}

/* A timer that is always due must leave room for descriptors. */
static struct loop_timer *greedy;
static int pipe_fds[2];
static bool served;

static void set_again_in_the_past(void *user, struct mono_time now)
{
    (void)user;
    loop_timer_set(greedy, mono_add(now, -NS_PER_S));
}

static void drain_pipe(void *user, unsigned events)
{
    char byte;
    (void)user;
    assert_true(events & LOOP_READ);
    assert_int_equal(read(pipe_fds[0], &byte, 1), 1);
    served = true;
}

static void an_ever_due_timer_does_not_starve_descriptors(void **state)
{
    (void)state;
    assert_int_equal(pipe2(pipe_fds, O_CLOEXEC | O_NONBLOCK), 0);
    served = false;
    struct loop_fd *watch = loop_fd_add(loop, pipe_fds[0], LOOP_READ, drain_pipe, NULL);
    greedy = loop_timer_create(loop, set_again_in_the_past, NULL);
    loop_timer_set_in(greedy, 0);
    assert_int_equal(write(pipe_fds[1], "x", 1), 1);
    assert_comes_true(loop, &served);
    loop_timer_destroy(greedy);
    loop_fd_remove(watch);
    close(pipe_fds[0]);
    close(pipe_fds[1]);
}

/* --- descriptors --- */

static struct loop_fd *pair_watches[2];
static int pair[2];
static int ready_calls;

static void remove_both(void *user, unsigned events)
{
    (void)user;
    (void)events;
    ready_calls++;
    loop_fd_remove(pair_watches[0]);
    loop_fd_remove(pair_watches[1]);
    loop_stop(loop);
}

static void a_callback_may_remove_others_of_its_round(void **state)
{
    (void)state;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
    ready_calls = 0;
    for (int i = 0; i < 2; i++)
        pair_watches[i] = loop_fd_add(loop, pair[i], LOOP_WRITE, remove_both, NULL);
    loop_run(loop);
    assert_int_equal(ready_calls, 1);
    close(pair[0]);
    close(pair[1]);
}

static unsigned seen_events;

static void note_events(void *user, unsigned events)
{
    (void)user;
    seen_events = events;
    loop_stop(loop);
}

static void events_can_be_changed_and_hangups_are_told(void **state)
{
    (void)state;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
    struct loop_fd *watch = loop_fd_add(loop, pair[0], LOOP_READ, note_events, NULL);
    loop_fd_set_events(watch, LOOP_WRITE);
    loop_run(loop);
    assert_int_equal(seen_events, LOOP_WRITE);
    loop_fd_set_events(watch, 0);
    close(pair[1]);
    loop_run(loop);
    assert_true(seen_events & LOOP_HANGUP);
    loop_fd_remove(watch);
    close(pair[0]);
}

static void a_bad_descriptor_is_refused(void **state)
{
    (void)state;
    assert_null(loop_fd_add(loop, 9999, LOOP_READ, note_events, NULL));
    assert_int_equal(errno, EBADF);
}

/* --- signals, deferred freeing, stalls --- */

static int caught;

static void note_signal(void *user, int signal)
{
    (void)user;
    caught = signal;
    loop_stop(loop);
}

static void signals_come_as_callbacks(void **state)
{
    (void)state;
    sigset_t before;
    sigprocmask(SIG_SETMASK, NULL, &before);
    assert_int_equal(loop_watch_signals(loop, note_signal, NULL), 0);
    kill(getpid(), SIGHUP);
    loop_run(loop);
    assert_int_equal(caught, SIGHUP);
    kill(getpid(), SIGTERM);
    loop_run(loop);
    assert_int_equal(caught, SIGTERM);
    sigprocmask(SIG_SETMASK, &before, NULL);
}

static bool callback_running;
static int freed;

static void free_object(void *object)
{
    (void)object;
    assert_false(callback_running);
    freed++;
}

static void defer_in_callback(void *user, struct mono_time now)
{
    (void)user;
    (void)now;
    callback_running = true;
    loop_defer_free(loop, free_object, NULL);
    loop_stop(loop);
    callback_running = false;
}

static void freeing_waits_for_the_callback_to_end(void **state)
{
    (void)state;
    struct loop_timer *timer = loop_timer_create(loop, defer_in_callback, NULL);
    freed = 0;
    loop_timer_set_in(timer, 0);
    loop_run(loop);
    assert_int_equal(freed, 1);
    loop_timer_destroy(timer);
    loop_defer_free(loop, free_object, NULL);
    loop_destroy(loop); /* frees what is left */
    assert_int_equal(freed, 2);
    loop = loop_create(NULL);
}

static void be_busy(void *user, struct mono_time now)
{
    (void)user;
    while (mono_sub(mono_clock_now(), now) < 3 * NS_PER_MS) {
    }
    loop_stop(loop);
}

static void the_longest_stall_is_measured(void **state)
{
    (void)state;
    struct loop_timer *timer = loop_timer_create(loop, be_busy, NULL);
    loop_reset_longest_stall(loop);
    assert_int_equal(loop_longest_stall_ns(loop), 0);
    loop_timer_set_in(timer, 0);
    loop_run(loop);
    assert_true(loop_longest_stall_ns(loop) >= 3 * NS_PER_MS);
    loop_timer_destroy(timer);
}

/* --- rest --- */

#define TICKS 20
static struct loop_timer *ticker;
static int ticks;

static void tick(void *user, struct mono_time now)
{
    (void)user;
    if (++ticks == TICKS)
        loop_stop(loop);
    loop_timer_set(ticker, mono_add(now, 7300 * NS_PER_US));
}

/*
 * An idle loop sleeps: what it does besides its timers is nothing. Timed in fractions of a
 * millisecond, so that a wait in whole milliseconds would show, as wake-ups or as time spent
 * spinning.
 */
static void sleeps_between_timers(void **state)
{
    (void)state;
    struct rusage before, after;
    ticks = 0;
    ticker = loop_timer_create(loop, tick, NULL);
    loop_timer_set_in(ticker, 0);
    getrusage(RUSAGE_SELF, &before);
    loop_run(loop);
    getrusage(RUSAGE_SELF, &after);
    assert_in_range(after.ru_nvcsw - before.ru_nvcsw, 1, TICKS + 5);
    loop_timer_destroy(ticker);
}

static struct loop_timer *patient;
static int patient_fired;
static struct mono_time patient_earliest, patient_latest;

static void set_patient(struct mono_time now)
{
    patient_earliest = mono_add(now, 5 * NS_PER_MS);
    patient_latest = mono_add(now, NS_PER_S);
    loop_timer_set_between(patient, patient_earliest, patient_latest);
}

static void patient_fires(void *user, struct mono_time now)
{
    (void)user;
    assert_true(mono_sub(now, patient_earliest) >= 0);
    assert_true(mono_sub(now, patient_latest) < 0);
    patient_fired++;
    set_patient(now);
}

/* It fires with each of the ticks, which are 7.3 ms apart, and costs no wake-up of its own. */
static void a_timer_that_can_wait_comes_along_with_others(void **state)
{
    (void)state;
    struct rusage before, after;
    ticks = patient_fired = 0;
    ticker = loop_timer_create(loop, tick, NULL);
    patient = loop_timer_create(loop, patient_fires, NULL);
    loop_timer_set_in(ticker, 0);
    set_patient(mono_clock_now());
    getrusage(RUSAGE_SELF, &before);
    loop_run(loop);
    getrusage(RUSAGE_SELF, &after);
    assert_in_range(patient_fired, TICKS / 2, TICKS);
    assert_in_range(after.ru_nvcsw - before.ru_nvcsw, 1, TICKS + 5);
    loop_timer_destroy(ticker);
    loop_timer_destroy(patient);
}

static void be_woken_at_last(void *user, struct mono_time now)
{
    (void)user;
    assert_true(mono_sub(now, patient_latest) >= 0);
    loop_stop(loop);
}

static void a_timer_that_can_wait_is_not_forgotten(void **state)
{
    (void)state;
    patient = loop_timer_create(loop, be_woken_at_last, NULL);
    struct mono_time now = mono_clock_now();
    patient_latest = mono_add(now, 20 * NS_PER_MS);
    loop_timer_set_between(patient, mono_add(now, 5 * NS_PER_MS), patient_latest);
    loop_run(loop);
    loop_timer_destroy(patient);
}

static void idle_costs_no_wakeups(void **state)
{
    (void)state;
    struct rusage before, after;
    struct loop_timer *timer = loop_timer_create(loop, be_busy, NULL);
    loop_timer_set_in(timer, 3 * NS_PER_S);
    getrusage(RUSAGE_SELF, &before);
    loop_run(loop);
    getrusage(RUSAGE_SELF, &after);
    assert_in_range(after.ru_nvcsw - before.ru_nvcsw, 1, 6);
    loop_timer_destroy(timer);
}

static void nothing_is_left_open(void **state)
{
    (void)state;
    int before = dup(0);
    close(before);
    for (int i = 0; i < 20; i++) {
        struct loop *other = loop_create(NULL);
        assert_non_null(other);
        loop_destroy(other);
    }
    int after = dup(0);
    close(after);
    assert_int_equal(after, before);
    loop_destroy(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(timers_fire_once_in_order_and_never_early, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_timer_may_destroy_itself, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_ever_due_timer_does_not_starve_descriptors, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_callback_may_remove_others_of_its_round, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(events_can_be_changed_and_hangups_are_told, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_bad_descriptor_is_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(signals_come_as_callbacks, set_up, tear_down),
        cmocka_unit_test_setup_teardown(freeing_waits_for_the_callback_to_end, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_longest_stall_is_measured, set_up, tear_down),
        cmocka_unit_test_setup_teardown(sleeps_between_timers, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_timer_that_can_wait_comes_along_with_others, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_timer_that_can_wait_is_not_forgotten, set_up, tear_down),
        cmocka_unit_test_setup_teardown(idle_costs_no_wakeups, set_up, tear_down),
        cmocka_unit_test_setup_teardown(nothing_is_left_open, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
