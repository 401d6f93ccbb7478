/*
 * test_mixer.c: the card's volume on virtual mixers of several kinds.
 */
#include "../cmocka_all.h"
#include "tutti/audio/gain.h"
#include "tutti/audio/mixer.h"

#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PATH_BYTES 256

static char directory[] = "/tmp/tutti-mixer-XXXXXX";

static void in_directory(char path[PATH_BYTES], const char *name, const char *kind)
{
    snprintf(path, PATH_BYTES, "%s/%s.%s", directory, name, kind);
}

static void write_card(FILE *file, const char *name, const char *controls)
{
    fprintf(file, "ctl.%s {\n type tutti_vmixer\n values \"%s/%s.values\"\n controls [ %s ]\n}\n",
            name, directory, name, controls);
}

static int set_up_cards(void **state)
{
    (void)state;
    char path[PATH_BYTES];
    if (!mkdtemp(directory))
        return -1;
    in_directory(path, "asound", "conf");
    FILE *file = fopen(path, "w");
    if (!file)
        return -1;
    fprintf(file, "ctl_type.tutti_vmixer { lib \"%s\" }\n", VMIXER_PLUGIN);
    write_card(file, "hat", "\"Analogue 0 1 -600 600\" \"Digital 0 207 -10350 50 mute\"");
    write_card(file, "board", "\"Headphone -10239 400 -10239 1\"");
    write_card(file, "coarse", "\"Master 0 20 -6000 300\"");
    write_card(file, "uneven", "\"PCM 0 100 -4997 60\"");
    write_card(file, "crude", "\"Speaker 0 8 -400 50\"");
    write_card(file, "around", "\"Speaker 0 16 -200 25\"");
    write_card(file, "bare", "\"PCM 0 50\"");
    write_card(file, "inputs", "\"Line 0 31 -3450 150\" \"Mic 0 31 -3450 150\"");
    write_card(file, "lonely", "\"Amp 0 31 -3100 100\"");
    fclose(file);
    return setenv("ALSA_CONFIG_PATH", path, 1);
}

static int remove_cards(void **state)
{
    (void)state;
    char command[PATH_BYTES];
    snprintf(command, sizeof command, "rm -r '%s'", directory);
    return system(command) == 0 ? 0 : -1;
}

/* What the card has for a control now. */
static long raw_of(const char *card, const char *control, long *ret_on)
{
    char path[PATH_BYTES], name[64];
    long left, right, on;
    in_directory(path, card, "values");
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    while (fscanf(file, "%63s %ld %ld %ld", name, &left, &right, &on) == 4)
        if (strcmp(name, control) == 0) {
            fclose(file);
            assert_int_equal(left, right);
            if (ret_on)
                *ret_on = on;
            return left;
        }
    fclose(file);
    fail_msg("%s has no %s", card, control);
    return 0;
}

static struct mixer *open_mixer(const char *control, const char *card)
{
    struct mixer *mixer = NULL;
    char error[MIXER_TEXT_MAX] = "";
    if (mixer_open(control, card, &mixer, error) < 0)
        fail_msg("%s", error);
    return mixer;
}

static float set(struct mixer *mixer, double percent)
{
    float rest = -1;
    assert_int_equal(mixer_set_volume(mixer, percent, &rest), 0);
    assert_true(rest >= 0 && rest <= 1);
    return rest;
}

static void test_finds_the_master(void **state)
{
    (void)state;
    struct mixer *mixer = open_mixer("auto", "hat");
    assert_string_equal(mixer_name(mixer), "hat: Digital");
    long on = 0;
    assert_int_equal(raw_of("hat", "Digital", &on), 0); /* still where it was, but let through */
    assert_int_equal(on, 1);
    mixer_close(mixer);
    mixer = open_mixer("auto", "lonely");
    assert_string_equal(mixer_name(mixer), "lonely: Amp");
    mixer_close(mixer);
    mixer = open_mixer("hat:Analogue", NULL);
    assert_string_equal(mixer_name(mixer), "hat: Analogue");
    mixer_close(mixer);
    mixer = open_mixer("hat:Analogue,0", "ignored");
    mixer_close(mixer);
    mixer_close(NULL);
}

