#include "io_test.h"
#include "tutti/io/settings_file.h"

#include <time.h>

static char dir[64];
static char path[128];
static struct settings settings;
static char error[SETTINGS_FILE_ERROR_MAX];

#define GOOD "[backend]\nurl = http://127.0.0.1:8700 ; a comment\njoin_code = D5D6A6\n"

static int set_up(void **state)
{
    (void)state;
    io_test_make_dir(dir);
    snprintf(path, sizeof path, "%s/tuttid.conf", dir);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    io_test_remove_dir(dir);
    return 0;
}

static bool load(const char *text)
{
    io_test_write_file(path, text, 0644);
    return settings_file_load(&settings, path, error);
}

static void expect_good(const char *text)
{
    if (!load(text))
        fail_msg("%s", error);
}

/* One line that begins with the file and what follows in says. */
static void expect_error(const char *text, const char *says)
{
    if (load(text))
        fail_msg("taken: %s", text);
    assert_null(strchr(error, '\n'));
    assert_ptr_equal(strstr(error, path), error);
    if (!strstr(error, says))
        fail_msg("\"%s\" does not say \"%s\"", error, says);
}

static void reads_what_is_written_and_defaults_the_rest(void **state)
{
    (void)state;
    expect_good(GOOD "# comment\n\n[audio]\nlatency_ms=-3.5\n  volume = 20\n[log]\nlevel = debug");
    assert_string_equal(settings.backend.url, "http://127.0.0.1:8700");
    assert_string_equal(settings.backend.join_code, "D5D6A6");
    assert_true(settings.audio.latency_ms == -3.5);
    assert_int_equal(settings.audio.volume, 20); /* indented, and yet its own line */
    assert_int_equal(settings.log.level, 3);
    assert_string_equal(settings.audio.device, "auto");
    expect_good("\xef\xbb\xbf" GOOD); /* as some editors begin a file */
    expect_good("[backend]\r\nurl = http://a\r\njoin_code = x\r\n");
    assert_string_equal(settings.backend.join_code, "x");
}

static void errors_name_file_line_key_and_what_is_allowed(void **state)
{
    (void)state;
    char long_line[700];
    expect_error(GOOD "[audio]\nvolum = 3\n", ":5: section [audio] has no key volum; it has");
    expect_error(GOOD "[audoi]\nvolume = 3\n", ":5: there is no section [audoi]; there are");
    expect_error(GOOD "\n[audio]\n# c\nvolume = 300\n",
                 ":7: [audio] volume = 300 is not allowed; it takes a whole number from 0 to 100");
    expect_error("volume = 3\n", ":1: there is no section []");
    expect_error(GOOD "nonsense\n", ":4: only [section], key = value and comments");
    expect_error(GOOD "[audio\n", ":4: only [section]");
    expect_error(GOOD "[audio]\ndevice\n = x\n", ":5: only [section]");
    expect_error("[backend]\ntoken = \x01secretsecretsecret\n", ":2: [backend] token = ***");
    memset(long_line, 'x', sizeof long_line);
    memcpy(long_line, "[audio]\non_play = ", 18);
    strcpy(long_line + sizeof long_line - 20, "\n[log]\nlevel = warn");
    expect_error(long_line, ":2: the line is too long; 198 bytes are allowed");
    expect_error("[backend]\nsession_id = x\n", ": [backend] session_id and token (or token_file)");
}

static void the_longest_line_is_taken_whole(void **state)
{
    (void)state;
    char text[600] = GOOD "[audio]\non_play = ";
    size_t start = strlen(text);
    memset(text + start, 'x', SETTINGS_FILE_LINE_MAX - 10);
    strcpy(text + start + SETTINGS_FILE_LINE_MAX - 10, "\non_stop = y\n");
    expect_good(text);
    assert_int_equal(strlen(settings.audio.on_play), SETTINGS_FILE_LINE_MAX - 10);
    assert_string_equal(settings.audio.on_stop, "y");
}

static void unreadable_files_are_said_to_be(void **state)
{
    (void)state;
    char other[140];
    snprintf(other, sizeof other, "%s/none.conf", dir);
    assert_false(settings_file_load(&settings, other, error));
    assert_non_null(strstr(error, "none.conf: cannot be read: No such file"));
    assert_false(settings_file_load(&settings, dir, error));
    assert_non_null(strstr(error, "cannot be read"));
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    assert_int_equal(write(fd, GOOD "a\0b = 1\n[log]\n", sizeof GOOD + 13), sizeof GOOD + 13);
    close(fd);
    assert_false(settings_file_load(&settings, path, error));
    assert_non_null(strstr(error, path));
}

