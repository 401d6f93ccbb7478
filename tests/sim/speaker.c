/*
 * speaker.c: the player's decisions of playback/player.c, without its device: looks, feed-forward,
 * error at the end of the queue, half a second written ahead.
 */
#include "speaker.h"

#include "tutti/base/units.h"
#include "tutti/core/golden_walk.h"

#include <math.h>

#define QUEUE_S 0.5
#define JOIN_LEAD_S 0.03
#define ACQUIRE_S 0.03
#define EAGER_S 3.0
#define UNSURE_S 10e-6
#define WALL_EVERY_S 10.0
#define WAKE_UP_S 40e-6

struct mono_time sim_speaker_local(const struct sim_speaker *speaker, double t)
{
    return (struct mono_time){s_to_ns(100 + sim_crystal_at(&speaker->config.local, t))};
}

struct server_time sim_speaker_server(const struct sim_speaker *speaker, double t)
{
    double off_s = speaker->config.server_off_s ? speaker->config.server_off_s(t) : 0;
    return (struct server_time){INT64_C(1700000000) * NS_PER_S + s_to_ns(t + off_s)};
}

double sim_speaker_true_s(const struct sim_speaker *speaker, struct mono_time local)
{
    double t = ns_to_s(local.ns) - 100;
    for (int i = 0; i < 4; i++)
        t += ns_to_s(mono_sub(local, sim_speaker_local(speaker, t)));
    return t;
}

static double track_position(struct server_time server)
{
    return ns_to_s(server.ns - INT64_C(1700000000) * NS_PER_S);
}

