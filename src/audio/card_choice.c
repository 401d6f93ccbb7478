/*
 * card_choice.c: see card_choice.h; pure.
 */
#include "card_choice.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

enum rank { RANK_ADDED, RANK_OWN_JACK, RANK_SCREEN };

/* Where a name of driver, card or stream says so: "vc4hdmi0", "HDA NVidia HDMI 0", "bcm2835 HDMI 1". */
static bool is_screen(const struct card_output *output)
{
    return strcasestr(output->card, "hdmi") || strcasestr(output->name, "hdmi") ||
           strcasestr(output->name, "displayport");
}

static enum rank rank_of(const struct card_output *output)
{
    if (is_screen(output))
        return RANK_SCREEN;
    return strcasestr(output->name, "bcm2835") ? RANK_OWN_JACK : RANK_ADDED;
}

static void name_device(const struct card_output *output, char device[CARD_DEVICE_MAX])
{
    snprintf(device, CARD_DEVICE_MAX, "hw:CARD=%s,DEV=%d", output->card, output->device);
}

/* Whether an output before this one stands for its card at this rank. */
static bool is_another_of_its_card(const struct card_output *outputs, size_t index, enum rank rank)
{
    for (size_t i = 0; i < index; i++)
        if (strcmp(outputs[i].card, outputs[index].card) == 0 && rank_of(&outputs[i]) == rank)
            return true;
    return false;
}

/* How many cards have this rank; the first one's device, and all of them in list: by what they are opened by, but
 * screens, which are opened in other ways, by their cards' names. */
static int count_rank(const struct card_output *outputs, size_t count, enum rank rank,
                      char device[CARD_DEVICE_MAX], char *list, size_t size)
{
    int cards = 0;
    size_t used = 0;
    list[0] = '\0';
    for (size_t i = 0; i < count; i++) {
        char name[CARD_DEVICE_MAX];
        if (rank_of(&outputs[i]) != rank || is_another_of_its_card(outputs, i, rank))
            continue;
        name_device(&outputs[i], name);
        if (cards++ == 0)
            strcpy(device, name);
        if (used < size)
            used += (size_t)snprintf(list + used, size - used, "%s%s", used ? ", " : "",
                                     rank == RANK_SCREEN ? outputs[i].card : name);
    }
    return cards;
}

int card_choose(const struct card_output *outputs, size_t count, char device[CARD_DEVICE_MAX],
                char *why, size_t size)
{
    char list[CARD_OUTPUTS_MAX * CARD_DEVICE_MAX], unused[CARD_DEVICE_MAX];
    for (enum rank rank = RANK_ADDED; rank <= RANK_OWN_JACK; rank++) {
        int cards = count_rank(outputs, count, rank, device, list, sizeof list);
        if (cards == 1)
            return 0;
        if (cards > 1) {
            snprintf(why, size, "which card? [audio] device = one of %s", list);
            return -ENODEV;
        }
    }
    int screens = count_rank(outputs, count, RANK_SCREEN, unused, list, sizeof list);
    if (screens > 0)
        snprintf(why, size, "no sound card but HDMI: %s; [audio] device takes that, too", list);
    else
        snprintf(why, size, "there is no sound card");
    return -ENODEV;
}
