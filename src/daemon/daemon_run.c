/*
 * daemon_run.c: the daemon's life: set-up, timers, reload, goodbye.
 */
#include "daemon_internal.h"
#include "finder.h"
#include "json_pool.h"
#include "tutti/base/log.h"
#include "tutti/daemon/daemon.h"
#include "tutti/io/background.h"
#include "tutti/io/device_events.h"
#include "tutti/io/device_key.h"
#include "tutti/io/lean.h"
#include "tutti/io/metrics_server.h"
#include "tutti/io/mono_clock.h"
#include "tutti/io/notify.h"

#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

static const int64_t SLOW_NS = 10 * NS_PER_S;
static const int64_t CONNECT_TIMEOUT_NS = 5 * NS_PER_S;
/* A goodbye may take so long; a backend that does not answer does not hold us up. */
static const int64_t GOODBYE_NS = 300 * NS_PER_MS;
/* So may a share or a device that somebody asked about; what is not known by then is not told. */
static const int64_t LEAVE_NS = 500 * NS_PER_MS;

/* --- timers -------------------------------------------------------------------------------- */

static void tick_fired(void *user, struct mono_time now)
{
    struct daemon *daemon = user;
    daemon_tick(daemon, now);
}

static void observe_wall(struct daemon *daemon)
{
    struct wall_time wall;
    struct mono_time at;
    int64_t error_ns = 0;
    int64_t half_ns = wall_clock_pair(&wall, &at);
    bool disciplined = wall_clock_disciplined(&error_ns);
    server_clock_add_wall(&daemon->clock, at, wall, half_ns, disciplined, error_ns);
}

static void remember_card(struct daemon *daemon, struct mono_time now)
{
    struct output_status output = player_get_status(daemon->player, now).output;
    if (output.steady_s < 30)
        return;
    struct session_device *device = daemon_device(daemon);
    bool same = fabs(device->rate_ppm - output.rate_error_ppm) < 1; /* not if it is unknown */
    device->rate_ppm = output.rate_error_ppm;
    if (!same)
        daemon_keep_state(daemon);
}

/* With one of the player's ticks, most likely. */
static void set_slow(struct daemon *daemon, struct mono_time now)
{
    int64_t watchdog_ns = notify_watchdog_interval_ns();
    int64_t every_ns = watchdog_ns > 0 && watchdog_ns < SLOW_NS ? watchdog_ns : SLOW_NS;
    loop_timer_set_between(daemon->slow, mono_add(now, every_ns * 7 / 8), mono_add(now, every_ns));
}

static void slow_fired(void *user, struct mono_time now)
{
    struct daemon *daemon = user;
    char line[256];
    observe_wall(daemon);
    remember_card(daemon, now);
    daemon_group_look(daemon, now);
    status_line(daemon, line, sizeof line, now);
    notify_status(line);
    notify_alive();
    set_slow(daemon, now);
}

/* --- signals and stop ---------------------------------------------------------------------- */

/* A card has come or gone: one that is waited for is tried now. */
static void on_devices(void *user)
{
    struct daemon *daemon = user;
    player_device_changed(daemon->player);
    daemon_tick(daemon, loop_now(daemon->loop));
}

static void on_signal(void *user, int signal)
{
    struct daemon *daemon = user;
    if (signal != SIGHUP)
        loop_stop(daemon->loop);
    if (signal != SIGHUP || daemon->stopping)
        return;
    notify_reloading();
    daemon_reload(daemon);
    notify_ready();
}

static void stop_loop(void *user, struct mono_time now)
{
    (void)now;
    loop_stop(user);
}

/* The socket is closed properly, which costs one round trip; then everything goes. */
static void say_goodbye(struct daemon *daemon)
{
    struct loop_timer *limit = loop_timer_create(daemon->loop, stop_loop, daemon->loop);
    bool live = link_is_live(daemon->link);
    link_destroy(daemon->link);
    daemon->link = NULL;
    if (limit && live) {
        loop_timer_set_in(limit, GOODBYE_NS);
        loop_run(daemon->loop);
    }
    loop_timer_destroy(limit);
}

/* --- set-up -------------------------------------------------------------------------------- */

static struct mono_time local_now(void *clock)
{
    (void)clock;
    return mono_clock_now();
}

