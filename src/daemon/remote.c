/*
 * remote.c: what others in the session change of this speaker, over a hub: as far as [control] remote
 * lets them.
 */
#include "daemon_internal.h"
#include "tutti/base/log.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

const char *daemon_remote_refusal(const struct daemon *daemon,
                                  const struct command_message *command)
{
    int remote = daemon->settings->control.remote;
    if (remote == SETTINGS_REMOTE_NONE)
        return "it lets nobody else change it: [control] remote = none";
    if (remote == SETTINGS_REMOTE_VOLUME && !isnan(command->latency_ms))
        return "it lets others change its volume only: [control] remote = volume";
    if (!isnan(command->volume) && strcmp(volume_setter(daemon->volume_setter), "none") == 0)
        return "nobody sets its volume: [audio] mixer = none";
    return NULL;
}

void daemon_remote_ended(struct daemon *daemon, const char *command_id, const char *refusal)
{
    struct report *report = &daemon->report;
    log_debug("remote: somebody in the session changes this speaker: %s",
              refusal ? refusal : "done");
    snprintf(report->command_id, sizeof report->command_id, "%s", command_id);
    snprintf(report->command_refusal, sizeof report->command_refusal, "%s", refusal ? refusal : "");
    loop_timer_set_in(daemon->tick, 0); /* which reports it */
}
