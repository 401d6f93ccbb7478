/*
 * sim_play.c: hours and days of one speaker's life under a host who never rests, on hardware that
 * fails: tracks, seeks, pauses, volumes, slow downloads; underruns, a card that is pulled out or
 * stands still, a process that is stopped, a backend that is away. What should sound does, where it
 * should, without a click; what should not is silent; and nothing grows.
 *
 * sim_play [--hours H] [--seed S] [--seeds N] [--commands turns]: that many hours for each of N seeds
 * from S on; of one track after the other above all.
 * Everything follows from the seed. TUTTI_SIM_TRACE: says what is done. TUTTI_SIM_STOP: ends at the
 * first fault.
 */
#include "speaker.h"
#include "tone.h"
#include "tutti/base/units.h"

#include <malloc.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SAMPLE_S 0.05
/* When a command, or the end of a fault, has to be heard. */
#define COMMAND_S 0.5
/* Less than 200 ms are caught up with by rate, with half a percent. */
#define BY_RATE_S 50
#define FORGOTTEN_S 120
#define REPLUGGED_S 2.5
#define RESTARTED_S 1.5
/* A card that cannot rewind sounds on for its queue. */
#define QUEUE_MAX_S 0.75
/* How far into a track that follows without a gap nothing of the one before is heard any more. */
#define BEGUN_S 0.05
/* From when on the card is known. */
#define SETTLED_S 10.0
#define BYTES_EVERY_S 0.25
#define HEAP_GROWTH_MAX 65536

#define BIN_S 0.1e-6
#define BINS 20000

struct life {
    struct sim_speaker speaker;
    struct sim_random random;
    uint64_t seed;
    double t;
    double busy_s; /* between two commands, on the average */
    bool fails;    /* the hardware does */

    int64_t bytes, bytes_total;
    double bytes_per_s;
    float gain;
    double latency_s; /* more than the card's own */
    double next_command_s, next_fault_s, next_bytes_s;
    double back_s;    /* when the card is plugged in again; INFINITY: it is there */
    double judged_s;  /* from when on it has to sound, or not */
    double settled_s; /* and as exactly as it can */
    const char *last; /* what was done last */

    /* What was announced to follow this track. */
    struct {
        bool announced;
        int track;
        struct timeline timeline;
        double begins_s, told_s; /* the state that says so comes a little later */
        bool seamless;           /* nothing has gone wrong since */
    } next;
    uint64_t turns; /* without a gap */

    uint64_t commands, faults, judged;
    uint64_t may_end; /* so often a sound may end suddenly */
    uint64_t clicks;  /* heard, and complained of */
    uint64_t settled;
    double worst_s; /* of a sample that is judged, but not settled */
    uint32_t bins[BINS];
    double most_s; /* of those settled */
};

static struct life life;
static unsigned failures;

static void complain(const char *what, double value)
{
    if (failures++ < 20)
        printf("seed %llu, %.2f s, after %s: %s (%g)\n", (unsigned long long)life.seed, life.t,
               life.last, what, value);
    if (getenv("TUTTI_SIM_STOP"))
        exit(1);
}

static double chance(double low, double high)
{
    return sim_uniform(&life.random, low, high);
}

static int pick(int count)
{
    return (int)chance(0, count);
}

static struct mono_time now(void)
{
    return sim_speaker_local(&life.speaker, life.t);
}

static double wanted_s(void)
{
    return timeline_position_at(&life.speaker.timeline, sim_speaker_server(&life.speaker, life.t));
}

static const struct sim_tone *tone(void)
{
    return life.speaker.track < 0 ? NULL : &sim_tones[life.speaker.track];
}

static void disturb(double grace_s)
{
    life.next.seamless = false;
    life.judged_s = fmax(life.judged_s, life.t + grace_s);
    life.settled_s = fmax(life.settled_s, life.judged_s + SETTLED_S);
}

/* --- what the host does ---------------------------------------------------------------------- */

/* Whatever is told otherwise ends it. */
static void withdraw(void)
{
    if (life.next.announced) /* and may be heard already */
        disturb(life.speaker.config.cannot_rewind ? QUEUE_MAX_S : COMMAND_S);
    life.next.announced = false;
    player_announce(life.speaker.player, NULL);
}

