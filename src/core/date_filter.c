/*
 * date_filter.c: a hidden Markov model on a grid.
 *
 * Two kinds of server, told apart by what they say:
 *   each_time  looks at its clock for every answer:         Date = floor(S)
 *   at_times   looks every `period`, last `age` before S:   Date = floor(S - age)
 * with S the server's time when it answered. Age advances between answers, modulo the period; by
 * how much is known only roughly, so its probability is blurred. Offsets are blurred by what two
 * crystals may drift.
 */
#include "tutti/core/date_filter.h"

#include <math.h>
#include <string.h>

static const int64_t CELL_NS = 20 * NS_PER_MS;
/* Offsets below the first answer's Date - middle: half of its round trip. */
static const int64_t BELOW_NS = 200 * NS_PER_MS;
/* uvicorn: ten naps of 0.1 s, each a bit longer than asked for (1.006 s as a rule). */
static const double PERIODS_S[DATE_FILTER_PERIODS] = {1.003, 1.006, 1.010};
/* What one period may differ from the nearest of these; from a busy loop, too. */
static const double PERIOD_SIGMA_S = 2.5e-3;
static const double AGE_SIGMA_S = 2e-3;
/* Two free crystals, as in server_clock.c. */
static const double DRIFT = 200e-6;
/* A way through the network and through the server, where it is not known better. */
static const double SLACK_S = 12e-3;
static const double EACH_TIME_PRIOR = 0.5;
/* An answer that does not fit at all: a server's hiccup, once in ten thousand; or a stepped clock.
 */
static const float MISFIT = 1e-4f;
static const float STEPPED = 3e-4f;
/* Left out at either end. */
static const double TAIL = 0.001;

void date_filter_init(struct date_filter *filter)
{
    memset(filter, 0, sizeof *filter);
}

static void begin(struct date_filter *filter, int64_t at_ns, int64_t date_ns)
{
    double each = EACH_TIME_PRIOR / DATE_FILTER_CELLS;
    double at_times = (1 - EACH_TIME_PRIOR) /
                      ((double)DATE_FILTER_PERIODS * DATE_FILTER_CELLS * DATE_FILTER_AGES);
    filter->known = true;
    filter->at_ns = at_ns;
    filter->first_ns = date_ns - at_ns - BELOW_NS;
    for (size_t cell = 0; cell < DATE_FILTER_CELLS; cell++) {
        filter->each_time[cell] = (float)each;
        for (size_t p = 0; p < DATE_FILTER_PERIODS; p++)
            for (size_t age = 0; age < DATE_FILTER_AGES; age++)
                filter->at_times[p][cell][age] = (float)at_times;
    }
}

/* --- time passes ---------------------------------------------------------------------------- */

/* A column of cells, `stride` apart, spreads to its neighbours. */
static void spread(float *cells, size_t stride, float part)
{
    float before = cells[0];
    for (size_t cell = 0; cell < DATE_FILTER_CELLS; cell++) {
        float here = cells[cell * stride];
        float after = cell + 1 < DATE_FILTER_CELLS ? cells[(cell + 1) * stride] : here;
        cells[cell * stride] = here + part * (before - 2 * here + after);
        before = here;
    }
}

/* ret[k]: how probable it is that the age moved on by k of its cells in dt_s. */
static void make_kernel(double dt_s, double period_s, float ret[DATE_FILTER_AGES])
{
    double cell_s = period_s / DATE_FILTER_AGES;
    double shift = fmod(dt_s, period_s) / cell_s;
    double sigma = hypot(AGE_SIGMA_S + PERIOD_SIGMA_S * dt_s / period_s, cell_s / 3) / cell_s;
    double sum = 0, weights[DATE_FILTER_AGES];
    for (size_t k = 0; k < DATE_FILTER_AGES; k++) {
        double off = remainder((double)k - shift, DATE_FILTER_AGES);
        weights[k] = exp(-off * off / (2 * sigma * sigma));
        sum += weights[k];
    }
    for (size_t k = 0; k < DATE_FILTER_AGES; k++)
        ret[k] = (float)(weights[k] / sum);
}

/* A convolution on a circle: on a straight line, and then its overhang folded back. */
static void advance_ages(float ages[DATE_FILTER_AGES], const float kernel[DATE_FILTER_AGES])
{
    float moved[2 * DATE_FILTER_AGES] = {0};
    for (size_t k = 0; k < DATE_FILTER_AGES; k++)
        for (size_t from = 0; from < DATE_FILTER_AGES; from++)
            moved[from + k] += ages[from] * kernel[k];
    for (size_t age = 0; age < DATE_FILTER_AGES; age++)
        ages[age] = moved[age] + moved[age + DATE_FILTER_AGES];
}

