#include "io_test.h"
#include "tutti/base/log.h"
#include "tutti/io/session_file.h"

#include <errno.h>
#include <math.h>
#include <sys/resource.h>
#include <time.h>

static char dir[64];
static char state_dir[100];
static char path[128];

static int set_up(void **state)
{
    (void)state;
    io_test_make_dir(dir);
    snprintf(state_dir, sizeof state_dir, "%s/state", dir);
    snprintf(path, sizeof path, "%s/state.json", state_dir);
    log_set_level(LOG_ERROR);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    io_test_remove_dir(dir);
    log_forget_secrets();
    return 0;
}

#define DEVICE "hw:\"K\xc3\xbc\x63he\"\\1"

static struct session_state sample(void)
{
    struct session_state state;
    session_state_init(&state);
    strcpy(state.url, "http://127.0.0.1:8700");
    strcpy(state.join_code, "D5D6A6");
    strcpy(state.asked_code, "A1B2C3");
    strcpy(state.asked_instead_of, "D5D6A6");
    state.left = true;
    strcpy(state.session_id, "s-1");
    strcpy(state.token, "0123456789abcdef0123456789abcdef");
    struct session_device *device = session_state_device(&state, DEVICE);
    device->rate_ppm = -37.25;
    device->volume = 42;
    device->latency_ms = -1.5;
    device->latency_configured_ms = 0;
    device->muted = true;
    return state;
}

static void assert_equal(const struct session_state *a, const struct session_state *b)
{
    assert_string_equal(a->url, b->url);
    assert_string_equal(a->join_code, b->join_code);
    assert_string_equal(a->asked_code, b->asked_code);
    assert_string_equal(a->asked_instead_of, b->asked_instead_of);
    assert_int_equal(a->left, b->left);
    assert_string_equal(a->session_id, b->session_id);
    assert_string_equal(a->token, b->token);
    assert_string_equal(a->code, b->code);
    const struct session_device *x = a->devices, *y = b->devices;
    assert_string_equal(x->name, y->name);
    assert_true(x->rate_ppm == y->rate_ppm);
    assert_true(x->volume == y->volume);
    assert_true(x->latency_ms == y->latency_ms);
    assert_true(x->latency_configured_ms == y->latency_configured_ms);
    assert_int_equal(x->muted, y->muted);
}

static void assert_initial(const struct session_state *state)
{
    assert_string_equal(state->token, "");
    assert_string_equal(state->session_id, "");
    for (int i = 0; i < SESSION_DEVICES_MAX; i++)
        assert_string_equal(state->devices[i].name, "");
}

static mode_t mode_of(const char *of)
{
    struct stat status;
    assert_int_equal(stat(of, &status), 0);
    return status.st_mode & 07777;
}

static void what_is_saved_is_loaded(void **state)
{
    (void)state;
    struct session_state saved = sample(), loaded;
    assert_int_equal(session_file_save(state_dir, &saved), 0);
    session_file_load(state_dir, &loaded);
    assert_equal(&loaded, &saved);
    saved.devices[0].volume = 43;
    assert_int_equal(session_file_save(state_dir, &saved), 0);
    session_file_load(state_dir, &loaded);
    assert_true(loaded.devices[0].volume == 43);
}

static void devices_are_remembered_each_by_itself(void **state)
{
    (void)state;
    struct session_state saved, loaded;
    char name[20];
    session_state_init(&saved);
    for (int i = 0; i < 2 * SESSION_DEVICES_MAX; i++) {
        snprintf(name, sizeof name, "hw:%d", i);
        struct session_device *device = session_state_device(&saved, name);
        assert_true(isnan(device->volume) && isnan(device->rate_ppm));
        device->volume = i;
        session_state_device(&saved, "hw:0")->rate_ppm = i; /* always in use */
    }
    assert_int_equal(session_file_save(state_dir, &saved), 0);
    session_file_load(state_dir, &loaded);
    assert_string_equal(loaded.devices[0].name, "hw:0");
    assert_true(session_state_device(&loaded, "hw:15")->volume == 15);
    assert_string_equal(loaded.devices[0].name, "hw:15");
    assert_string_equal(loaded.devices[1].name, "hw:0");
    assert_true(loaded.devices[1].rate_ppm == 15 && loaded.devices[1].volume == 0);
    assert_true(session_state_device(&loaded, "hw:9")->volume == 9); /* the oldest that is left */
    assert_true(isnan(session_state_device(&loaded, "hw:8")->volume));
}