static struct player *create_player(struct daemon *daemon)
{
    const struct settings *settings = daemon->settings;
    return player_create(&(struct player_config){
        .output = {.sink = {.device = settings->audio.device,
                            .preferred_rate_hz = 48000,
                            .fixed_rate_hz = (unsigned)settings->audio.rate_hz,
                            .buffer_ns = settings->audio.buffer_ms * NS_PER_MS,
                            .channels = (enum sink_channel_mode)settings->audio.channels,
                            .null_ppm = settings->audio.null_ppm,
                            .now = local_now,
                            .clock_id = mono_clock_id()},
                   .latency_ns = ms_to_ns(daemon->latency_ms),
                   .remembered_ppm = daemon_device(daemon)->rate_ppm},
        .drift = {settings->sync.seek_threshold_ms * 1e-3, settings->sync.max_slew_ppm},
        .quality = (enum resampler_quality)settings->audio.quality,
        .idle_release_ns = s_to_ns(settings->audio.idle_release_s),
        .clock = &daemon->clock,
    });
}

static bool read_token(struct daemon *daemon)
{
    const struct settings *settings = daemon->settings;
    snprintf(daemon->token, sizeof daemon->token, "%s", settings->backend.token);
    if (settings->backend.token_file[0] &&
        !session_file_read_secret(settings->backend.token_file, daemon->token,
                                  sizeof daemon->token))
        return false;
    log_add_secret(daemon->token);
    log_add_secret(settings->backend.house_password);
    return true;
}

/* Who it is: without random numbers, only to itself. */
static void take_secret(struct daemon *daemon)
{
    char *secret = daemon->state.device_secret;
    daemon->unsaved = !secret[0];
    if (!secret[0] && !device_key_new(secret))
        secret[0] = '\0';
    log_add_secret(secret);
}

static bool load_state(struct daemon *daemon)
{
    if (!session_file_load(daemon->settings->paths.state_dir, &daemon->state))
        return false;
    log_add_secret(daemon->state.token);
    take_secret(daemon);
    daemon_name_speaker(daemon, daemon->settings);
    if (strcmp(daemon->settings->audio.device, "auto") == 0)
        session_state_inherit(&daemon->state, "auto", "default");
    daemon_take_device(daemon);
    return true;
}

static bool create_threads(struct daemon *daemon)
{
    daemon->background = background_create(daemon->loop);
    daemon->files = background_create(daemon->loop);
    daemon->devices = background_create(daemon->loop);
    daemon->reader = background_create(daemon->loop);
    daemon->own_tags = own_tags_create(daemon->loop, daemon_know_tags, daemon);
    if (!daemon->background || !daemon->files || !daemon->devices || !daemon->reader ||
        !daemon->own_tags)
        return false;
    background_set_patience(daemon->files, LEAVE_NS);
    background_set_patience(daemon->devices, LEAVE_NS);
    background_set_patience(daemon->reader, LEAVE_NS);
    daemon->saver = session_saver_create(daemon->background, daemon->settings->paths.state_dir);
    return daemon->saver != NULL;
}