static void pass_time(struct date_filter *filter, double dt_s)
{
    double sigma_cells = DRIFT * dt_s / ns_to_s(CELL_NS);
    float part = (float)fmin(sigma_cells * sigma_cells / 2, 0.33);
    spread(filter->each_time, 1, part);
    for (size_t p = 0; p < DATE_FILTER_PERIODS; p++) {
        float kernel[DATE_FILTER_AGES];
        make_kernel(dt_s, PERIODS_S[p], kernel);
        for (size_t cell = 0; cell < DATE_FILTER_CELLS; cell++)
            advance_ages(filter->at_times[p][cell], kernel);
        for (size_t age = 0; age < DATE_FILTER_AGES; age++)
            spread(&filter->at_times[p][0][age], DATE_FILTER_AGES, part);
    }
}

/* --- an answer comes ------------------------------------------------------------------------ */

static float share(float x)
{
    return x < 0 ? 0 : x > 1 ? 1 : x;
}

/* Is it 0 <= since_s < 1, the time since the Date said it was; with soft edges. */
static float fit(float since_s, float slack_s)
{
    float scale = 0.5f / slack_s;
    return share(since_s * scale + 0.5f) * share((1 - since_s) * scale + 0.5f) + MISFIT;
}

/* How probable the answer was, after what was known. */
static float weigh(struct date_filter *filter, float slack_s, int64_t date_ns)
{
    double sum = 0;
    for (size_t cell = 0; cell < DATE_FILTER_CELLS; cell++) {
        int64_t offset_ns = filter->first_ns + (int64_t)cell * CELL_NS;
        float since_s = (float)ns_to_s(filter->at_ns + offset_ns - date_ns);
        sum += filter->each_time[cell] *= fit(since_s, slack_s);
        for (size_t p = 0; p < DATE_FILTER_PERIODS; p++) {
            float age_cell_s = (float)PERIODS_S[p] / DATE_FILTER_AGES;
            for (size_t age = 0; age < DATE_FILTER_AGES; age++) {
                float age_s = ((float)age + 0.5f) * age_cell_s;
                sum += filter->at_times[p][cell][age] *=
                    fit(since_s - age_s, slack_s + age_cell_s / 2);
            }
        }
    }
    return (float)sum;
}

static void scale(struct date_filter *filter, float factor)
{
    for (size_t cell = 0; cell < DATE_FILTER_CELLS; cell++) {
        filter->each_time[cell] *= factor;
        for (size_t p = 0; p < DATE_FILTER_PERIODS; p++)
            for (size_t age = 0; age < DATE_FILTER_AGES; age++)
                filter->at_times[p][cell][age] *= factor;
    }
}

void date_filter_add(struct date_filter *filter, struct mono_time sent, struct mono_time received,
                     struct server_time date)
{
    int64_t half_ns = mono_sub(received, sent) / 2;
    int64_t at_ns = sent.ns + half_ns;
    float slack_s = (float)(SLACK_S + ns_to_s(half_ns));
    if (half_ns < 0 || half_ns > BELOW_NS || (filter->known && at_ns < filter->at_ns))
        return; /* too slow, or too late, to say anything */
    if (filter->known) {
        pass_time(filter, ns_to_s(at_ns - filter->at_ns));
        filter->at_ns = at_ns;
    } else {
        begin(filter, at_ns, date.ns);
    }
    float likely = weigh(filter, slack_s, date.ns);
    if (likely < STEPPED) {
        begin(filter, at_ns, date.ns);
        likely = weigh(filter, slack_s, date.ns);
    }
    scale(filter, 1 / likely);
}

/* --- asking --------------------------------------------------------------------------------- */

static double probability(const struct date_filter *filter, size_t cell)
{
    double sum = filter->each_time[cell];
    for (size_t p = 0; p < DATE_FILTER_PERIODS; p++)
        for (size_t age = 0; age < DATE_FILTER_AGES; age++)
            sum += filter->at_times[p][cell][age];
    return sum;
}

struct date_range date_filter_range(const struct date_filter *filter)
{
    size_t low = 0, high = DATE_FILTER_CELLS - 1;
    double below = probability(filter, low), above = probability(filter, high);
    while (below < TAIL && low < high)
        below += probability(filter, ++low);
    while (above < TAIL && high > low)
        above += probability(filter, --high);
    return (struct date_range){filter->first_ns + (int64_t)low * CELL_NS - CELL_NS / 2,
                               filter->first_ns + (int64_t)high * CELL_NS + CELL_NS / 2};
}
