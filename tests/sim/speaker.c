/*
 * speaker.c: what is around the player: its loop, its card, its network.
 */
#include "speaker.h"

#include "../unit/cmocka_all.h"
#include "tone.h"
#include "tutti/base/log.h"

#include <math.h>

#define SERVER_NS INT64_C(1700000000000000000)
/* It began hours before: a clock that is set back does not lead to before it. */
#define LONG_AGO_S 10000
#define BUFFER_NS (1500 * NS_PER_MS)
#define WALL_EVERY_S 10.0
/* A process that was to be woken comes a little late; and its round takes a while. */
#define WAKE_UP_S 40e-6
#define ROUND_S 20e-6
#define RENDER_S 0.25e-6
/* Sound that is fading is not judged. */
#define SOUNDS 0.05

struct mono_time sim_speaker_local(const struct sim_speaker *speaker, double t)
{
    return sim_local_time(&speaker->config.local, t);
}

struct server_time sim_speaker_server(const struct sim_speaker *speaker, double t)
{
    double off_s = speaker->config.server_off_s ? speaker->config.server_off_s(t) : 0;
    return (struct server_time){SERVER_NS + s_to_ns(t + off_s)};
}

double sim_speaker_true_s(const struct sim_speaker *speaker, struct mono_time local)
{
    double t = ns_to_s(local.ns) - 100;
    for (int i = 0; i < 4; i++)
        t += ns_to_s(mono_sub(local, sim_speaker_local(speaker, t)));
    return t;
}

struct timeline sim_speaker_usual_timeline(bool playing)
{
    return (struct timeline){playing, LONG_AGO_S, {SERVER_NS}};
}

struct player_status sim_speaker_status(const struct sim_speaker *speaker, double t)
{
    return player_get_status(speaker->player, sim_speaker_local(speaker, t));
}

static double remembered_ppm(const struct sim_speaker_config *config)
{
    double true_ppm = config->card.crystal.ppm - config->local.ppm; /* as its own clock sees it */
    double ppm = config->card_known ? true_ppm : config->remembered_ppm;
    return ppm != 0 ? ppm : NAN;
}

static void make_player(struct sim_speaker *speaker)
{
    const struct sim_speaker_config *config = &speaker->config;
    speaker->player = player_create(&(struct player_config){
        .output = {.sink = {.device = "simulated",
                            .preferred_rate_hz = 48000,
                            .buffer_ns = BUFFER_NS,
                            .now = sim_sound_card_clock,
                            .clock = &speaker->card,
                            .backend = &sim_sound_card_backend},
                   .latency_ns =
                       s_to_ns(sim_driver_latency_s(config->driver, config->card.rate_hz)),
                   .remembered_ppm = remembered_ppm(config)},
        .drift = {.jump_s = 0.2, .max_slew_ppm = 5000},
        .clock = &speaker->server,
        .voices = &sim_tone_backend,
    });
    assert_non_null(speaker->player);
}

static void begin(struct sim_speaker *speaker)
{
    const struct sim_speaker_config *config = &speaker->config;
    struct mono_time now = sim_speaker_local(speaker, config->starts_s);
    player_set_track(speaker->player, speaker->track, INT64_MAX, INT64_MAX, now);
    struct timeline timeline = sim_speaker_usual_timeline(!config->paused);
    speaker->told_right_s = config->first_error_s != 0 ? config->starts_s + 1 : INFINITY;
    timeline.position_s += config->first_error_s;
    sim_speaker_tell(speaker, config->starts_s, &timeline);
}

void sim_speaker_init(struct sim_speaker *speaker, const struct sim_speaker_config *config,
                      uint64_t seed)
{
    struct sim_speaker_config copy = *config; /* it may be this speaker's own */
    sim_speaker_end(speaker);
    struct sim_sound_card card = speaker->card;
    *speaker = (struct sim_speaker){.config = copy, .card = card};
    sim_random_init(&speaker->random, seed);
    sim_sound_card_init(&speaker->card,
                        &(struct sim_sound_card_config){
                            .model = copy.card,
                            .driver = copy.driver,
                            .local = copy.local,
                            .cannot_rewind = copy.cannot_rewind,
                            .late_look_share = copy.late_look_share,
                            .zero_delay_share = copy.zero_delay_share,
                            .stuck_share = copy.stuck_share,
                        },
                        &speaker->random);
    log_set_level(LOG_ERROR);
    server_clock_init(&speaker->server, 200 * NS_PER_MS);
    speaker->next_tick_s = INFINITY;
    speaker->told_right_s = INFINITY;
    speaker->next_wall_s = copy.starts_s;
    if (copy.silent)
        return;
    make_player(speaker);
    begin(speaker);
}

void sim_speaker_end(struct sim_speaker *speaker)
{
    player_destroy(speaker->player);
    speaker->player = NULL;
    sim_sound_card_end(&speaker->card);
}

void sim_speaker_wake(struct sim_speaker *speaker, double t)
{
    speaker->next_tick_s = fmin(speaker->next_tick_s, t);
}

void sim_speaker_tell(struct sim_speaker *speaker, double t, const struct timeline *timeline)
{
    speaker->timeline = *timeline;
    if (!speaker->player)
        return;
    speaker->card.now_s = fmax(speaker->card.now_s, t);
    player_set_timeline(speaker->player, timeline, sim_speaker_local(speaker, t));
    sim_speaker_wake(speaker, t);
}

