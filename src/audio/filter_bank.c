/*
 * filter_bank.c: designs the filters, and keeps those that are in use, and the last that was.
 *
 * The design is for a lower rate of 1; the same filter, stretched, serves where the input's rate is
 * the higher one: more taps, and as many phases less, so that the bank's size stays about the same.
 */
#include "filter_bank.h"

#include <math.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>

/*
 * Kaiser's window trades the width of the transition for the stop band. At 88 taps and beta 10.6,
 * the response is -0.03 dB at 0.4308 of the lower rate (19 kHz of 44.1), and below -100 dB from
 * its half (22.05 kHz) on, farther away by far more. Found by trying; test_resampler.c measures it.
 */
static const struct design {
    double taps;
    double beta;
    double cutoff; /* of -6 dB, in cycles per frame of the lower rate */
} designs[] = {
    [RESAMPLER_HIGH] = {88, 10.6, 20.288 / 44.1},
    [RESAMPLER_LOW] = {40, 7.5, 19.3 / 44.1},
};
/*
 * A parabola misses a sine of v cycles per frame by at most (2 pi v / phases)^3 / 125: at 64 phases
 * by -127 dB at 17 kHz of 44.1, and by -120 dB at half a cycle.
 */
#define PHASE_BITS_MAX 6
#define PHASE_BITS_MIN 2
/* Of the series for I0; at beta 10.6 what follows is below 1e-19 of the sum. */
#define BESSEL_TERMS 32
#define ALIGNMENT 16

struct shared_bank {
    struct filter_bank bank; /* first: it is what is handed out */
    struct shared_bank *next;
    double stretch;
    enum resampler_quality quality;
    unsigned users;
};

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static struct shared_bank *shared;

/* The modified Bessel function I0(2 sqrt(q)), by its power series: the sum of q^k / k!^2. */
static double bessel_i0(double q)
{
    double term = 1, sum = 1;
    for (int k = 1; k < BESSEL_TERMS; k++) {
        term *= q / (k * k);
        sum += term;
    }
    return sum;
}

/* h at `distance` input frames from the middle, not yet of unit gain. */
static double impulse_response(const struct design *design, double stretch, unsigned taps,
                               double distance)
{
    double edge = 2 * distance / taps;
    double inside = 1 - edge * edge;
    if (inside <= 0)
        return 0;
    double x = 2 * M_PI * design->cutoff / stretch * distance;
    double sinc = distance == 0 ? 1 : sin(x) / x;
    return sinc * bessel_i0(design->beta * design->beta / 4 * inside);
}

/* The gain at frequency 0 of a table with `per_frame` values per input frame. */
static double gain_of(const double *table, unsigned half_taps, size_t per_frame)
{
    double gain = table[0];
    for (size_t k = 1; k < half_taps; k++)
        gain += 2 * table[k * per_frame];
    return gain;
}

/* The right half of h, at both ends and in the middle of every phase, of unit gain. */
static double *tabulate(const struct design *design, double stretch, const struct filter_bank *bank)
{
    size_t per_frame = (size_t)2 << bank->phase_bits;
    size_t count = bank->taps / 2 * per_frame + 1;
    double *table = calloc(count, sizeof *table);
    if (!table)
        return NULL;
    for (size_t i = 0; i < count; i++)
        table[i] = impulse_response(design, stretch, bank->taps, (double)i / (double)per_frame);
    double scale = 1 / gain_of(table, bank->taps / 2, per_frame);
    for (size_t i = 0; i < count; i++)
        table[i] *= scale;
    return table;
}

static void fill_row(const struct filter_bank *bank, const double *table, unsigned phase)
{
    float *row = bank->rows + (size_t)phase * bank->taps * FILTER_DEGREES;
    int64_t per_frame = INT64_C(2) << bank->phase_bits;
    for (unsigned k = 0; k < bank->taps; k++) {
        int64_t at = ((int64_t)bank->taps / 2 - 1 - k) * per_frame + 2 * (int64_t)phase;
        double begin = table[llabs(at)], middle = table[llabs(at + 1)], end = table[llabs(at + 2)];
        row[k] = (float)begin;
        row[k + bank->taps] = (float)(4 * middle - 3 * begin - end);
        row[k + 2 * bank->taps] = (float)(2 * (begin + end) - 4 * middle);
    }
}

static bool design_bank(struct filter_bank *bank, const struct design *design, double stretch)
{
    bank->taps = (unsigned)ceil(design->taps * stretch / FILTER_TAPS_UNIT) * FILTER_TAPS_UNIT;
    int bits = PHASE_BITS_MAX - (int)floor(log2(stretch));
    bank->phase_bits = (unsigned)(bits > PHASE_BITS_MIN ? bits : PHASE_BITS_MIN);
    size_t row_bytes = bank->taps * FILTER_DEGREES * sizeof *bank->rows;
    double *table = tabulate(design, stretch, bank);
    bank->rows = aligned_alloc(ALIGNMENT, row_bytes << bank->phase_bits);
    for (unsigned phase = 0; table && bank->rows && phase < 1u << bank->phase_bits; phase++)
        fill_row(bank, table, phase);
    free(table);
    return table && bank->rows;
}

static void destroy(struct shared_bank *bank)
{
    free(bank->bank.rows);
    free(bank);
}

static struct shared_bank *create(double stretch, enum resampler_quality quality)
{
    struct shared_bank *bank = calloc(1, sizeof *bank);
    if (!bank)
        return NULL;
    bank->stretch = stretch;
    bank->quality = quality;
    if (design_bank(&bank->bank, &designs[quality], stretch))
        return bank;
    destroy(bank);
    return NULL;
}

static struct shared_bank *find(double stretch, enum resampler_quality quality)
{
    struct shared_bank *bank = shared;
    while (bank && (bank->stretch != stretch || bank->quality != quality))
        bank = bank->next;
    return bank;
}

const struct filter_bank *filter_bank_take(unsigned in_rate_hz, unsigned out_rate_hz,
                                           enum resampler_quality quality)
{
    double stretch = fmax(1, (double)in_rate_hz / out_rate_hz);
    pthread_mutex_lock(&mutex);
    struct shared_bank *bank = find(stretch, quality);
    if (!bank && (bank = create(stretch, quality))) {
        bank->next = shared;
        shared = bank;
    }
    if (bank)
        bank->users++;
    pthread_mutex_unlock(&mutex);
    return bank ? &bank->bank : NULL;
}

/* The one that was used last is kept: the next track will want it. */
static void drop_unused(const struct shared_bank *except)
{
    for (struct shared_bank **at = &shared; *at;) {
        struct shared_bank *bank = *at;
        if (bank->users > 0 || bank == except) {
            at = &bank->next;
            continue;
        }
        *at = bank->next;
        destroy(bank);
    }
}

void filter_bank_give_back(const struct filter_bank *bank)
{
    if (!bank)
        return;
    struct shared_bank *given = (struct shared_bank *)bank;
    pthread_mutex_lock(&mutex);
    if (--given->users == 0)
        drop_unused(given);
    pthread_mutex_unlock(&mutex);
}
