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
#include <strings.h>

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
/* Looks for every answer: not known; said so; said otherwise. */
static const double EACH_TIME_PRIOR[] = {
    [DATE_SERVER_UNKNOWN] = 0.5, [DATE_SERVER_EACH_TIME] = 0.995, [DATE_SERVER_AT_TIMES] = 0.02};
/* An answer that does not fit at all: a server's hiccup, once in ten thousand; or a stepped clock.
 */
static const float MISFIT = 1e-4f;
static const float STEPPED = 3e-4f;
/* Left out at either end. */
static const double TAIL = 0.001;
/* So sure that it looks for every answer that its exact bounds count. */
static const double EACH_TIME_SURE = 0.98;
/* An answer whose exact bounds contradict those before was delayed on its way through the server.
 */
static const int64_t EXACT_AT_LEAST_NS = 2 * NS_PER_MS;
/* Times that are tried when aiming: a row of them, and then around the best. */
#define AIM_COARSE 12
#define AIM_FINE 4
/* Dates that an answer may have, one second apart: those of 2.56 s of offset and 1 s of age. */
#define AIM_DATES 6
/* What is left out of the sum when aiming. */
static const float AIM_IGNORED = 1e-6f;

void date_filter_init(struct date_filter *filter)
{
    memset(filter, 0, sizeof *filter);
}

enum date_server date_server_of(const char *name)
{
    static const struct {
        const char *begins;
        enum date_server server;
    } known[] = {
        {"nginx", DATE_SERVER_EACH_TIME},  {"openresty", DATE_SERVER_EACH_TIME},
        {"Apache", DATE_SERVER_EACH_TIME}, {"Caddy", DATE_SERVER_EACH_TIME},
        {"uvicorn", DATE_SERVER_AT_TIMES},
    };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (strncasecmp(name, known[i].begins, strlen(known[i].begins)) == 0)
            return known[i].server;
    return DATE_SERVER_UNKNOWN;
}

void date_filter_expect(struct date_filter *filter, enum date_server server)
{
    if (server == filter->server)
        return;
    filter->server = server;
    filter->known = false;
}