void sim_speaker_init(struct sim_speaker *speaker, const struct sim_speaker_config *config,
                      uint64_t seed)
{
    static const struct drift_config drift = {.jump_s = 0.2, .max_slew_ppm = 5000};
    *speaker = (struct sim_speaker){.config = *config};
    sim_random_init(&speaker->random, seed);
    server_clock_init(&speaker->server, 200 * NS_PER_MS);
    double true_ppm = config->card.crystal.ppm - config->local.ppm; /* as its own clock sees it */
    double ppm = config->card_known ? true_ppm : config->remembered_ppm;
    dac_clock_init(&speaker->dac, config->card.rate_hz, ppm,
                   ppm != 0 ? DAC_CLOCK_REMEMBERED_SIGMA_PPM : DAC_CLOCK_UNKNOWN_SIGMA_PPM);
    speaker->driver.kind = config->driver;
    stamp_pairing_init(&speaker->pairing);
    drift_init(&speaker->drift, &drift);
    playout_map_clear(&speaker->map);
    speaker->next_tick_s = config->silent ? INFINITY : config->starts_s;
    speaker->next_wall_s = config->starts_s;
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

/* When the position was taken, as sink_alsa has it. Without a stamp: at the end of an instant call.
 */
static struct mono_time time_of_look(struct sim_speaker *speaker, const struct sim_look *look,
                                     int64_t position)
{
    struct mono_time after = sim_speaker_local(speaker, look->after_s);
    if (isnan(look->stamp_s))
        return after;
    return stamp_pairing_choose(&speaker->pairing, sim_speaker_local(speaker, look->before_s),
                                after, sim_speaker_local(speaker, look->stamp_s), position);
}

static void look(struct sim_speaker *speaker, double t)
{
    const struct sim_speaker_config *config = &speaker->config;
    struct sim_look look = sim_driver_look(&speaker->driver, &config->card, t, &speaker->random);
    if (sim_uniform(&speaker->random, 0, 1) < config->stuck_share)
        look.position_frames = speaker->shown.position_frames;
    speaker->shown = look;
    bool forgets = sim_uniform(&speaker->random, 0, 1) < config->zero_delay_share;
    double shown = forgets && speaker->joined ? (double)speaker->written : look.position_frames;
    if (sim_uniform(&speaker->random, 0, 1) < config->late_look_share)
        look.after_s += sim_uniform(&speaker->random, 0, 250e-6);
    dac_clock_observe(&speaker->dac, time_of_look(speaker, &look, (int64_t)shown), (int64_t)shown);
}

static double wanted_at_frame(const struct sim_speaker *speaker, double frame)
{
    return track_position(
        server_clock_at(&speaker->server, dac_clock_time_of(&speaker->dac, frame)));
}

static double feed_forward(const struct sim_speaker *speaker)
{
    double frame = (double)speaker->written;
    double per_second = wanted_at_frame(speaker, frame + speaker->config.card.rate_hz) -
                        wanted_at_frame(speaker, frame);
    return factor_to_ppm(per_second);
}

static void join(struct sim_speaker *speaker, double t)
{
    speaker->written = (int64_t)ceil(
        dac_clock_frame_at(&speaker->dac, sim_speaker_local(speaker, t + JOIN_LEAD_S)));
    speaker->position_s =
        wanted_at_frame(speaker, (double)speaker->written) + speaker->config.first_error_s;
    speaker->config.first_error_s = 0;
    playout_map_clear(&speaker->map);
    drift_reset(&speaker->drift);
    speaker->rate_ppm = feed_forward(speaker);
    speaker->joined = true;
}

static void set_rate(struct sim_speaker *speaker, double ppm, double dt_s)
{
    double slope = fabs(ppm - speaker->rate_ppm) / dt_s;
    speaker->rate_slope_max_ppm_per_s = fmax(speaker->rate_slope_max_ppm_per_s, slope);
    speaker->rate_max_ppm = fmax(speaker->rate_max_ppm, fabs(ppm));
    speaker->rate_ppm = ppm;
}

static void fill(struct sim_speaker *speaker, double t)
{
    double rate_hz = speaker->config.card.rate_hz;
    if (dac_clock_frame_at(&speaker->dac, sim_speaker_local(speaker, t)) >
        (double)speaker->written) {
        speaker->underruns++;
        join(speaker, t);
    }
    int64_t end =
        (int64_t)dac_clock_frame_at(&speaker->dac, sim_speaker_local(speaker, t + QUEUE_S));
    int64_t frames = end - speaker->written;
    if (frames <= 0)
        return;
    double dt_s = (double)frames / rate_hz;
    double error_s = speaker->position_s - wanted_at_frame(speaker, (double)speaker->written);
    struct drift_quality quality = {dac_clock_window_s(&speaker->dac),
                                    dac_clock_sigma_s(&speaker->dac)};
    struct drift_decision decision =
        drift_step(&speaker->drift, error_s, feed_forward(speaker), &quality, dt_s);
    if (decision.action == DRIFT_JUMP) {
        speaker->jumps++;
        join(speaker, t);
        return;
    }
    set_rate(speaker, decision.rate_ppm, dt_s);
    double step_s = ppm_to_factor(decision.rate_ppm) / rate_hz;
    playout_map_append_sound(&speaker->map, speaker->written, frames, speaker->position_s, step_s);
    speaker->written += frames;
    speaker->position_s += (double)frames * step_s;
}

/* As player_pace.c and output_next_look(). A process that was to be woken comes a little late. */
static double next_tick_s(struct sim_speaker *speaker, double t, double since_s)
{
    double sigma_s = dac_clock_ready(&speaker->dac) ? dac_clock_sigma_s(&speaker->dac) : INFINITY;
    bool eager = since_s < EAGER_S || sigma_s > UNSURE_S;
    speaker->tick_phase = golden_walk(speaker->tick_phase);
    speaker->look_phase = golden_walk(speaker->look_phase);
    double next_s = t + (since_s < ACQUIRE_S ? 0.0006 + 0.0008 * speaker->look_phase
                         : eager             ? 0.025 + 0.03 * speaker->tick_phase
                                             : 0.12 + 0.04 * speaker->tick_phase);
    struct mono_time local = sim_speaker_local(speaker, next_s);
    struct mono_time aimed = dac_clock_aim(&speaker->dac, local, speaker->look_phase);
    return next_s + ns_to_s(mono_sub(aimed, local)) + sim_exponential(&speaker->random, WAKE_UP_S);
}

static void tick(struct sim_speaker *speaker, double t)
{
    look(speaker, t);
    struct server_clock_estimate clock =
        server_clock_estimate(&speaker->server, sim_speaker_local(speaker, t));
    double since_s = t - speaker->config.starts_s;
    if (!speaker->paused && since_s > ACQUIRE_S && dac_clock_ready(&speaker->dac) && clock.ready) {
        if (!speaker->joined)
            join(speaker, t);
        fill(speaker, t);
    }
    speaker->next_tick_s = next_tick_s(speaker, t, since_s);
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
    /* The local clock is off by ppm: near enough to schedule by. */
    return at.ns == INT64_MAX ? INFINITY : ns_to_s(at.ns) - 100;
}

void sim_speaker_run(struct sim_speaker *speaker, double t)
{
    const struct sim_speaker_config *config = &speaker->config;
    for (;;) {
        double probe_s = next_probe_s(speaker);
        double next_s = fmin(fmin(speaker->next_tick_s, speaker->next_wall_s), probe_s);
        double due_s = fmax(next_s, config->starts_s);
        if (is_within(due_s, config->suspended_from_s, config->suspended_to_s))
            due_s = config->suspended_to_s;
        if (due_s > t)
            return;
        keep_connected(speaker, due_s);
        if (next_s == speaker->next_wall_s)
            show_wall(speaker, due_s);
        else if (next_s == speaker->next_tick_s)
            tick(speaker, due_s);
        else if (speaker->online)
            probe(speaker, due_s);
    }
}

bool sim_speaker_error(const struct sim_speaker *speaker, double t, double *ret_error_s)
{
    double heard_s;
    if (!playout_map_position_at(&speaker->map, sim_card_frame(&speaker->config.card, t), &heard_s))
        return false;
    *ret_error_s = heard_s - track_position(sim_speaker_server(speaker, t));
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