static void probe(struct sim_speaker *speaker, double t)
{
    const struct sim_network *network = &speaker->config.network;
    double there = sim_delay(network, &speaker->random, false);
    double back = sim_delay(network, &speaker->random, true);
    server_clock_probe_sent(&speaker->server, sim_speaker_local(speaker, t));
    if (!speaker->config.echo || there < 0 || back < 0)
        return;
    /* It answers before the next probe is due on the networks modelled here, or is as good as
     * lost; handing it in at once keeps the simulation's order simple. */
    double server_s = t + there;
    server_clock_add_echo(&speaker->server, sim_speaker_local(speaker, t),
                          sim_speaker_local(speaker, server_s + 30e-6 + back),
                          sim_speaker_server(speaker, server_s),
                          sim_speaker_server(speaker, server_s + 30e-6));
}

static void show_wall(struct sim_speaker *speaker, double t)
{
    speaker->next_wall_s = t + WALL_EVERY_S;
    if (!speaker->config.wall_off_s)
        return;
    struct server_time wall = sim_speaker_server(speaker, t + speaker->config.wall_off_s(t));
    server_clock_add_wall(&speaker->server, sim_speaker_local(speaker, t),
                          (struct wall_time){wall.ns}, NS_PER_US, true, NS_PER_MS);
}

/* The rate's changes per second of what was rendered at it. */
static void note_rate(struct sim_speaker *speaker, const struct player_status *status)
{
    uint64_t frames = status->rendered_frames - speaker->rendered;
    if (frames == 0)
        return;
    double dt_s = (double)frames / speaker->config.card.rate_hz;
    double slope = fabs(status->rate_ppm - speaker->rate_ppm) / dt_s;
    speaker->rate_slope_max_ppm_per_s = fmax(speaker->rate_slope_max_ppm_per_s, slope);
    speaker->rate_max_ppm = fmax(speaker->rate_max_ppm, fabs(status->rate_ppm));
    speaker->rate_ppm = status->rate_ppm;
    speaker->rendered = status->rendered_frames;
}

static void tick(struct sim_speaker *speaker, double t)
{
    speaker->card.now_s = fmax(speaker->card.now_s, t);
    struct mono_time now = sim_speaker_local(speaker, t);
    uint64_t before = speaker->rendered;
    struct mono_time next = player_tick(speaker->player, now);
    struct player_status status = player_get_status(speaker->player, now);
    note_rate(speaker, &status);
    double over_s = speaker->card.now_s + ROUND_S + RENDER_S * (double)(speaker->rendered - before);
    double due_s = next.ns == INT64_MAX ? INFINITY : sim_speaker_true_s(speaker, next);
    double late_s = speaker->config.let_run_late_s + sim_exponential(&speaker->random, WAKE_UP_S);
    speaker->next_tick_s = fmax(due_s, over_s) + late_s;
}

static bool is_within(double t, double from_s, double to_s)
{
    return t >= from_s && t < to_s;
}

/* Connections come and go; a suspended process notices nothing, and then everything at once. */
static void keep_connected(struct sim_speaker *speaker, double t)
{
    const struct sim_speaker_config *config = &speaker->config;
    bool online = !is_within(t, config->offline_from_s, config->offline_to_s);
    if (online && !speaker->online)
        server_clock_connected(&speaker->server, sim_speaker_local(speaker, t));
    else if (!online && speaker->online)
        server_clock_disconnected(&speaker->server);
    speaker->online = online;
}

static double next_probe_s(const struct sim_speaker *speaker)
{
    struct mono_time at = server_clock_next_probe(&speaker->server);
    return at.ns == INT64_MAX ? INFINITY : sim_speaker_true_s(speaker, at) + 1e-9;
}

static void tell_right(struct sim_speaker *speaker, double t)
{
    struct timeline timeline = sim_speaker_usual_timeline(true);
    speaker->told_right_s = INFINITY;
    sim_speaker_tell(speaker, t, &timeline);
}

void sim_speaker_run(struct sim_speaker *speaker, double t)
{
    const struct sim_speaker_config *config = &speaker->config;
    for (;;) {
        double probe_s = next_probe_s(speaker);
        double own_s = fmin(fmin(speaker->next_tick_s, speaker->next_wall_s), probe_s);
        double next_s = fmin(own_s, speaker->told_right_s);
        double due_s = fmax(next_s, config->starts_s);
        if (is_within(due_s, config->suspended_from_s, config->suspended_to_s))
            due_s = config->suspended_to_s;
        if (due_s > t)
            return;
        keep_connected(speaker, due_s);
        if (next_s == speaker->told_right_s)
            tell_right(speaker, due_s);
        else if (next_s == speaker->next_wall_s)
            show_wall(speaker, due_s);
        else if (next_s == speaker->next_tick_s)
            tick(speaker, due_s);
        else if (speaker->online)
            probe(speaker, due_s);
    }
}

bool sim_speaker_error(const struct sim_speaker *speaker, double t, double *ret_error_s)
{
    double fraction;
    const float *frame = sim_sound_card_listen(&speaker->card, t, &fraction);
    if (!frame || sim_tone_level(frame) < SOUNDS)
        return false;
    double wanted_s = timeline_position_at(&speaker->timeline, sim_speaker_server(speaker, t));
    *ret_error_s =
        sim_tone_error_s(frame, speaker->track, wanted_s) + fraction / speaker->config.card.rate_hz;
    return true;
}

bool sim_speaker_clock_error(const struct sim_speaker *speaker, double t, double *ret_error_s)
{
    struct mono_time local = sim_speaker_local(speaker, t);
    if (!server_clock_estimate(&speaker->server, local).ready)
        return false;
    *ret_error_s = ns_to_s(
        server_sub(server_clock_at(&speaker->server, local), sim_speaker_server(speaker, t)));
    return true;
}
