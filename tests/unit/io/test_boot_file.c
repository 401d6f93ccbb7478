#include "io_test.h"
#include "tutti/io/boot_file.h"
#include "tutti/io/settings_file.h"

static char dir[64];
static char boot[80], config[100], drop_in[130], file[100], done[100], errors[120];
static struct settings settings;

static int set_up(void **state)
{
    (void)state;
    io_test_make_dir(dir);
    snprintf(boot, sizeof boot, "%s/boot", dir);
    snprintf(config, sizeof config, "%s/tuttid.conf", dir);
    snprintf(drop_in, sizeof drop_in, "%s.d/50-boot.conf", config);
    snprintf(file, sizeof file, "%s/tutti.conf", boot);
    snprintf(done, sizeof done, "%s/tutti.conf.done", boot);
    snprintf(errors, sizeof errors, "%s/tutti-errors.txt", boot);
    mkdir(boot, 0755);
    io_test_write_file(config, "", 0640);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    io_test_remove_dir(dir);
    return 0;
}

static bool exists(const char *path)
{
    struct stat status;
    return lstat(path, &status) == 0;
}

static char *content(const char *path)
{
    static char text[32768];
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    assert_true(fd >= 0);
    ssize_t bytes = read(fd, text, sizeof text - 1);
    close(fd);
    assert_true(bytes >= 0);
    text[bytes] = '\0';
    return text;
}

static void expect_config(const char *name, int volume)
{
    char error[SETTINGS_FILE_ERROR_MAX];
    if (!settings_file_load(&settings, config, error))
        fail_msg("%s", error);
    assert_string_equal(settings.backend.name, name);
    assert_int_equal(settings.audio.volume, volume);
}

static void is_taken_once(void **state)
{
    (void)state;
    struct stat status;
    assert_int_equal(boot_file_take(boot, config), BOOT_FILE_NONE);
    assert_false(exists(drop_in));
    io_test_write_file(file, "name = Kitchen\r\ncode = D5D6A6\r\nvolume = 30\r\n", 0755);
    assert_int_equal(boot_file_take(boot, config), BOOT_FILE_TAKEN);
    expect_config("Kitchen", 30);
    assert_string_equal(settings.backend.join_code, "D5D6A6");
    assert_int_equal(stat(drop_in, &status), 0);
    assert_int_equal(status.st_mode & 0777, 0640);
    assert_false(exists(file) || exists(errors));
    assert_true(exists(done));
    assert_int_equal(boot_file_take(boot, config), BOOT_FILE_NONE);
    /* The next one changes what it mentions. */
    io_test_write_file(file, "volume = 55", 0755);
    assert_int_equal(boot_file_take(boot, config), BOOT_FILE_TAKEN);
    expect_config("Kitchen", 55);
    assert_string_equal(content(done), "volume = 55");
}

static void an_editors_txt_is_meant_too(void **state)
{
    (void)state;
    char text_file[120];
    snprintf(text_file, sizeof text_file, "%s.txt", file);
    io_test_write_file(text_file, "name = Bath\n", 0755);
    assert_int_equal(boot_file_take(boot, config), BOOT_FILE_TAKEN);
    assert_false(exists(text_file));
    expect_config("Bath", 60);
}

static void of_a_wrong_one_nothing_is_taken(void **state)
{
    (void)state;
    io_test_write_file(file, "name = Kitchen\nvolume = loud\nnonsense\n", 0755);
    assert_int_equal(boot_file_take(boot, config), BOOT_FILE_REFUSED);
    assert_true(exists(file));
    assert_false(exists(drop_in) || exists(done));
    const char *said = content(errors);
    assert_non_null(
        strstr(said, "tutti.conf: line 2: volume takes a whole number from 0 to 100\r\n"));
    assert_non_null(strstr(said, "line 3: only key = value"));
    assert_non_null(strstr(said, "Nothing was taken over."));
    io_test_write_file(file, "name = Kitchen\nvolume = 20\n", 0755);
    assert_int_equal(boot_file_take(boot, config), BOOT_FILE_TAKEN);
    expect_config("Kitchen", 20);
    assert_false(exists(errors));
}

static void it_has_to_go_with_the_rest_of_the_configuration(void **state)
{
    (void)state;
    io_test_write_file(config, "[backend]\nurl = http://a\nsession_id = x\ntoken = secretsecret\n",
                       0640);
    static const char *const elsewhere[] = {"url = auto\n", "url = http://b\n"};
    for (size_t i = 0; i < 2; i++) {
        io_test_write_file(file, elsewhere[i], 0755);
        assert_int_equal(boot_file_take(boot, config), BOOT_FILE_REFUSED);
        assert_non_null(strstr(content(errors), "a token or password that is for another address"));
    }
    io_test_write_file(file, "url = http://a\nname = Bath\n", 0755);
    assert_int_equal(boot_file_take(boot, config), BOOT_FILE_TAKEN);
    io_test_write_file(config, "[backend]\nurl = http://a\n", 0640);
    io_test_write_file(file, "url = http://[b\n", 0755);
    assert_int_equal(boot_file_take(boot, config), BOOT_FILE_REFUSED);
    assert_non_null(strstr(content(errors), "url cannot be used"));
    /* Nobody knows whether one that cannot be read holds a token. */
    io_test_write_file(config, "[nonsense]\na = b\n", 0640);
    io_test_write_file(file, "name = Kitchen\n", 0755);
    assert_int_equal(boot_file_take(boot, config), BOOT_FILE_REFUSED);
    assert_non_null(strstr(content(errors), "tuttid.conf:2: there is no section [nonsense]"));
}

