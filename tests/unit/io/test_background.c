#include "io_test.h"
#include "tutti/io/background.h"

#include <pthread.h>

static struct loop *loop;
static struct background *background;
static pthread_t main_thread;

struct job {
    int nth;
    int hold_fd; /* read before the work is done; -1: at once */
    volatile bool worked;
    bool done, beside;
};

static int next_nth;
static int done_count;

static void work(void *argument)
{
    struct job *job = argument;
    char byte;
    if (job->hold_fd >= 0)
        assert_int_equal(read(job->hold_fd, &byte, 1), 1);
    job->beside = !pthread_equal(pthread_self(), main_thread);
    job->worked = true;
}

static void done(void *argument)
{
    struct job *job = argument;
    assert_true(pthread_equal(pthread_self(), main_thread));
    assert_true(job->worked);
    assert_int_equal(job->nth, next_nth++);
    job->done = true;
    done_count++;
}

static int set_up(void **state)
{
    (void)state;
    main_thread = pthread_self();
    next_nth = done_count = 0;
    loop = loop_create(NULL);
    background = loop ? background_create(loop) : NULL;
    return background ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    background_destroy(background);
    loop_destroy(loop);
    return 0;
}

static void works_beside_the_loop_and_finishes_in_it(void **state)
{
    (void)state;
    int hold[2];
    struct job job = {.nth = 0};
    assert_int_equal(pipe2(hold, O_CLOEXEC), 0);
    job.hold_fd = hold[0];
    background_run(background, work, done, &job);
    /* The work waits; the loop does not. */
    assert_false(io_test_run(loop, io_test_flag, &job.done, 30 * NS_PER_MS));
    assert_int_equal(write(hold[1], "x", 1), 1);
    assert_comes_true(loop, &job.done);
    assert_true(job.beside);
    close(hold[0]);
    close(hold[1]);
}

static bool all_done(void *user)
{
    return done_count == *(int *)user;
}

static void keeps_the_order(void **state)
{
    (void)state;
    static struct job jobs[200];
    int wanted = 200;
    for (int i = 0; i < wanted; i++) {
        jobs[i] = (struct job){.nth = i, .hold_fd = -1};
        background_run(background, work, done, &jobs[i]);
    }
    assert_true(io_test_run(loop, all_done, &wanted, IO_TEST_LIMIT_NS));
}

static void destroying_waits_for_what_was_asked(void **state)
{
    (void)state;
    static struct job jobs[50];
    for (int i = 0; i < 50; i++) {
        jobs[i] = (struct job){.nth = i, .hold_fd = -1};
        background_run(background, work, done, &jobs[i]);
    }
    assert_true(background_destroy(background));
    background = NULL;
    assert_int_equal(done_count, 50);
    assert_true(background_destroy(NULL));
}

/* Until the test ends: the thread is still in it. */
static int never[2];
static struct job hanging;

static void leaving_does_not_wait_for_ever(void **state)
{
    (void)state;
    static struct job behind = {.nth = 1, .hold_fd = -1};
    assert_int_equal(pipe2(never, O_CLOEXEC), 0);
    hanging = (struct job){.nth = 0, .hold_fd = never[0]};
    background_set_patience(background, 20 * NS_PER_MS);
    background_run(background, work, done, &hanging);
    background_run(background, work, done, &behind);
    assert_false(background_destroy(background));
    background = NULL;
    assert_false(hanging.done || behind.worked);
    assert_int_equal(write(never[1], "x", 1), 1); /* it answers after all: nobody is there */
    for (int i = 0; i < 1000 && !hanging.worked; i++)
        io_test_run(loop, io_test_never, NULL, 5 * NS_PER_MS);
    assert_true(hanging.worked);
    assert_false(hanging.done || behind.worked);
}

static void nothing_to_do_starts_no_thread(void **state)
{
    (void)state;
    io_test_not_emulated();
    char path[64];
    int threads = 0;
    snprintf(path, sizeof path, "/proc/%d/task", (int)getpid());
    DIR *tasks = opendir(path);
    while (readdir(tasks))
        threads++;
    closedir(tasks);
    assert_int_equal(threads, 3); /* ".", ".." and this one */
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(nothing_to_do_starts_no_thread),
        TEST(works_beside_the_loop_and_finishes_in_it),
        TEST(keeps_the_order),
        TEST(destroying_waits_for_what_was_asked),
        TEST(leaving_does_not_wait_for_ever),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
