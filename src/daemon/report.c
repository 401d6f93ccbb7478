/*
 * report.c: what this speaker says of itself to a hub: at once when it has changed, and once a second
 * while it plays.
 */
#include "daemon_internal.h"
#include "tutti/io/speaker_key.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static const int64_t PLAYING_NS = NS_PER_S;

void daemon_report_init(struct daemon *daemon)
{
    struct report *report = &daemon->report;
    if (!speaker_key(daemon->settings->paths.state_dir, report->key))
        report->key[0] = '\0';
}

void daemon_report_anew(struct daemon *daemon)
{
    daemon->report.told.version = NULL;
    loop_timer_set_in(daemon->tick, 0);
}

/* As [control] remote has them. */
static const char *const remote_words[] = {
    [SETTINGS_REMOTE_ALL] = "all",
    [SETTINGS_REMOTE_VOLUME] = "volume",
    [SETTINGS_REMOTE_NONE] = "none",
};

static void describe(const struct daemon *daemon, const struct player_status *player,
                     struct speaker_report *ret)
{
    memset(ret, 0, sizeof *ret); /* it is compared as it lies in memory */
    bool is_fixed = strcmp(volume_setter(daemon->volume_setter), "none") == 0;
    ret->volume = is_fixed ? NAN : daemon->volume;
    ret->latency_ms = daemon->latency_ms;
    ret->muted = daemon->muted;
    ret->clicks = player->clicking;
    snprintf(ret->name, sizeof ret->name, "%s", daemon->settings->backend.name);
    snprintf(ret->device, sizeof ret->device, "%s", transport_name(player->state));
    snprintf(ret->device_error, sizeof ret->device_error, "%s", player->output.error);
    ret->remote = remote_words[daemon->settings->control.remote];
    snprintf(ret->command_id, sizeof ret->command_id, "%s", daemon->report.command_id);
    snprintf(ret->command_refusal, sizeof ret->command_refusal, "%s",
             daemon->report.command_refusal);
}

const struct speaker_report *daemon_report(struct daemon *daemon,
                                           const struct player_status *player, struct mono_time now)
{
    struct report *report = &daemon->report;
    if (!report->key[0])
        return NULL;
    describe(daemon, player, &report->told);
    snprintf(report->told.device_key, sizeof report->told.device_key, "%s", report->key);
    report->told.version = TUTTI_VERSION;
    report->told_at = now;
    return &report->told;
}

void daemon_report_look(struct daemon *daemon, const struct player_status *player,
                        struct mono_time now)
{
    struct report *report = &daemon->report;
    struct speaker_report current;
    if (!report->key[0] || !daemon->session->has_settings || !daemon->link) /* leaving */
        return;
    describe(daemon, player, &current);
    memcpy(current.device_key, report->told.device_key, sizeof current.device_key);
    current.version = TUTTI_VERSION;
    bool changed = memcmp(&current, &report->told, sizeof current) != 0;
    bool due = player->state == TRANSPORT_PLAYING && mono_sub(now, report->told_at) >= PLAYING_NS;
    if (changed || due)
        link_report(daemon->link);
}