static bool set_up(struct daemon *daemon)
{
    static const struct control_socket_handlers control_handlers = {control_take_line,
                                                                    control_client_gone};
    const struct settings *settings = daemon->settings;
    const char *ca_file = settings->backend.ca_file[0] ? settings->backend.ca_file : NULL;
    bool disk = settings->paths.cache_mode == SETTINGS_CACHE_DISK;

    server_clock_init(&daemon->clock, ms_to_ns(settings->sync.seek_threshold_ms));
    daemon->loop = loop_create(ca_file);
    if (!session_init(&daemon->replica) || !daemon->loop || !events_init(daemon) ||
        loop_watch_signals(daemon->loop, on_signal, daemon) < 0)
        return false;
    if (!create_threads(daemon))
        return false;
    daemon->control = control_socket_create(daemon->loop, settings->control.socket,
                                            settings->control.group, &control_handlers, daemon);
    if (!daemon->control)
        return false;
    daemon->http = http_create(daemon->loop, &(struct http_config){ca_file, CONNECT_TIMEOUT_NS});
    daemon_report_init(daemon);
    daemon->tick = loop_timer_create(daemon->loop, tick_fired, daemon);
    daemon->slow = loop_timer_create(daemon->loop, slow_fired, daemon);
    daemon->player = create_player(daemon);
    daemon->volume_setter = volume_create(settings->audio.mixer, settings->audio.mixer_device);
    daemon->amplifier =
        amplifier_create(daemon->loop, settings->audio.on_play, settings->audio.on_stop,
                         s_to_ns(settings->audio.hook_timeout_s));
    if (!daemon->http || !daemon->tick || !daemon->slow || !daemon->player ||
        !daemon->volume_setter || !daemon->amplifier)
        return false;
    daemon->library = library_create(
        daemon->loop, daemon->http,
        &(struct library_config){daemon->background, disk ? settings->paths.cache_dir : NULL,
                                 settings->paths.cache_max_mb * 1024 * 1024,
                                 settings->paths.track_max_mb * 1024 * 1024},
        &daemon_library_handlers, daemon);
    if (!daemon->library)
        return false;
    /* Without the kernel's word, a device that was plugged in is found a second later. */
    daemon->device_events = device_events_create(daemon->loop, on_devices, daemon);
    if (!daemon_group_create(daemon))
        return false;
    daemon->finder = finder_create(daemon);
    daemon->link =
        link_create(daemon->loop, daemon->http,
                    &(struct link_config){settings, &daemon->state, &daemon->clock,
                                          daemon->token[0] ? daemon->token : NULL, &daemon->replica,
                                          daemon->files, daemon->reader},
                    &daemon_link_handlers, daemon);
    if (settings->metrics.listen[0])
        daemon->metrics =
            metrics_server_create(daemon->loop, settings->metrics.listen, metrics_text, daemon);
    if (daemon->link)
        finder_follow(daemon->finder, loop_now(daemon->loop));
    if (daemon->unsaved)
        daemon_keep_state(daemon);
    return daemon->link != NULL;
}

/* The amplifier goes off after the last sound, and before the loop that its command needs. */
void daemon_destroy(struct daemon *daemon)
{
    daemon->stopping = true;
    /* From here on there is no link to tell of. */
    control_socket_destroy(daemon->control);
    daemon->control = NULL;
    loop_timer_destroy(daemon->slow);
    events_finish(daemon);
    daemon_group_destroy(daemon);
    control_rooms_finish(daemon);
    finder_destroy(daemon->finder);
    daemon->finder = NULL;
    if (daemon->link)
        say_goodbye(daemon);
    library_destroy(daemon->library);
    device_events_destroy(daemon->device_events);
    loop_timer_destroy(daemon->tick);
    player_destroy(daemon->player);
    volume_destroy(daemon->volume_setter);
    if (daemon->amplifier)
        amplifier_finish(daemon->amplifier);
    amplifier_destroy(daemon->amplifier);
    http_destroy(daemon->http);
    session_saver_destroy(daemon->saver);
    own_tags_destroy(daemon->own_tags);
    background_destroy(daemon->files);
    background_destroy(daemon->devices);
    background_destroy(daemon->reader);
    background_destroy(daemon->background);
    control_forget_all(daemon);
    loop_destroy(daemon->loop);
    metrics_server_destroy(daemon->metrics);
    session_finish(&daemon->replica);
    free(daemon);
}

struct daemon *daemon_create(struct settings *settings, const char *config_path)
{
    struct daemon *daemon = calloc(1, sizeof *daemon);
    if (!daemon)
        return NULL;
    daemon->settings = settings;
    daemon->config_path = config_path;
    daemon->session = &daemon->replica;
    daemon->automatic = finder_is_auto(settings->backend.url);
    lean_start(strncasecmp(settings->backend.url, "https:", 6) == 0);
    json_pool_start();
    log_set_level((enum log_level)settings->log.level);
    if (load_state(daemon) && read_token(daemon) && set_up(daemon))
        return daemon;
    daemon_destroy(daemon);
    return NULL;
}

enum daemon_exit daemon_run(struct settings *settings, const char *config_path)
{
    struct daemon *daemon = daemon_create(settings, config_path);
    if (!daemon)
        return DAEMON_EXIT_FAILED;
    daemon_set_volume(daemon, daemon->volume, daemon->muted, mono_clock_now());
    slow_fired(daemon, mono_clock_now());
    loop_timer_set_in(daemon->tick, 0);
    notify_ready();
    loop_run(daemon->loop);
    notify_stopping();
    log_info("stopping");
    daemon_destroy(daemon);
    return DAEMON_EXIT_OK;
}