static void begin(struct date_filter *filter, int64_t at_ns, int64_t date_ns)
{
    double prior = EACH_TIME_PRIOR[filter->server];
    double each = prior / DATE_FILTER_CELLS;
    double at_times =
        (1 - prior) / ((double)DATE_FILTER_PERIODS * DATE_FILTER_CELLS * DATE_FILTER_AGES);
    filter->known = true;
    filter->at_ns = at_ns;
    filter->first_ns = date_ns - at_ns - BELOW_NS;
    filter->exact_low_ns = INT64_MIN / 2;
    filter->exact_high_ns = INT64_MAX / 2;
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

/* Date = floor(S) at some moment between sent and received. */
static void bound_exactly(struct date_filter *filter, struct mono_time sent,
                          struct mono_time received, int64_t date_ns, double dt_s)
{
    int64_t widen_ns = s_to_ns(DRIFT * dt_s);
    int64_t low_ns = date_ns - received.ns, high_ns = date_ns + NS_PER_S - sent.ns;
    filter->exact_low_ns -= widen_ns;
    filter->exact_high_ns += widen_ns;
    if (low_ns > filter->exact_low_ns)
        filter->exact_low_ns = low_ns;
    if (high_ns < filter->exact_high_ns)
        filter->exact_high_ns = high_ns;
    if (filter->exact_low_ns > filter->exact_high_ns) { /* the newest says where it is */
        filter->exact_low_ns = low_ns;
        filter->exact_high_ns = high_ns;
    }
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
    double dt_s = filter->known ? ns_to_s(at_ns - filter->at_ns) : 0;
    if (filter->known) {
        pass_time(filter, dt_s);
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
    bound_exactly(filter, sent, received, date.ns, dt_s);
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

static int64_t median_ns(const struct date_filter *filter)
{
    size_t cell = 0;
    double below = 0, here = probability(filter, 0);
    while (below + here < 0.5 && cell + 1 < DATE_FILTER_CELLS) {
        below += here;
        here = probability(filter, ++cell);
    }
    double into = here > 0 ? (0.5 - below) / here - 0.5 : 0;
    return filter->first_ns + (int64_t)(((double)cell + into) * (double)CELL_NS);
}

static struct date_range grid_range(const struct date_filter *filter)
{
    size_t low = 0, high = DATE_FILTER_CELLS - 1;
    double below = probability(filter, low), above = probability(filter, high);
    while (below < TAIL && low < high)
        below += probability(filter, ++low);
    while (above < TAIL && high > low)
        above += probability(filter, --high);
    struct date_range range = {
        .low_ns = filter->first_ns + (int64_t)low * CELL_NS - CELL_NS / 2,
        .high_ns = filter->first_ns + (int64_t)high * CELL_NS + CELL_NS / 2,
    };
    /* Between two kinds of server that are as likely, one's best would be the other's worst. */
    range.best_ns = filter->server == DATE_SERVER_UNKNOWN
                        ? range.low_ns + (range.high_ns - range.low_ns) / 2
                        : median_ns(filter);
    return range;
}

/* Does it look at its clock for every answer, and do its exact bounds lie where the grid has it? */
static bool is_exact(const struct date_filter *filter, const struct date_range *grid)
{
    double each = 0;
    for (size_t cell = 0; cell < DATE_FILTER_CELLS; cell++)
        each += filter->each_time[cell];
    return each > EACH_TIME_SURE && filter->exact_low_ns <= grid->high_ns &&
           filter->exact_high_ns >= grid->low_ns;
}

struct date_range date_filter_range(const struct date_filter *filter)
{
    struct date_range range = grid_range(filter);
    if (!is_exact(filter, &range))
        return range;
    int64_t half_ns = (filter->exact_high_ns - filter->exact_low_ns) / 2;
    int64_t middle_ns = filter->exact_low_ns + half_ns;
    if (half_ns < EXACT_AT_LEAST_NS)
        half_ns = EXACT_AT_LEAST_NS;
    return (struct date_range){middle_ns - half_ns, middle_ns + half_ns, middle_ns};
}

/* --- aiming --------------------------------------------------------------------------------- */

/* How probable each Date is of an answer at t_ns, from that of the first second that it may be. */
static void expect(const struct date_filter *filter, int64_t t_ns, double ret[AIM_DATES])
{
    double first_s =
        ns_to_s((t_ns + filter->first_ns) % NS_PER_S) + 2; /* an age is less than 2 s */
    double dt_s = ns_to_s(t_ns - filter->at_ns);
    for (size_t i = 0; i < AIM_DATES; i++)
        ret[i] = 0;
    for (size_t cell = 0; cell < DATE_FILTER_CELLS; cell++) {
        float since_s = (float)(first_s + (double)cell * ns_to_s(CELL_NS));
        ret[(int)since_s] += filter->each_time[cell];
        for (size_t p = 0; p < DATE_FILTER_PERIODS; p++) {
            float period_s = (float)PERIODS_S[p], cell_s = period_s / DATE_FILTER_AGES;
            float passed_s = (float)fmod(dt_s, PERIODS_S[p]);
            for (size_t age = 0; age < DATE_FILTER_AGES; age++) {
                float likely = filter->at_times[p][cell][age];
                if (likely < AIM_IGNORED)
                    continue;
                float age_s = ((float)age + 0.5f) * cell_s + passed_s;
                ret[(int)(since_s - (age_s < period_s ? age_s : age_s - period_s))] += likely;
            }
        }
    }
}

/* The entropy of what would be answered. */
static double bits_at(const struct date_filter *filter, int64_t t_ns)
{
    double dates[AIM_DATES], bits = 0;
    expect(filter, t_ns, dates);
    for (size_t i = 0; i < AIM_DATES; i++)
        if (dates[i] > 0)
            bits -= dates[i] * log2(dates[i]);
    return bits;
}

/* Where exact bounds are all that is left to narrow, in their middle; INT64_MAX: not in time. */
static int64_t aim_exactly(const struct date_filter *filter, int64_t from_ns, int64_t to_ns)
{
    int64_t offset_ns = filter->exact_low_ns + (filter->exact_high_ns - filter->exact_low_ns) / 2;
    int64_t into_second_ns = (from_ns + offset_ns) % NS_PER_S;
    int64_t at_ns = from_ns + (NS_PER_S - into_second_ns) % NS_PER_S;
    return at_ns <= to_ns ? at_ns : INT64_MAX;
}

static void try_times(const struct date_filter *filter, int64_t from_ns, int64_t to_ns,
                      int64_t step_ns, int64_t *best_ns, double *best_bits)
{
    for (int64_t t_ns = from_ns; t_ns <= to_ns; t_ns += step_ns) {
        double bits = bits_at(filter, t_ns);
        if (bits <= *best_bits)
            continue;
        *best_bits = bits;
        *best_ns = t_ns;
    }
}

struct mono_time date_filter_aim(const struct date_filter *filter, struct mono_time from,
                                 struct mono_time to, double *ret_bits)
{
    int64_t best_ns = from.ns, step_ns = (to.ns - from.ns) / AIM_COARSE;
    double bits = 0;
    *ret_bits = 1;
    if (!filter->known || step_ns <= 0)
        return from;
    struct date_range grid = grid_range(filter);
    if (is_exact(filter, &grid)) {
        int64_t left_ns = filter->exact_high_ns - filter->exact_low_ns;
        int64_t at_ns = aim_exactly(filter, from.ns, to.ns);
        *ret_bits = at_ns == INT64_MAX || left_ns <= 2 * EXACT_AT_LEAST_NS ? 0 : 1;
        return at_ns == INT64_MAX ? from : (struct mono_time){at_ns};
    }
    try_times(filter, from.ns, to.ns, step_ns, &best_ns, &bits);
    int64_t around_ns = best_ns, fine_ns = step_ns / AIM_FINE;
    if (fine_ns > 0)
        try_times(filter, around_ns - step_ns + fine_ns, around_ns + step_ns - fine_ns, fine_ns,
                  &best_ns, &bits);
    *ret_bits = bits;
    return (struct mono_time){best_ns < from.ns ? from.ns : best_ns > to.ns ? to.ns : best_ns};
}