static void tell(bool playing, double position_s)
{
    withdraw();
    struct timeline timeline = {playing, position_s, sim_speaker_server(&life.speaker, life.t)};
    double moved_s = fabs(position_s - wanted_s());
    if (playing && life.speaker.timeline.playing && moved_s > 50e-6 && moved_s < 0.21)
        disturb(BY_RATE_S);
    sim_speaker_tell(&life.speaker, life.t, &timeline);
    disturb(life.speaker.config.cannot_rewind ? QUEUE_MAX_S : COMMAND_S);
}

static void seek(void)
{
    double length_s = tone() ? fmin(tone()->length_s, 4000) : 100;
    tell(life.speaker.timeline.playing, chance(-0.5, length_s + 2));
}

static void pause(void)
{
    tell(false, wanted_s());
}

static void resume(void)
{
    tell(true, wanted_s());
}

static void load(int track)
{
    bool grows = pick(3) == 0;
    life.bytes_total =
        track < 0 ? 0 : (int64_t)(fmin(sim_tones[track].length_s, 4000) * SIM_TONE_BYTES_PER_S);
    life.bytes = grows ? (int64_t)chance(0, 20000) : life.bytes_total;
    life.bytes_per_s = SIM_TONE_BYTES_PER_S * (pick(2) ? chance(0.5, 3) : 20);
    life.speaker.track = track;
    player_set_track(life.speaker.player, track, life.bytes, life.bytes_total, now());
}

static void change_track(void)
{
    int track = pick(SIM_TONES + 1) - 1;
    if (track >= 0 && pick(2))
        player_set_next(life.speaker.player, track, 1 << 20);
    load(track);
    tell(pick(8) != 0, pick(2) ? 0 : chance(0, 20));
}

static void announce_next(void)
{
    withdraw();
    player_set_next(life.speaker.player, pick(SIM_TONES + 1) - 1, 1 << 20);
}

/* The end of the track is near, and what starts there is told. */
static void announce_turn(void)
{
    const struct sim_tone *track = tone();
    double left_s = chance(0.05, 15);
    if (!track || track->broken || track->length_s > 1e6 || life.bytes < life.bytes_total)
        return;
    tell(true, track->length_s - left_s);
    struct server_time end = timeline_time_of(&life.speaker.timeline, track->length_s);
    life.next.announced = true;
    life.next.track = pick(SIM_TONES);
    life.next.timeline = (struct timeline){true, 0, {end.ns / 1000 * 1000}};
    life.next.begins_s = life.t + left_s;
    life.next.told_s = life.next.begins_s + chance(0, 0.4);
    life.next.seamless = left_s > 3 && !sim_tones[life.next.track].broken;
    player_set_next(life.speaker.player, life.next.track, 1 << 20);
    player_announce(life.speaker.player, &life.next.timeline);
    sim_speaker_wake(&life.speaker, life.t);
}

/* The state that was announced is told, and the file is the current one. */
static void turn(void)
{
    life.next.announced = false;
    life.bytes = life.bytes_total =
        (int64_t)(fmin(sim_tones[life.next.track].length_s, 4000) * SIM_TONE_BYTES_PER_S);
    life.speaker.track = life.next.track;
    sim_speaker_tell(&life.speaker, life.t, &life.next.timeline);
    player_set_track(life.speaker.player, life.next.track, life.bytes, life.bytes_total, now());
    if (life.next.seamless)
        life.turns++;
    else
        disturb(life.speaker.config.cannot_rewind ? QUEUE_MAX_S : COMMAND_S);
}

static void set_volume(void)
{
    static const float gains[] = {1, 1, 0.5f, 0.2f, 0};
    life.gain = gains[pick(5)];
    player_set_gain(life.speaker.player, life.gain, now());
    life.judged_s =
        fmax(life.judged_s, life.t + (life.speaker.config.cannot_rewind ? QUEUE_MAX_S : 0.1));
}

static void set_latency(void)
{
    const struct sim_speaker_config *config = &life.speaker.config;
    double own_s = sim_driver_latency_s(config->driver, config->card.rate_hz);
    life.latency_s = pick(3) ? 0 : chance(0, 0.03);
    player_set_latency(life.speaker.player, s_to_ns(own_s + life.latency_s));
    disturb(BY_RATE_S);
}

