/*
 * reload.c: the configuration, read again while the music plays.
 *
 * What can be taken over is, and the sound goes on; each option that cannot gets a line. A
 * configuration with an error changes nothing.
 */
#include "daemon_internal.h"
#include "finder.h"
#include "tutti/base/log.h"
#include "tutti/core/speaker_name.h"
#include "tutti/io/device_key.h"
#include "tutti/io/settings_file.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void daemon_name_speaker(const struct daemon *daemon, struct settings *settings)
{
    char host[sizeof settings->backend.name] = "", id[DEVICE_ID_MAX] = "";
    if (settings->backend.name[0])
        return;
    gethostname(host, sizeof host - 1);
    if (!daemon->state.device_secret[0] || !device_key_id(daemon->state.device_secret, id))
        id[0] = '\0';
    speaker_name(host, id, settings->backend.name, sizeof settings->backend.name);
}

/* Another card, and what is remembered of it. */
static void switch_device(struct daemon *daemon, struct mono_time now)
{
    const char *device = daemon->settings->audio.device;
    log_info("reload: going on with the sound device %s", device);
    daemon_take_device(daemon);
    player_set_device(daemon->player, device, daemon_device(daemon)->rate_ppm, now);
    player_set_latency(daemon->player, ms_to_ns(daemon->latency_ms));
    volume_follow(daemon->volume_setter, false, -1); /* its mixer is another one, too */
}

static void take_audio(struct daemon *daemon, const struct settings *fresh, struct mono_time now)
{
    struct settings *settings = daemon->settings;
    bool new_device = strcmp(fresh->audio.device, settings->audio.device) != 0;
    bool new_latency = fresh->audio.latency_ms != settings->audio.latency_ms;
    bool new_volume = fresh->audio.volume != settings->audio.volume;
    settings->audio.latency_ms = fresh->audio.latency_ms;
    settings->audio.volume = fresh->audio.volume;
    settings->audio.max_volume = fresh->audio.max_volume;
    settings->audio.replaygain = fresh->audio.replaygain;
    daemon_level_tracks(daemon); /* from the next track on */
    memcpy(settings->audio.device, fresh->audio.device, sizeof settings->audio.device);
    if (new_device)
        switch_device(daemon, now);
    if (new_latency)
        daemon_set_latency(daemon, settings->audio.latency_ms);
    daemon_set_volume(daemon, new_volume ? (double)settings->audio.volume : daemon->volume,
                      daemon->muted, now);
}

static void take_over(struct daemon *daemon, const struct settings *fresh, struct mono_time now)
{
    struct settings *settings = daemon->settings;
    settings->log.level = fresh->log.level;
    settings->backend.auto_advance = fresh->backend.auto_advance;
    settings->backend.repeat = fresh->backend.repeat;
    settings->sync = fresh->sync;
    settings->control.remote = fresh->control.remote;
    log_set_level((enum log_level)settings->log.level);
    player_set_drift(daemon->player, &(struct drift_config){settings->sync.seek_threshold_ms * 1e-3,
                                                            settings->sync.max_slew_ppm});
    take_audio(daemon, fresh, now);
    daemon_tick(daemon, now);
}

static void say_restart(void *user, const struct option_spec *spec)
{
    (void)user;
    log_warn("reload: [%s] %s has changed; it takes a restart", spec->section, spec->key);
}

void daemon_reload(struct daemon *daemon)
{
    char error[SETTINGS_FILE_ERROR_MAX];
    struct settings *fresh = malloc(sizeof *fresh);
    if (!fresh)
        return;
    if (settings_file_load(fresh, daemon->config_path, error)) {
        daemon_name_speaker(daemon, fresh);
        if (finder_is_auto(fresh->backend.url) && daemon->automatic) /* where it is is no setting */
            memcpy(fresh->backend.url, daemon->settings->backend.url, sizeof fresh->backend.url);
        settings_list_restart(daemon->settings, fresh, say_restart, NULL);
        take_over(daemon, fresh, loop_now(daemon->loop));
        log_info("reloaded %s", daemon->config_path);
    } else {
        log_error("reload: %s; going on as before", error);
    }
    explicit_bzero(fresh, sizeof *fresh);
    free(fresh);
}
