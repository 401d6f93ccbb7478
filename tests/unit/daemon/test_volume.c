/*
 * test_volume.c: who sets the volume, with a virtual mixer that comes and goes.
 */
#include "../cmocka_all.h"
#include "tutti/base/log.h"
#include "tutti/daemon/volume.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char directory[] = "/tmp/tutti-volume-XXXXXX";
static char values_path[64], gone_path[72];

static int set_up_card(void **state)
{
    (void)state;
    char path[64];
    if (!mkdtemp(directory))
        return -1;
    snprintf(path, sizeof path, "%s/asound.conf", directory);
    snprintf(values_path, sizeof values_path, "%s/values", directory);
    snprintf(gone_path, sizeof gone_path, "%s.gone", values_path);
    FILE *file = fopen(path, "w");
    if (!file)
        return -1;
    fprintf(file,
            "ctl_type.tutti_vmixer { lib \"%s\" }\n"
            "ctl.kitchen { type tutti_vmixer values \"%s\" controls [ \"Master 0 20 -6000 300\" ] "
            "}\n",
            VMIXER_PLUGIN, values_path);
    fclose(file);
    log_set_level(LOG_ERROR);
    return setenv("ALSA_CONFIG_PATH", path, 1);
}

static int remove_card(void **state)
{
    (void)state;
    char command[64];
    snprintf(command, sizeof command, "rm -r '%s'", directory);
    return system(command) == 0 ? 0 : -1;
}

static long raw(void)
{
    long left = -1;
    FILE *file = fopen(values_path, "r");
    assert_non_null(file);
    assert_int_equal(fscanf(file, "%*s %ld", &left), 1);
    fclose(file);
    return left;
}

static void test_nobody_or_software(void **state)
{
    (void)state;
    struct volume *volume = volume_create("none", "kitchen");
    assert_true(volume_follow(volume, true, 0));
    assert_string_equal(volume_setter(volume), "none");
    assert_true(volume_set(volume, 30, false) == 1);
    assert_true(volume_set(volume, 30, true) == 0);
    volume_destroy(volume);
    volume = volume_create("software", "kitchen");
    assert_true(volume_follow(volume, true, 0));
    assert_false(volume_follow(volume, true, 0));
    assert_string_equal(volume_setter(volume), "software");
    assert_true(fabsf(volume_set(volume, 50, false) - 0.125f) < 1e-6f);
    volume_destroy(volume);
    volume_destroy(NULL);
}

static void test_the_card_where_there_is_one(void **state)
{
    (void)state;
    struct volume *volume = volume_create("auto", "kitchen");
    assert_true(fabsf(volume_set(volume, 50, false) - 0.125f) < 1e-6f); /* not open yet */
    assert_true(volume_follow(volume, true, -1));
    assert_string_equal(volume_setter(volume), "kitchen: Master");
    float rest = volume_set(volume, 50, false); /* -18.06 dB: -18 and a bit */
    assert_int_equal(raw(), 14);
    assert_true(fabsf(rest - 0.9931f) < 1e-3f);
    assert_true(volume_set(volume, 50, true) == 0);
    assert_int_equal(raw(), 14); /* muted by software only */
    assert_true(volume_follow(volume, false, -1));
    assert_string_equal(volume_setter(volume), "software");
    volume_destroy(volume);
}

static void test_a_card_that_goes_and_comes_back(void **state)
{
    (void)state;
    struct volume *volume = volume_create("kitchen:Master", "");
    assert_true(volume_follow(volume, true, -1));
    volume_set(volume, 80, false);
    fclose(fopen(gone_path, "w"));
    assert_true(fabsf(volume_set(volume, 50, false) - 0.125f) < 1e-6f);
    assert_string_equal(volume_setter(volume), "software");
    assert_true(volume_follow(volume, false, -1));
    assert_true(volume_follow(volume, true, -1)); /* back already, its mixer not */
    assert_true(fabsf(volume_set(volume, 50, false) - 0.125f) < 1e-6f);
    unlink(gone_path);
    assert_true(volume_follow(volume, false, -1));
    assert_true(volume_follow(volume, true, -1));
    assert_string_equal(volume_setter(volume), "kitchen: Master");
    assert_true(volume_set(volume, 50, false) > 0.9f);
    volume_destroy(volume);
}

static void test_without_a_mixer_software_does_it(void **state)
{
    (void)state;
    struct volume *volume = volume_create("auto", "");
    assert_true(volume_follow(volume, true, -1)); /* a device on no card */
    assert_string_equal(volume_setter(volume), "software");
    volume_destroy(volume);
    volume = volume_create("kitchen:Bass", "");
    assert_true(volume_follow(volume, true, -1));
    assert_string_equal(volume_setter(volume), "software");
    assert_true(fabsf(volume_set(volume, 50, false) - 0.125f) < 1e-6f);
    volume_destroy(volume);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nobody_or_software),
        cmocka_unit_test(test_the_card_where_there_is_one),
        cmocka_unit_test(test_a_card_that_goes_and_comes_back),
        cmocka_unit_test(test_without_a_mixer_software_does_it),
    };
    return cmocka_run_group_tests(tests, set_up_card, remove_card);
}