static void set_device(void)
{
    player_set_device(life.speaker.player, "simulated", pick(2) ? NAN : 0, now());
    sim_speaker_wake(&life.speaker, life.t);
    disturb(RESTARTED_S);
    life.may_end++;
}

static const struct act {
    const char *name;
    int weight;
    void (*does)(void);
} COMMANDS[] = {
    {"a seek", 8, seek},
    {"a pause", 4, pause},
    {"play", 8, resume},
    {"a track", 8, change_track},
    {"a next one", 3, announce_next},
    {"a volume", 6, set_volume},
    {"a latency", 1, set_latency},
    {"another device", 1, set_device},
    {NULL, 0, NULL},
};

/* With --commands turns: ends of tracks, and what comes between. */
static const struct act TURNS[] = {
    {"an end", 12, announce_turn}, {"a seek", 2, seek},           {"a pause", 1, pause},
    {"play", 2, resume},           {"a track", 4, change_track},  {"a next one", 2, announce_next},
    {"a volume", 1, set_volume},   {"a latency", 1, set_latency}, {NULL, 0, NULL},
};

static const struct act *commands = COMMANDS;

/* --- what goes wrong ------------------------------------------------------------------------- */

static void stop_process(double for_s)
{
    life.speaker.config.suspended_from_s = life.t;
    life.speaker.config.suspended_to_s = life.t + for_s;
}

static void is_stopped(void)
{
    double for_s = pick(2) ? chance(0.05, 0.3) : chance(0.3, 8);
    stop_process(for_s);
    disturb(for_s + RESTARTED_S);
}

static void is_suspended(void)
{
    double for_s = chance(1, 60);
    stop_process(for_s);
    life.speaker.card.suspended = true;
    disturb(for_s + RESTARTED_S);
}

static void card_is_pulled_out(void)
{
    life.speaker.card.absent = true;
    life.back_s = life.t + chance(0.05, 20);
    disturb(life.back_s - life.t + REPLUGGED_S);
}

static void card_stands_still(void)
{
    double for_s = chance(0.01, 2);
    sim_card_stand(&life.speaker.card.config.model, life.t, life.t + for_s);
    /* A short one is not told from a coarse pointer, but forgotten with the window that it is in. */
    disturb(for_s < 0.2 ? FORGOTTEN_S : for_s + REPLUGGED_S);
}

static void backend_is_away(void)
{
    life.speaker.config.offline_from_s = life.t;
    life.speaker.config.offline_to_s = life.t + chance(1, 300);
}

static const struct act FAULTS[] = {
    {"it was stopped", 3, is_stopped},
    {"the system was suspended", 1, is_suspended},
    {"the card was pulled out", 2, card_is_pulled_out},
    {"the card stood still", 2, card_stands_still},
    {"the backend was away", 2, backend_is_away},
    {NULL, 0, NULL},
};

static void do_one_of(const struct act *acts)
{
    int sum = 0;
    for (const struct act *each = acts; each->name; each++)
        sum += each->weight;
    int left = pick(sum);
    while (left >= acts->weight)
        left -= acts++->weight;
    life.last = acts->name;
    if (getenv("TUTTI_SIM_TRACE"))
        printf("%.2f %s\n", life.t, acts->name);
    acts->does();
}

/* --- what should be heard -------------------------------------------------------------------- */

static bool has_bytes(void)
{
    return life.bytes >= life.bytes_total ||
           (double)life.bytes / SIM_TONE_BYTES_PER_S > wanted_s() + 4;
}

enum expectation {
    ANYTHING,  /* of sound: but what sounds is where it should be */
    ANY_SOUND, /* the next track's, which is not told yet */
    SOUND,
    SILENCE,
};

static bool is_inside(const struct sim_tone *track, double from_s, double position_s)
{
    return position_s > from_s && position_s < track->length_s - 0.1;
}

/* Between two tracks, until the second is told. */
static enum expectation expected_at_turn(void)
{
    const struct sim_tone *next = &sim_tones[life.next.track];
    bool begun = is_inside(next, BEGUN_S, life.t - life.next.begins_s);
    return life.next.seamless && begun ? ANY_SOUND : ANYTHING;
}

