#include "io_test.h"
#include "tutti/base/log.h"
#include "tutti/io/hooks.h"

static struct loop *loop;
static struct hooks *hooks;
static char dir[64];
static char log_path[100];
static int log_saved;

static void open_hooks(int64_t timeout_ns)
{
    hooks_destroy(hooks);
    hooks = hooks_create(loop, timeout_ns);
    assert_non_null(hooks);
}

/* The log goes to stderr: into a file, to be read. */
static int set_up(void **state)
{
    (void)state;
    io_test_make_dir(dir);
    snprintf(log_path, sizeof log_path, "%s/log", dir);
    int fd = open(log_path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    log_saved = dup(STDERR_FILENO);
    dup2(fd, STDERR_FILENO);
    close(fd);
    loop = loop_create(NULL);
    hooks = NULL;
    if (!loop)
        return -1;
    open_hooks(5 * NS_PER_S);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    hooks_destroy(hooks);
    loop_destroy(loop);
    dup2(log_saved, STDERR_FILENO);
    close(log_saved);
    io_test_remove_dir(dir);
    return 0;
}

static const char *read_text(const char *path)
{
    static char text[65536];
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t got = fd < 0 ? 0 : read(fd, text, sizeof text - 1);
    text[got > 0 ? got : 0] = '\0';
    if (fd >= 0)
        close(fd);
    return text;
}

static const char *in_dir(const char *name)
{
    static char path[100];
    snprintf(path, sizeof path, "%s/%s", dir, name);
    return path;
}

static void run(const char *name, const char *format)
{
    char command[HOOKS_COMMAND_MAX];
    snprintf(command, sizeof command, "cd '%s' || exit; %s", dir, format);
    hooks_run(hooks, name, command);
}

static bool is_idle(void *user)
{
    (void)user;
    return hooks_idle(hooks);
}

static void settle(void)
{
    assert_true(io_test_run(loop, is_idle, NULL, IO_TEST_LIMIT_NS));
}

static void runs_one_after_another(void **state)
{
    (void)state;
    run("on_play", "sleep 0.1; echo first >> order");
    run("on_stop", "echo second >> order");
    run("on_play", "echo third >> order");
    assert_false(hooks_idle(hooks));
    settle();
    assert_string_equal(read_text(in_dir("order")), "first\nsecond\nthird\n");
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1); /* no child is left, not even a dead one */
}

static void nothing_is_nothing(void **state)
{
    (void)state;
    hooks_run(hooks, "on_play", "");
    assert_true(hooks_idle(hooks));
}

static void logs_what_it_prints(void **state)
{
    (void)state;
    run("on_play", "printf 'power on\\nvolume \\033[1mup'; echo oops >&2; exit 3");
    settle();
    const char *text = read_text(log_path);
    assert_non_null(strstr(text, "on_play: power on\n"));
    assert_non_null(strstr(text, "on_play: volume  [1mup"));
    assert_non_null(strstr(text, "oops"));
    assert_non_null(strstr(text, "on_play: exit status 3"));
}

static void a_flood_is_cut_off(void **state)
{
    (void)state;
    run("on_play", "yes | head -n 100000");
    settle();
    int lines = 0;
    for (const char *at = read_text(log_path); (at = strstr(at, "on_play: y\n")); at++)
        lines++;
    assert_in_range(lines, 1, 50);
    assert_non_null(strstr(read_text(log_path), "(and more)"));
}

/* In one write, too: nobody expects that a standard output has no room just now. */
static void whoever_prints_much_does_not_fail(void **state)
{
    (void)state;
    run("on_play", "dd if=/dev/zero bs=1000000 count=1 2>/dev/null | tr '\\0' x > text; "
                   "dd if=text bs=1000000 count=1 2>/dev/null && touch whole");
    settle();
    assert_non_null(strstr(read_text(log_path), "on_play: done in"));
    assert_int_equal(access(in_dir("whole"), F_OK), 0);
}