static void check_refusal(const char *control, const char *card, int result, const char *why)
{
    struct mixer *mixer = NULL;
    char error[MIXER_TEXT_MAX] = "";
    assert_int_equal(mixer_open(control, card, &mixer, error), result);
    assert_null(mixer);
    if (!strstr(error, why))
        fail_msg("\"%s\" does not say \"%s\"", error, why);
}

static void test_refusals_say_why(void **state)
{
    (void)state;
    check_refusal("auto", "inputs", -ENOENT, "surely the master");
    check_refusal("hat:Volume", NULL, -ENOENT, "'Volume'");
    check_refusal("hat", NULL, -EINVAL, "CARD:CONTROL");
    struct mixer *mixer = NULL;
    char error[MIXER_TEXT_MAX] = "";
    assert_true(mixer_open("attic:PCM", NULL, &mixer, error) < 0);
    assert_non_null(strstr(error, "attic"));
}

/* Card and software together must make exactly what was asked for, and the card alone no less. */
static void check_scale(const char *card, const char *control, double min_cdb, double step_cdb,
                        long raw_first, double top_cdb)
{
    struct mixer *mixer = open_mixer("auto", card);
    for (double percent = 1; percent <= 100; percent += 0.5) {
        double rest = (double)set(mixer, percent);
        double cdb = min_cdb + step_cdb * (double)(raw_of(card, control, NULL) - raw_first);
        double wanted = 20 * log10((double)gain_of_volume(percent)) * 100 + top_cdb;
        double got = cdb + 20 * log10(rest) * 100;
        if (fabs(got - wanted) > 0.5)
            fail_msg("%s at %.1f %%: %.1f cdB instead of %.1f", card, percent, got, wanted);
        bool at_bottom = cdb < min_cdb + 2 * step_cdb;
        assert_true(at_bottom || rest > pow(10, -(step_cdb + 1) / 2000));
        assert_true(cdb <= top_cdb);
    }
    assert_true(set(mixer, 0) == 0);
    mixer_close(mixer);
}

static void test_levels_in_db(void **state)
{
    (void)state;
    check_scale("hat", "Digital", -10350, 50, 0, 0);
    check_scale("board", "Headphone", -10239, 1, -10239, 0); /* its 4 dB of excess are not used */
    check_scale("coarse", "Master", -6000, 300, 0, 0);
    check_scale("lonely", "Amp", -3100, 100, 0, 0);
    check_scale("uneven", "PCM", -4997, 60, 0, -17); /* no step is at 0 dB: the next is above */
}

static void check_raw(const char *card, const char *control, long max)
{
    struct mixer *mixer = open_mixer("auto", card);
    assert_true(set(mixer, 50) == 1);
    assert_int_equal(raw_of(card, control, NULL), max / 2);
    assert_true(set(mixer, 100) == 1);
    assert_int_equal(raw_of(card, control, NULL), max);
    assert_true(set(mixer, 0) == 0);
    assert_int_equal(raw_of(card, control, NULL), 0);
    mixer_close(mixer);
}

static void test_raw_steps_where_there_is_no_scale(void **state)
{
    (void)state;
    check_raw("crude", "Speaker", 8); /* 4 dB in all cannot be what a volume spans */
    check_raw("bare", "PCM", 50);
    check_raw("around", "Speaker", 8); /* of 2 dB around 0, what is above is left out */
}

static void test_a_card_that_goes_and_comes_back(void **state)
{
    (void)state;
    char path[PATH_BYTES];
    float rest;
    struct mixer *mixer = open_mixer("auto", "hat");
    set(mixer, 40);
    in_directory(path, "hat", "values.gone");
    fclose(fopen(path, "w"));
    assert_int_equal(mixer_set_volume(mixer, 50, &rest), -ENODEV);
    mixer_close(mixer);
    check_refusal("auto", "hat", -ENODEV, "hat");
    assert_int_equal(unlink(path), 0);
    mixer = open_mixer("auto", "hat");
    set(mixer, 50);
    assert_int_equal(raw_of("hat", "Digital", NULL), 207 - 36); /* -18.06 dB by steps of 0.5 */
    mixer_close(mixer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_finds_the_master),
        cmocka_unit_test(test_refusals_say_why),
        cmocka_unit_test(test_levels_in_db),
        cmocka_unit_test(test_raw_steps_where_there_is_no_scale),
        cmocka_unit_test(test_a_card_that_goes_and_comes_back),
    };
    return cmocka_run_group_tests(tests, set_up_cards, remove_cards);
}