static enum expectation expected(void)
{
    const struct sim_tone *track = tone();
    if (life.t < life.judged_s)
        return ANYTHING;
    if (!track || track->broken || !life.speaker.timeline.playing)
        return SILENCE;
    if (life.next.announced && life.t > life.next.begins_s - 0.1)
        return expected_at_turn(); /* what is told by now is not what is heard */
    double position_s = wanted_s();
    if (position_s > track->length_s + 0.1 || position_s < -0.1)
        return SILENCE;
    double from_s = life.next.seamless ? BEGUN_S : 0.6;
    return is_inside(track, from_s, position_s) && has_bytes() ? SOUND : ANYTHING;
}

static void note_error(double error_s)
{
    if (life.t < life.settled_s) {
        life.worst_s = fmax(life.worst_s, error_s);
        if (error_s > 1e-3)
            complain("the error in us is", error_s * 1e6);
        return;
    }
    size_t bin = (size_t)(error_s / BIN_S);
    life.bins[bin < BINS ? bin : BINS - 1]++;
    life.settled++;
    life.most_s = fmax(life.most_s, error_s);
}

static void judge(void)
{
    double fraction, error_s;
    const struct sim_sound_card *card = &life.speaker.card;
    if (card->clicks + card->slips > life.clicks)
        complain("clicks, and frames that do not follow", (double)(card->clicks + card->slips));
    life.clicks = card->clicks + card->slips;
    enum expectation expectation = expected();
    const float *frame = sim_sound_card_listen(&life.speaker.card, life.t, &fraction);
    double level = frame ? sim_tone_level(frame) : 0;
    if (expectation == SILENCE && level > 0)
        complain("it is not silent", level);
    if (expectation == ANYTHING || expectation == SILENCE)
        return;
    life.judged++;
    if (fabs(level - (double)life.gain) > 1e-3)
        complain("it is not as loud as it should be", level);
    else if (expectation == SOUND && sim_speaker_error(&life.speaker, life.t, &error_s))
        note_error(fabs(error_s - life.latency_s));
}

/* --- time passes ----------------------------------------------------------------------------- */

static void take_bytes(void)
{
    life.next_bytes_s += BYTES_EVERY_S;
    if (life.bytes >= life.bytes_total)
        return;
    life.bytes += (int64_t)(life.bytes_per_s * BYTES_EVERY_S);
    if (life.bytes > life.bytes_total)
        life.bytes = life.bytes_total;
    player_track_grew(life.speaker.player, life.bytes, life.bytes == life.bytes_total);
    if (life.bytes == life.bytes_total || has_bytes())
        disturb(2.5); /* some reserve is waited for */
}

static void plug_in(void)
{
    life.back_s = INFINITY;
    life.speaker.card.absent = false;
    if (pick(2)) {
        player_device_changed(life.speaker.player);
        sim_speaker_wake(&life.speaker, life.t);
    }
}

static bool is_stopped_now(void)
{
    return life.t < life.speaker.config.suspended_to_s;
}

static void act(void)
{
    if (life.t >= life.back_s)
        plug_in();
    if (is_stopped_now())
        return;
    if (life.t >= life.next_bytes_s)
        take_bytes();
    if (life.next.announced && life.t >= life.next.told_s)
        turn();
    if (life.t >= life.next_command_s) {
        life.next_command_s = life.t + sim_exponential(&life.random, life.busy_s);
        life.commands++;
        do_one_of(commands);
    }
    if (life.fails && life.t >= life.next_fault_s && isinf(life.back_s)) {
        life.next_fault_s = life.t + sim_exponential(&life.random, 10 * life.busy_s);
        life.faults++;
        life.may_end += 4; /* it is begun again, and may have to be once more */
        do_one_of(FAULTS);
    }
}

/* Every fourth seed is left alone for half an hour at a time. Of the others some cannot rewind. */
static void begin(uint64_t seed)
{
    struct sim_speaker speaker = life.speaker;
    life = (struct life){.speaker = speaker, .seed = seed, .gain = 1, .last = "the start"};
    sim_random_init(&life.random, seed);
    struct sim_speaker_config config = {
        .card = {.crystal = {.ppm = chance(-200, 200)},
                 .rate_hz = pick(2) ? 44100 : 48000,
                 .step_frames = 1},
        .driver = (enum sim_driver_kind)pick(SIM_DRIVERS),
        .local = {.ppm = chance(-50, 50)},
        .network = {.kind = SIM_LAN},
        .echo = true,
        .late_look_share = 0.05,
        .cannot_rewind = seed % 4 == 2,
    };
    sim_speaker_init(&life.speaker, &config, seed);
    life.busy_s = seed % 4 == 0 ? 1800 : chance(4, 20);
    life.fails = seed % 2 == 1 || seed % 4 == 0;
    life.next_command_s = 20;
    life.next_fault_s = 60;
    life.back_s = INFINITY;
    disturb(1);
}