static void only_the_owner_may_read_it(void **state)
{
    (void)state;
    struct session_state saved = sample(), loaded;
    mode_t mask = umask(0);
    assert_int_equal(session_file_save(state_dir, &saved), 0);
    assert_int_equal(mode_of(state_dir), 0700);
    assert_int_equal(mode_of(path), 0600);
    assert_int_equal(chmod(path, 0644), 0);
    session_file_load(state_dir, &loaded); /* mended, and used */
    assert_equal(&loaded, &saved);
    assert_int_equal(mode_of(path), 0600);
    umask(mask);
}

static void a_missing_one_is_the_initial_state(void **state)
{
    (void)state;
    struct session_state loaded = sample();
    session_file_load(state_dir, &loaded);
    assert_initial(&loaded);
}

/* In its own place nothing is left, which the next state will take. */
static void assert_kept_aside(const char *content)
{
    char aside[160], text[32] = "";
    snprintf(aside, sizeof aside, "%s.damaged", path);
    int fd = open(aside, O_RDONLY | O_CLOEXEC);
    assert_true(fd >= 0);
    assert_true(read(fd, text, sizeof text - 1) >= 0);
    close(fd);
    assert_string_equal(text, content);
    assert_int_equal(access(path, F_OK), -1);
    assert_int_equal(unlink(aside), 0);
}

/* One that is set aside does not take an earlier one's place. */
static void several_are_kept_aside(void **state)
{
    (void)state;
    char second[160];
    struct session_state saved = sample(), loaded;
    assert_int_equal(session_file_save(state_dir, &saved), 0);
    snprintf(second, sizeof second, "%s.damaged-2", path);
    io_test_write_file(path, "first", 0600);
    assert_true(session_file_load(state_dir, &loaded));
    io_test_write_file(path, "second", 0600);
    assert_true(session_file_load(state_dir, &loaded));
    assert_int_equal(access(second, F_OK), 0);
    assert_kept_aside("first");
}

