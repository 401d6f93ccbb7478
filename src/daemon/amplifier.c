/*
 * amplifier.c: when to run which hook.
 *
 * Music does not wait for on_play: it enters on the timeline, as everywhere else in the house.
 * From the opening of the device to the first sound there are some 60 ms, from a pause 30.
 */
#include "tutti/daemon/amplifier.h"

#include "tutti/io/hooks.h"
#include "tutti/io/loop.h"
#include "tutti/playback/player.h"

#include <stdlib.h>

struct amplifier {
    struct loop *loop;
    struct hooks *hooks;
    const char *on_play;
    const char *on_stop;
    bool on;
};

struct amplifier *amplifier_create(struct loop *loop, const char *on_play, const char *on_stop,
                                   int64_t timeout_ns)
{
    struct amplifier *amplifier = calloc(1, sizeof *amplifier);
    if (!amplifier)
        return NULL;
    *amplifier = (struct amplifier){.loop = loop, .on_play = on_play, .on_stop = on_stop};
    amplifier->hooks = hooks_create(loop, timeout_ns);
    if (amplifier->hooks)
        return amplifier;
    free(amplifier);
    return NULL;
}

void amplifier_destroy(struct amplifier *amplifier)
{
    if (!amplifier)
        return;
    hooks_destroy(amplifier->hooks);
    free(amplifier);
}

static bool sounds_soon(const struct player_status *player)
{
    bool open = player->output.state != OUTPUT_CLOSED;
    return open && (player->cueing || player->state == TRANSPORT_LOADING ||
                    player->state == TRANSPORT_ARMED || player->state == TRANSPORT_PLAYING ||
                    player->state == TRANSPORT_RECOVERING);
}

void amplifier_follow(struct amplifier *amplifier, const struct player_status *player)
{
    bool on = amplifier->on ? player->output.wanted : sounds_soon(player);
    if (on == amplifier->on)
        return;
    amplifier->on = on;
    hooks_run(amplifier->hooks, on ? "on_play" : "on_stop",
              on ? amplifier->on_play : amplifier->on_stop);
}

bool amplifier_is_switching(const struct amplifier *amplifier)
{
    return !hooks_idle(amplifier->hooks);
}

static void stop_loop(void *user)
{
    loop_stop(user);
}

void amplifier_finish(struct amplifier *amplifier)
{
    if (amplifier->on)
        hooks_run(amplifier->hooks, "on_stop", amplifier->on_stop);
    amplifier->on = false;
    if (hooks_idle(amplifier->hooks))
        return;
    hooks_when_idle(amplifier->hooks, stop_loop, amplifier->loop);
    loop_run(amplifier->loop);
}
