/*
 * cues.c: the chime and the clicks that somebody asks of this speaker, here or over a hub. Done is what
 * is queued to be heard; what the sound device does not take in time has failed, in its words.
 */
#include "control_internal.h"

#include <stdio.h>
#include <string.h>

/* A hub gives a speaker two seconds for a sound (speakers.h). */
static const int64_t PATIENCE_NS = 1500 * NS_PER_MS;
/* An amplifier that is being switched on is waited for so long. */
static const int64_t AMPLIFIER_NS = NS_PER_S;
/* Time to go from room to room and step a latency; asked for again, it is as long again. */
static const int64_t CLICKS_NS = 60 * NS_PER_S;

static bool is_awaited(const struct cues *cues)
{
    return cues->command_id[0] || cues->waiting_count > 0;
}

const char *daemon_cue_refusal(const struct daemon *daemon, int clicks, struct mono_time now)
{
    if (clicks == 0)
        return NULL;
    if (daemon->muted)
        return "it is muted: nothing would be heard";
    if (daemon->volume <= 0 && strcmp(volume_setter(daemon->volume_setter), "none") != 0)
        return "its volume is 0: nothing would be heard";
    if (clicks > 0 && !server_clock_estimate(&daemon->clock, now).ready)
        return "it does not know the time of the session yet";
    return NULL;
}

void daemon_cue(struct daemon *daemon, int clicks, struct mono_time now)
{
    if (clicks < 0)
        player_chime(daemon->player);
    else if (clicks == 0)
        player_set_clicks(daemon->player, now, now);
    else
        player_set_clicks(daemon->player, mono_add(now, CLICKS_NS), now);
    if (!is_awaited(&daemon->cues)) /* who asks again has nobody wait for longer */
        daemon->cues.asked_at = now;
    events_note(daemon, EVENTS_STATUS);
    loop_timer_set_in(daemon->tick, 0);
}

/* --- how it ends --------------------------------------------------------------------------- */

static void answer(struct daemon *daemon, const struct asker *asker, struct mono_time now)
{
    bool clicking = player_get_status(daemon->player, now).clicking;
    control_answer(asker, "clicks", cJSON_CreateBool(clicking));
}

static void end(struct daemon *daemon, const char *refusal, struct mono_time now)
{
    struct cues *cues = &daemon->cues;
    if (cues->command_id[0])
        daemon_remote_ended(daemon, cues->command_id, refusal);
    cues->command_id[0] = '\0';
    for (; cues->waiting_count > 0; cues->waiting_count--) {
        struct asker asker = control_stop_waiting(cues->waiting[cues->waiting_count - 1]);
        if (refusal)
            control_fail(&asker, refusal);
        else
            answer(daemon, &asker, now);
    }
}

void daemon_cues_follow(struct daemon *daemon, const struct player_status *player,
                        struct mono_time now)
{
    int64_t waited_ns = mono_sub(now, daemon->cues.asked_at);
    player_hold_chime(daemon->player,
                      amplifier_is_switching(daemon->amplifier) && waited_ns < AMPLIFIER_NS);
    if (!is_awaited(&daemon->cues) || (player->cue_waits && waited_ns < PATIENCE_NS))
        return;
    if (!player->cue_waits) {
        end(daemon, NULL, now);
        return;
    }
    char refusal[PROTOCOL_REASON_MAX];
    const char *error = player->output.error;
    player_end_cues(daemon->player);
    snprintf(refusal, sizeof refusal, "its sound device: %.200s",
             error[0] ? error : "it takes no sound");
    end(daemon, refusal, now);
}

/* --- who asks ------------------------------------------------------------------------------ */

void daemon_cue_remotely(struct daemon *daemon, const struct command_message *command,
                         struct mono_time now)
{
    if (command->clicks >= 0)
        daemon_cue(daemon, command->clicks, now);
    if (command->identify)
        daemon_cue(daemon, -1, now);
    snprintf(daemon->cues.command_id, sizeof daemon->cues.command_id, "%s", command->id);
}

void control_cue(struct daemon *daemon, const struct asker *asker, int clicks, struct mono_time now)
{
    struct cues *cues = &daemon->cues;
    const char *refusal = daemon_cue_refusal(daemon, clicks, now);
    if (!refusal && cues->waiting_count == CUES_WAITING_MAX)
        refusal = "too many ask for it at once";
    if (refusal) {
        control_fail(asker, refusal);
        return;
    }
    struct waiting *waiting = control_wait(daemon, asker);
    if (!waiting)
        return;
    daemon_cue(daemon, clicks, now);
    cues->waiting[cues->waiting_count++] = waiting;
}