/* What may be right the next time stays where it is, and nothing follows from it. */
static void what_cannot_be_read_now_is_no_reason_for_anything(void **state)
{
    (void)state;
    struct session_state saved = sample(), loaded;
    struct rlimit before, none;
    assert_int_equal(session_file_save(state_dir, &saved), 0);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    none = (struct rlimit){0, before.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    bool loads = session_file_load(state_dir, &loaded);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    assert_false(loads);
    assert_initial(&loaded);
    assert_true(session_file_load(state_dir, &loaded));
    assert_equal(&loaded, &saved);
}

static void damage_is_survived(void **state)
{
    (void)state;
    static const char *const damaged[] = {"",      "{",           "null",    "[]",
                                          "\"x\"", "{\"token\":", "\xff\xfe"};
    struct session_state saved = sample(), loaded;
    assert_int_equal(session_file_save(state_dir, &saved), 0);
    for (size_t i = 0; i < sizeof damaged / sizeof *damaged; i++) {
        io_test_write_file(path, damaged[i], 0600);
        assert_true(session_file_load(state_dir, &loaded));
        assert_initial(&loaded);
        assert_kept_aside(damaged[i]);
    }
    io_test_write_file(path,
                       "{\"token\":7,\"session_id\":null,\"code\":\"C0DE\",\"devices\":[5,{},"
                       "{\"name\":\"a\",\"rate_ppm\":1e300,\"volume\":-1,"
                       "\"latency_ms\":\"much\",\"muted\":\"yes\"}]}",
                       0600);
    session_file_load(state_dir, &loaded);
    assert_string_equal(loaded.token, "");
    assert_string_equal(loaded.code, "C0DE"); /* what is good is taken */
    const struct session_device *device = loaded.devices;
    assert_string_equal(device->name, "a");
    assert_true(isnan(device->rate_ppm) && isnan(device->volume) && isnan(device->latency_ms));
    assert_false(device->muted);
    assert_string_equal(loaded.devices[1].name, "");
    unlink(path);
    assert_int_equal(mkdir(path, 0700), 0);
    assert_true(session_file_load(state_dir, &loaded));
    assert_initial(&loaded);
    assert_int_equal(mkfifo(path, 0600), 0);
    session_file_load(state_dir, &loaded); /* and does not wait for a writer */
    assert_initial(&loaded);
}

static void random_damage_is_survived(void **state)
{
    (void)state;
    struct session_state saved = sample(), loaded;
    unsigned seed = (unsigned)time(NULL);
    char text[4096];
    print_message("seed %u\n", seed);
    assert_int_equal(session_file_save(state_dir, &saved), 0);
    FILE *file = fopen(path, "r");
    size_t bytes = fread(text, 1, sizeof text - 1, file);
    fclose(file);
    text[bytes] = '\0';
    for (int i = 0; i < 300; i++) {
        char broken[4096];
        strcpy(broken, text);
        for (int hits = 0; hits < 3; hits++)
            broken[(size_t)rand_r(&seed) % bytes] = (char)(1 + rand_r(&seed) % 255);
        broken[(size_t)rand_r(&seed) % (2 * bytes) % sizeof broken] = '\0';
        io_test_write_file(path, broken, 0600);
        session_file_load(state_dir, &loaded);
        double volume = loaded.devices[0].volume;
        assert_true(isnan(volume) || (volume >= 0 && volume <= 100));
        assert_true(strlen(loaded.token) < sizeof loaded.token);
    }
}

static void an_old_one_stays_where_the_new_one_cannot_be_written(void **state)
{
    (void)state;
    struct session_state saved = sample(), loaded;
    char temporary[140];
    assert_int_equal(session_file_save(state_dir, &saved), 0);
    snprintf(temporary, sizeof temporary, "%s.new", path);
    assert_int_equal(mkdir(temporary, 0700), 0);
    saved.devices[0].volume = 1;
    assert_true(session_file_save(state_dir, &saved) < 0);
    session_file_load(state_dir, &loaded);
    assert_true(loaded.devices[0].volume == 42);
    assert_int_equal(session_file_save("/proc/nowhere", &saved), -ENOENT);
}

/* --- secrets --- */

static void secrets_are_read_and_hidden_from_the_log(void **state)
{
    (void)state;
    char secret[40], file[140], line[] = "the token is 0123456789abcdef";
    snprintf(file, sizeof file, "%s/token", dir);
    io_test_write_file(file, "0123456789abcdef \r\nsecond line\n", 0600);
    assert_true(session_file_read_secret(file, secret, sizeof secret));
    assert_string_equal(secret, "0123456789abcdef");
    log_redact(line);
    assert_string_equal(line, "the token is ***");
    chmod(file, 0640); /* of a group: systemd's access lists look like this */
    assert_true(session_file_read_secret(file, secret, sizeof secret));
}

static void secrets_that_everybody_may_read_are_refused(void **state)
{
    (void)state;
    char secret[40] = "untouched", file[140];
    snprintf(file, sizeof file, "%s/token", dir);
    io_test_write_file(file, "0123456789abcdef\n", 0604);
    assert_false(session_file_read_secret(file, secret, sizeof secret));
    io_test_write_file(file, "\n", 0600);
    assert_false(session_file_read_secret(file, secret, sizeof secret));
    io_test_write_file(file, "0123456789012345678901234567890123456789", 0600);
    assert_false(session_file_read_secret(file, secret, sizeof secret)); /* too long for it */
    unlink(file);
    assert_false(session_file_read_secret(file, secret, sizeof secret));
    assert_false(session_file_read_secret(dir, secret, sizeof secret));
    assert_string_equal(secret, "untouched");
}

static void a_bare_name_is_a_credential(void **state)
{
    (void)state;
    char secret[40], file[140];
    snprintf(file, sizeof file, "%s/tutti-token", dir);
    io_test_write_file(file, "fedcba9876543210", 0400);
    setenv("CREDENTIALS_DIRECTORY", dir, 1);
    assert_true(session_file_read_secret("tutti-token", secret, sizeof secret));
    assert_string_equal(secret, "fedcba9876543210");
    unsetenv("CREDENTIALS_DIRECTORY");
    assert_false(session_file_read_secret("tutti-token", secret, sizeof secret));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

/* What the packaged configuration called the card once is the same card by another name. */
static void another_name_takes_over_what_is_remembered(void **state)
{
    (void)state;
    struct session_state kept;
    session_state_init(&kept);
    session_state_inherit(&kept, "auto", "default");
    assert_string_equal(kept.devices[0].name, "");
    session_state_device(&kept, "default")->volume = 20;
    session_state_device(&kept, "hw:0")->volume = 90;
    session_state_inherit(&kept, "auto", "default");
    assert_true(session_state_device(&kept, "auto")->volume == 20);
    assert_true(session_state_device(&kept, "hw:0")->volume == 90);
    session_state_device(&kept, "default")->volume = 70;
    session_state_inherit(&kept, "auto", "default"); /* it has its own */
    assert_true(session_state_device(&kept, "auto")->volume == 20);
    assert_true(session_state_device(&kept, "default")->volume == 70);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_is_saved_is_loaded),
        TEST(devices_are_remembered_each_by_itself),
        TEST(only_the_owner_may_read_it),
        TEST(a_missing_one_is_the_initial_state),
        TEST(damage_is_survived),
        TEST(several_are_kept_aside),
        TEST(what_cannot_be_read_now_is_no_reason_for_anything),
        TEST(random_damage_is_survived),
        TEST(an_old_one_stays_where_the_new_one_cannot_be_written),
        TEST(secrets_are_read_and_hidden_from_the_log),
        TEST(secrets_that_everybody_may_read_are_refused),
        TEST(a_bare_name_is_a_credential),
        TEST(another_name_takes_over_what_is_remembered),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