static void write_drop_in(const char *name, const char *text)
{
    char file[200];
    snprintf(file, sizeof file, "%s.d/%s", path, name);
    io_test_write_file(file, text, 0644);
}

static void drop_ins_follow_in_the_order_of_their_names(void **state)
{
    (void)state;
    char drop_in_dir[140];
    snprintf(drop_in_dir, sizeof drop_in_dir, "%s.d", path);
    assert_int_equal(mkdir(drop_in_dir, 0755), 0);
    write_drop_in("20-b.conf", "[audio]\nvolume = 22\n");
    write_drop_in("10-a.conf", "[audio]\nvolume = 11\nlatency_ms = 1\n");
    write_drop_in("30-c.conf.off", "[audio]\nvolume = 33\n");
    expect_good(GOOD "[audio]\nvolume = 5\n");
    assert_int_equal(settings.audio.volume, 22);
    assert_true(settings.audio.latency_ms == 1);
    write_drop_in("15-bad.conf", "[audio]\n\nvolume = loud\n");
    expect_error(GOOD, ".d/15-bad.conf:3: [audio] volume = loud is not allowed");
}

static void the_environment_has_the_last_word(void **state)
{
    (void)state;
    setenv("TUTTI_AUDIO_VOLUME", "77", 1);
    setenv("TUTTI_BACKEND_URL", "https://elsewhere", 1);
    expect_good(GOOD "[audio]\nvolume = 5\n");
    assert_int_equal(settings.audio.volume, 77);
    assert_string_equal(settings.backend.url, "https://elsewhere");
    setenv("TUTTI_AUDIO_VOLUME", "much", 1);
    assert_false(load(GOOD));
    assert_non_null(
        strstr(error, "environment variable TUTTI_AUDIO_VOLUME: [audio] volume = much"));
    unsetenv("TUTTI_AUDIO_VOLUME");
    setenv("TUTTI_AUDIO_VOLUMEN", "1", 1);
    assert_false(load(GOOD));
    assert_non_null(strstr(error, "TUTTI_AUDIO_VOLUMEN: there is no such option"));
    unsetenv("TUTTI_AUDIO_VOLUMEN");
    setenv("TUTTI_BACKEND_JOIN_CODE", "ABC", 1);
    assert_true(settings_file_load(&settings, NULL, error)); /* no file at all */
    assert_string_equal(settings.backend.join_code, "ABC");
    unsetenv("TUTTI_BACKEND_JOIN_CODE");
    unsetenv("TUTTI_BACKEND_URL");
}

/* Files that were damaged at random are read or refused with one line, and crash nothing. */
static void damaged_files_are_read_or_refused(void **state)
{
    (void)state;
    static const char whole[] = GOOD "[audio]\ndevice = null\nvolume = 50\nlatency_ms = 2.5\n"
                                     "[sync]\nmax_slew_ppm = 500\n[log]\nlevel = info\n";
    unsigned seed = (unsigned)time(NULL);
    int refused = 0;
    print_message("seed %u\n", seed);
    for (int i = 0; i < 500; i++) {
        char text[sizeof whole];
        memcpy(text, whole, sizeof whole);
        for (int hits = 1 + rand_r(&seed) % 4; hits > 0; hits--)
            text[(size_t)rand_r(&seed) % (sizeof whole - 1)] = (char)(1 + rand_r(&seed) % 255);
        if (load(text))
            continue;
        refused++;
        assert_null(strchr(error, '\n'));
        assert_true(strncmp(error, path, strlen(path)) == 0);
        assert_true(strlen(error) > strlen(path) + 10);
    }
    assert_true(refused > 100);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(reads_what_is_written_and_defaults_the_rest),
        TEST(errors_name_file_line_key_and_what_is_allowed),
        TEST(the_longest_line_is_taken_whole),
        TEST(unreadable_files_are_said_to_be),
        TEST(drop_ins_follow_in_the_order_of_their_names),
        TEST(the_environment_has_the_last_word),
        TEST(damaged_files_are_read_or_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