static void one_that_takes_too_long_is_ended(void **state)
{
    (void)state;
    io_test_not_emulated();
    open_hooks(100 * NS_PER_MS);
    run("on_play", "sleep 1000 & echo $! > child; wait");
    run("on_stop", "touch next");
    settle();
    assert_non_null(strstr(read_text(log_path), "on_play: ended after"));
    assert_int_equal(access(in_dir("next"), F_OK), 0);
    pid_t child = atoi(read_text(in_dir("child")));
    assert_true(child > 0);
    /* The whole group got the signal; whoever adopts orphans reaps it. */
    for (int i = 0; i < 1000 && kill(child, 0) == 0; i++) {
        char path[64];
        snprintf(path, sizeof path, "/proc/%d/stat", child);
        if (strstr(read_text(path), ") Z"))
            break;
        io_test_run(loop, io_test_never, NULL, 5 * NS_PER_MS);
        assert_true(i < 999);
    }
}

static void one_that_will_not_go_is_killed(void **state)
{
    (void)state;
    open_hooks(100 * NS_PER_MS);
    run("on_play", "trap '' TERM; while :; do sleep 0.05; done");
    settle();
    assert_non_null(strstr(read_text(log_path), "on_play: ended after"));
}

static void what_it_leaves_behind_is_not_waited_for(void **state)
{
    (void)state;
    struct mono_time before = mono_clock_now();
    run("on_play", "sleep 3 & echo $! > child");
    settle();
    assert_true(mono_sub(mono_clock_now(), before) < 2 * NS_PER_S);
    pid_t child = atoi(read_text(in_dir("child")));
    assert_true(child > 0);
    assert_int_equal(kill(child, SIGKILL), 0);
}

static void secrets_stay_here(void **state)
{
    (void)state;
    setenv("TUTTI_BACKEND_TOKEN", "s3cret", 1);
    setenv("NOTIFY_SOCKET", "/nowhere", 1);
    setenv("AMPLIFIER", "living room", 1);
    run("on_play", "env > env");
    settle();
    const char *text = read_text(in_dir("env"));
    assert_null(strstr(text, "s3cret"));
    assert_null(strstr(text, "NOTIFY_SOCKET"));
    assert_non_null(strstr(text, "AMPLIFIER=living room"));
}

/* Of the standard signals none is blocked or ignored, SIGPIPE included. */
static void signals_are_as_usual(void **state)
{
    (void)state;
    run("on_play", "grep -E 'SigBlk|SigIgn' /proc/self/status | cut -f 2 > signals");
    settle();
    char *rest;
    const char *text = read_text(in_dir("signals"));
    assert_int_equal(strtoull(text, &rest, 16) & 0x7fffffff, 0);
    assert_int_equal(*rest, '\n');
    assert_int_equal(strtoull(rest, NULL, 16) & 0x7fffffff, 0);
}

static void of_too_many_the_latest_counts(void **state)
{
    (void)state;
    run("on_play", "sleep 0.1");
    for (int i = 0; i < 20; i++)
        run("on_stop", "echo stop >> order");
    run("on_play", "echo play >> order");
    settle();
    assert_string_equal(read_text(in_dir("order")), "stop\nstop\nstop\nplay\n");
}

static void note_idle(void *user)
{
    *(bool *)user = true;
}

static void tells_when_it_is_idle(void **state)
{
    (void)state;
    bool told = false;
    hooks_when_idle(hooks, note_idle, &told);
    assert_false(told);
    run("on_stop", "true");
    hooks_when_idle(hooks, note_idle, &told);
    assert_comes_true(loop, &told);
    assert_true(hooks_idle(hooks));
}

static void what_runs_does_not_outlive_us(void **state)
{
    (void)state;
    run("on_play", "echo $$ > shell; sleep 1000");
    for (int i = 0; i < 1000 && !read_text(in_dir("shell"))[0]; i++)
        io_test_run(loop, io_test_never, NULL, 5 * NS_PER_MS);
    pid_t shell = atoi(read_text(in_dir("shell")));
    assert_true(shell > 0);
    hooks_destroy(hooks);
    hooks = NULL;
    assert_int_equal(kill(shell, 0), -1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(runs_one_after_another),
        TEST(nothing_is_nothing),
        TEST(logs_what_it_prints),
        TEST(a_flood_is_cut_off),
        TEST(whoever_prints_much_does_not_fail),
        TEST(one_that_takes_too_long_is_ended),
        TEST(one_that_will_not_go_is_killed),
        TEST(what_it_leaves_behind_is_not_waited_for),
        TEST(secrets_stay_here),
        TEST(signals_are_as_usual),
        TEST(of_too_many_the_latest_counts),
        TEST(tells_when_it_is_idle),
        TEST(what_runs_does_not_outlive_us),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
