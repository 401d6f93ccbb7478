/*
 * device_values.c: the volume, mute and latency in force, which belong to a sound device: what was set
 * at run time, or else the configuration's.
 */
#include "daemon_internal.h"

#include <math.h>

void daemon_take_device(struct daemon *daemon)
{
    const struct session_device *device = daemon_device(daemon);
    const struct settings *settings = daemon->settings;
    /* What was set at run time holds until the file is edited. */
    bool set_later =
        !isnan(device->latency_ms) && device->latency_configured_ms == settings->audio.latency_ms;
    daemon->latency_ms = set_later ? device->latency_ms : settings->audio.latency_ms;
    daemon->volume = isnan(device->volume) ? (double)settings->audio.volume : device->volume;
    daemon->muted = device->muted;
}

void daemon_apply_volume(struct daemon *daemon, struct mono_time now)
{
    float gain = volume_set(daemon->volume_setter, daemon->volume, daemon->muted);
    player_set_gain(daemon->player, gain, now);
}

void daemon_set_volume(struct daemon *daemon, double percent, bool muted, struct mono_time now)
{
    daemon->volume = fmin(percent, (double)daemon->settings->audio.max_volume);
    daemon->muted = muted;
    daemon_device(daemon)->volume = daemon->volume;
    daemon_device(daemon)->muted = muted;
    daemon_apply_volume(daemon, now);
    events_note(daemon, EVENTS_STATUS);
    if (!daemon->link)
        return;
    daemon_keep_state(daemon);
    loop_timer_set_in(daemon->tick, 0); /* whoever follows this speaker is told */
}

void daemon_set_latency(struct daemon *daemon, double latency_ms)
{
    daemon->latency_ms = latency_ms;
    daemon_device(daemon)->latency_ms = latency_ms;
    daemon_device(daemon)->latency_configured_ms = daemon->settings->audio.latency_ms;
    player_set_latency(daemon->player, ms_to_ns(latency_ms));
    events_note(daemon, EVENTS_STATUS);
    daemon_keep_state(daemon);
    loop_timer_set_in(daemon->tick, 0);
}