/* Wherever it was cut off, the next run ends at the same. */
static void a_run_that_was_cut_off_is_made_up_for(void **state)
{
    (void)state;
    char temporary[140];
    snprintf(temporary, sizeof temporary, "%s.new", drop_in);
    io_test_write_file(file, "name = Kitchen\nvolume = 30\n", 0755);
    *strrchr(temporary, '/') = '\0';
    assert_int_equal(mkdir(temporary, 0755), 0);
    temporary[strlen(temporary)] = '/';
    io_test_write_file(temporary, "[backend]\nna", 0600); /* in the middle of writing */
    assert_int_equal(boot_file_take(boot, config), BOOT_FILE_TAKEN);
    expect_config("Kitchen", 30);
    assert_false(exists(temporary));
    assert_int_equal(rename(done, file), 0); /* before it was renamed */
    assert_int_equal(boot_file_take(boot, config), BOOT_FILE_TAKEN);
    expect_config("Kitchen", 30);
    assert_true(exists(done) && !exists(file));
}

static void what_cannot_be_written_stays_where_it_is(void **state)
{
    (void)state;
    char drop_in_dir[120];
    io_test_write_file(file, "name = Kitchen\n", 0755);
    snprintf(drop_in_dir, sizeof drop_in_dir, "%s.d", config);
    io_test_write_file(drop_in_dir, "a file in its place", 0644);
    assert_int_equal(boot_file_take(boot, config), BOOT_FILE_REFUSED);
    assert_string_equal(content(file), "name = Kitchen\n");
    assert_non_null(strstr(content(errors), "50-boot.conf: Not a directory"));
    unlink(drop_in_dir);
    /* What cannot be renamed is taken over all the same. */
    assert_int_equal(mkdir(done, 0755), 0);
    assert_int_equal(boot_file_take(boot, config), BOOT_FILE_TAKEN);
    expect_config("Kitchen", 60);
}

static void what_somebody_has_added_to_it_is_not_lost(void **state)
{
    (void)state;
    io_test_write_file(file, "name = Kitchen\n", 0755);
    assert_int_equal(boot_file_take(boot, config), BOOT_FILE_TAKEN);
    const char *own = "[audio]\nchannels = left\n";
    io_test_write_file(drop_in, own, 0640);
    io_test_write_file(file, "name = Bath\n", 0755);
    assert_int_equal(boot_file_take(boot, config), BOOT_FILE_REFUSED);
    assert_string_equal(content(drop_in), own);
    assert_non_null(strstr(content(errors), "50-boot.conf: line 2: there is no such key here"));
}

static void anything_else_in_its_place_is_refused(void **state)
{
    (void)state;
    char *large = malloc(20000);
    assert_non_null(large);
    memset(large, '#', 19999);
    large[19999] = '\0';
    io_test_write_file(file, large, 0755);
    free(large);
    assert_int_equal(boot_file_take(boot, config), BOOT_FILE_REFUSED);
    assert_non_null(strstr(content(errors), "tutti.conf: File too large"));
    unlink(file);
    assert_int_equal(symlink(config, file), 0);
    assert_int_equal(boot_file_take(boot, config), BOOT_FILE_REFUSED);
    unlink(file);
    assert_int_equal(mkfifo(file, 0644), 0); /* nobody writes to it */
    assert_int_equal(boot_file_take(boot, config), BOOT_FILE_REFUSED);
    unlink(file);
    assert_int_equal(mkdir(file, 0755), 0);
    assert_int_equal(boot_file_take(boot, config), BOOT_FILE_REFUSED);
    assert_false(exists(drop_in));
}

static void a_thousand_mistakes_are_twenty_lines(void **state)
{
    (void)state;
    char text[8001];
    for (size_t i = 0; i < 1000; i++)
        memcpy(text + 8 * i, "x = y\n\n\n", 9);
    io_test_write_file(file, text, 0755);
    assert_int_equal(boot_file_take(boot, config), BOOT_FILE_REFUSED);
    const char *said = content(errors);
    assert_non_null(strstr(said, "... and 980 more\r\nNothing was taken over."));
}

#define EACH(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        EACH(is_taken_once),
        EACH(an_editors_txt_is_meant_too),
        EACH(of_a_wrong_one_nothing_is_taken),
        EACH(it_has_to_go_with_the_rest_of_the_configuration),
        EACH(a_run_that_was_cut_off_is_made_up_for),
        EACH(what_cannot_be_written_stays_where_it_is),
        EACH(what_somebody_has_added_to_it_is_not_lost),
        EACH(anything_else_in_its_place_is_refused),
        EACH(a_thousand_mistakes_are_twenty_lines),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
