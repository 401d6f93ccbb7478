/*
 * step_responses.c: how the loops answer to steps, as CSV for plot_steps.py (./dev plots).
 * No test: what it shows is asserted by the sim_*.c beside it.
 */
#include "listener.h"
#include "speaker.h"

#include <stdio.h>

#define SEED 3

static double leaps_50_ms(double t)
{
    return t < 60 ? 0 : 50e-3;
}

static double leaps_an_hour(double t)
{
    return t < 60 ? 0 : 3600;
}

static double is_slewed(double t)
{
    return t < 60 ? 0 : t < 160 ? 500e-6 * (t - 60) : 50e-3;
}

static struct sim_speaker_config card(double ppm, double step_frames)
{
    return (struct sim_speaker_config){
        .card = {.crystal = {.ppm = ppm}, .rate_hz = 48000, .step_frames = step_frames},
        .local = {.ppm = -15},
        .late_look_share = 0.05,
        .echo = true,
    };
}

/* "speaker,NAME,t_s,error_us,rate_ppm" every 50 ms. */
static void play(const char *name, struct sim_speaker_config config, double to_s)
{
    static struct sim_speaker speaker;
    sim_speaker_init(&speaker, &config, SEED);
    for (double t = 0; t < to_s; t += 0.05) {
        double error_s;
        sim_speaker_run(&speaker, t);
        if (sim_speaker_error(&speaker, t, &error_s))
            printf("speaker,\"%s\",%.2f,%.3f,%.4f\n", name, t, error_s * 1e6, speaker.rate_ppm);
    }
}

/* "clock,NAME,t_s,error_us,uncertainty_us" every second. */
static void listen_to_dates(const char *name, double period_s)
{
    static struct listener listener;
    listener_init(&listener, SEED);
    listener.date_period_s = period_s;
    for (double t = 0; t < 400; t++) {
        listener_ask_dates_until(&listener, t, t + 1);
        if (listener_estimate(&listener, t + 1).known)
            printf("clock,\"%s\",%.1f,%.1f,%.1f\n", name, t + 1,
                   1e6 * listener_error_s(&listener, t + 1),
                   1e6 * listener_uncertainty_s(&listener, t + 1));
    }
}

static void listen_to_echoes(const char *name, const struct sim_network *network)
{
    static struct listener listener;
    listener_init(&listener, SEED);
    for (double t = 0; t < 400; t++) {
        listener_probe_until(&listener, t, t + 1, network);
        if (listener_estimate(&listener, t + 1).known)
            printf("clock,\"%s\",%.1f,%.1f,%.1f\n", name, t + 1,
                   1e6 * listener_error_s(&listener, t + 1),
                   1e6 * listener_uncertainty_s(&listener, t + 1));
    }
}

int main(void)
{
    const struct sim_network wifi = {.kind = SIM_WIFI, .jitter_s = 20e-3, .loss = 0.05};
    const struct sim_network one_sided = {.kind = SIM_ONE_SIDED, .jitter_s = 20e-3};
    struct sim_speaker_config config = card(80, 1);
    config.first_error_s = 0.15;
    play("150 ms ahead", config, 60);
    config.first_error_s = -0.15;
    play("150 ms behind", config, 60);
    config.first_error_s = 5e-3;
    play("5 ms ahead", config, 60);

    config = card(80, 1);
    config.server_off_s = leaps_50_ms;
    play("the server's clock steps by 50 ms", config, 160);
    config.server_off_s = is_slewed;
    play("the server's clock is slewed by 500 ppm", config, 240);
    config.server_off_s = leaps_an_hour;
    play("the server's clock steps by an hour", config, 160);

    config = card(80, 1);
    play("steady, +80 ppm", config, 240);
    config.card.crystal = (struct sim_crystal){.ppm = 80, .wander_ppm = 5, .wander_period_s = 60};
    play("wander of 5 ppm over 60 s", config, 240);
    play("pointer steps of 10 ms", card(80, 480), 240);

    listen_to_dates("Dates, looked at every 1.006 s", 1.006);
    listen_to_dates("Dates, looked at for every answer", 0);
    listen_to_echoes("echoes over Wi-Fi", &wifi);
    listen_to_echoes("echoes, 20 ms of jitter one way", &one_sided);
    return 0;
}
