/*
 * test_card_choice.c: the cards of boards and PCs, as their kernels name them.
 */
#include "../../../src/audio/card_choice.h"
#include "../cmocka_all.h"

#include <errno.h>
#include <string.h>

static const struct card_output hdmi0 = {"vc4hdmi0", 0, "vc4-hdmi vc4-hdmi-0 MAI PCM i2s-hifi-0"};
static const struct card_output hdmi1 = {"vc4hdmi1", 0, "vc4-hdmi vc4-hdmi-1 MAI PCM i2s-hifi-0"};
static const struct card_output old_hdmi = {"b1", 0, "bcm2835_hdmi bcm2835 HDMI 1 bcm2835 HDMI 1"};
static const struct card_output jack = {"Headphones", 0,
                                        "bcm2835_headpho bcm2835 Headphones bcm2835 Headphones"};
static const struct card_output hat = {
    "sndrpihifiberry", 0, "RPi-simple snd_rpi_hifiberry_dac HifiBerry DAC HiFi pcm5102a-hifi-0"};
static const struct card_output usb = {"Device", 0, "USB-Audio USB Audio Device USB Audio"};
static const struct card_output usb_second = {"Device", 1,
                                              "USB-Audio USB Audio Device USB Audio #1"};
static const struct card_output analog = {"PCH", 0, "HDA-Intel HDA Intel PCH ALC892 Analog"};
static const struct card_output pc_hdmi = {"PCH", 3, "HDA-Intel HDA Intel PCH HDMI 0"};

static struct card_output cards[8];
static char device[CARD_DEVICE_MAX], why[160];

static int choose(const struct card_output *const *of)
{
    size_t count = 0;
    for (; of[count]; count++)
        cards[count] = *of[count];
    why[0] = device[0] = '\0';
    return card_choose(cards, count, device, why, sizeof why);
}

#define CHOOSE(...) choose((const struct card_output *const[]){__VA_ARGS__, NULL})

static void takes_the_one_that_is_not_hdmi(void **state)
{
    (void)state;
    assert_int_equal(CHOOSE(&hdmi0, &hdmi1, &hat), 0);
    assert_string_equal(device, "hw:CARD=sndrpihifiberry,DEV=0");
    assert_int_equal(CHOOSE(&usb, &usb_second, &hdmi0), 0);
    assert_string_equal(device, "hw:CARD=Device,DEV=0");
    assert_int_equal(CHOOSE(&pc_hdmi, &analog), 0);
    assert_string_equal(device, "hw:CARD=PCH,DEV=0");
}

static void the_boards_own_jack_comes_last(void **state)
{
    (void)state;
    assert_int_equal(CHOOSE(&jack, &hdmi0, &hat), 0);
    assert_string_equal(device, "hw:CARD=sndrpihifiberry,DEV=0");
    assert_int_equal(CHOOSE(&old_hdmi, &jack), 0);
    assert_string_equal(device, "hw:CARD=Headphones,DEV=0");
}

static void between_several_it_takes_none_and_says_which(void **state)
{
    (void)state;
    assert_int_equal(CHOOSE(&hat, &jack, &usb, &usb_second, &hdmi0), -ENODEV);
    assert_string_equal(why, "which card? [audio] device = one of hw:CARD=sndrpihifiberry,DEV=0, "
                             "hw:CARD=Device,DEV=0");
}

static void says_what_there_is_instead(void **state)
{
    (void)state;
    assert_int_equal(CHOOSE(&hdmi0, &hdmi1), -ENODEV);
    assert_string_equal(why, "no sound card but HDMI: vc4hdmi0, vc4hdmi1; [audio] device takes "
                             "that, too");
    assert_int_equal(card_choose(cards, 0, device, why, sizeof why), -ENODEV);
    assert_string_equal(why, "there is no sound card");
}

/* However many there are: what is said is cut, and nothing is written beyond. */
static void many_long_names_fit(void **state)
{
    (void)state;
    struct card_output many[CARD_OUTPUTS_MAX];
    char small[20];
    for (int i = 0; i < CARD_OUTPUTS_MAX; i++) {
        many[i] = usb;
        memset(many[i].card, 'a' + i % 26, CARD_ID_MAX - 1);
        many[i].card[0] = (char)('A' + i / 26);
        many[i].device = 2147483647;
    }
    assert_int_equal(card_choose(many, CARD_OUTPUTS_MAX, device, small, sizeof small), -ENODEV);
    assert_int_equal(strlen(small), sizeof small - 1);
    assert_int_equal(card_choose(many, 1, device, why, sizeof why), 0);
    assert_string_equal(device, "hw:CARD=Aaaaaaaaaaaaaaa,DEV=2147483647");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(takes_the_one_that_is_not_hdmi),
        cmocka_unit_test(the_boards_own_jack_comes_last),
        cmocka_unit_test(between_several_it_takes_none_and_says_which),
        cmocka_unit_test(says_what_there_is_instead),
        cmocka_unit_test(many_long_names_fit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