static double percentile_us(double share)
{
    uint64_t seen = 0, wanted = (uint64_t)((double)life.settled * share);
    for (size_t i = 0; i < BINS; i++) {
        seen += life.bins[i];
        if (seen > wanted)
            return ((double)i + 1) * BIN_S * 1e6;
    }
    return INFINITY;
}

/* By driver, as sim_drivers has it. */
static void check_errors(double hours)
{
    bool plain = life.speaker.config.driver == SIM_DRIVER_PLAIN;
    double p50_us = percentile_us(0.5), p99_us = percentile_us(0.99);
    struct output_status output = sim_speaker_status(&life.speaker, life.t).output;
    const struct sim_sound_card *card = &life.speaker.card;
    printf("seed %llu: %.1f h on %s%s, %llu commands, %llu turns, %llu faults: p50 %.1f, p99 %.1f, "
           "most %.1f us; "
           "unsettled at most %.1f us; %llu underruns, %llu losses, %llu sudden ends, %llu clicks, "
           "%llu slips\n",
           (unsigned long long)life.seed, hours, sim_driver_name(life.speaker.config.driver),
           life.speaker.config.cannot_rewind ? " that cannot rewind" : "",
           (unsigned long long)life.commands, (unsigned long long)life.turns,
           (unsigned long long)life.faults, p50_us, p99_us, life.most_s * 1e6, life.worst_s * 1e6,
           (unsigned long long)output.xruns, (unsigned long long)output.losses,
           (unsigned long long)card->breaks, (unsigned long long)card->clicks,
           (unsigned long long)card->slips);
    life.last = "all";
    if (!(p50_us <= (plain ? 10 : 50)))
        complain("the middle error in us is", p50_us);
    if (!(p99_us <= (plain ? 50 : 100)))
        complain("the 99th percentile in us is", p99_us);
    if (!(life.most_s <= 1e-3))
        complain("the largest error in us is", life.most_s * 1e6);
    if (card->breaks > life.may_end)
        complain("more sudden ends than faults", (double)card->breaks);
    if (life.judged == 0)
        complain("nothing was to be heard", 0);
    if (commands == TURNS && life.busy_s < 60 && life.turns == 0)
        complain("no track followed another", 0);
}

static void live(uint64_t seed, double hours)
{
    size_t heap = 0;
    begin(seed);
    for (uint64_t i = 0; (double)i * SAMPLE_S < hours * 3600; i++) {
        life.t = (double)i * SAMPLE_S;
        sim_speaker_run(&life.speaker, life.t);
        judge();
        act();
        if (i == (uint64_t)(600 / SAMPLE_S))
            heap = mallinfo2().uordblks;
    }
    check_errors(hours);
    if (heap > 0 && mallinfo2().uordblks > heap + HEAP_GROWTH_MAX)
        complain("bytes more in use than after ten minutes", (double)(mallinfo2().uordblks - heap));
}

int main(int argc, char **argv)
{
    setvbuf(stdout, NULL, _IOLBF, 0);
    double hours = 0.5;
    uint64_t seed = 1, seeds = 8;
    for (int i = 1; i + 1 < argc; i += 2) {
        if (strcmp(argv[i], "--hours") == 0)
            hours = strtod(argv[i + 1], NULL);
        else if (strcmp(argv[i], "--seed") == 0)
            seed = strtoull(argv[i + 1], NULL, 10);
        else if (strcmp(argv[i], "--seeds") == 0)
            seeds = strtoull(argv[i + 1], NULL, 10);
        else if (strcmp(argv[i], "--commands") == 0 && strcmp(argv[i + 1], "turns") == 0)
            commands = TURNS;
    }
    for (uint64_t i = 0; i < seeds; i++)
        live(seed + i, hours);
    sim_speaker_end(&life.speaker);
    return failures > 0;
}
