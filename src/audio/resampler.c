/*
 * resampler.c: steps through the input in fixed point, and weighs what is around each position.
 *
 * The input is kept as one window per channel, so that each coefficient serves both. Vectors are
 * the compiler's: SSE2, NEON, or plain floats where there is neither.
 */
#include "tutti/audio/resampler.h"

#include "filter_bank.h"

#include <assert.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static const double PPM_MAX = 10000;
#define RATE_MIN_HZ 8000
#define RATE_MAX_HZ 768000
/* What the window holds beyond the filter: it is moved back to its beginning once in so many. */
#define ROOM_FRAMES 1024

/* A place or a distance in the input: whole frames and 2^-64 of a frame. */
struct fixed {
    int64_t whole;
    uint64_t part;
};

struct resampler {
    const struct filter_bank *bank;
    struct fixed nominal; /* step per output frame, uncorrected */
    struct fixed step;
    struct fixed at; /* of the next output frame */
    int64_t fed;     /* the input frame that is wanted next; the window ends before it */
    size_t count;    /* of frames in the window */
    size_t room;     /* that it has place for */
    float *window[RESAMPLER_CHANNELS];
};

static struct fixed fixed_add(struct fixed a, struct fixed b)
{
    uint64_t part = a.part + b.part;
    return (struct fixed){a.whole + b.whole + (part < a.part), part};
}

/* a * count, count < 2^31. */
static struct fixed fixed_times(struct fixed a, uint64_t count)
{
    uint64_t low = (a.part & UINT32_MAX) * count;
    uint64_t high = (a.part >> 32) * count + (low >> 32);
    return (struct fixed){a.whole * (int64_t)count + (int64_t)(high >> 32),
                          high << 32 | (low & UINT32_MAX)};
}

static struct fixed fixed_of(int64_t whole, double fraction)
{
    double floored = floor(fraction);
    double rest = fraction - floored;
    if (rest >= 1) /* a little less than a whole number, rounded to it */
        return (struct fixed){whole + (int64_t)floored + 1, 0};
    return (struct fixed){whole + (int64_t)floored, (uint64_t)ldexp(rest, 64)};
}

/* in / out to the last bit: long division, 32 bits at a time. */
static struct fixed fixed_ratio(uint64_t in, uint64_t out)
{
    uint64_t rest = in % out;
    uint64_t high = (rest << 32) / out;
    uint64_t low = ((rest << 32) % out << 32) / out;
    return (struct fixed){(int64_t)(in / out), high << 32 | low};
}

static double fixed_to_double(struct fixed a)
{
    return (double)a.whole + ldexp((double)a.part, -64);
}

static unsigned half_taps(const struct resampler *resampler)
{
    return resampler->bank->taps / 2;
}

bool resampler_takes(unsigned in_rate_hz, unsigned out_rate_hz)
{
    return in_rate_hz >= RATE_MIN_HZ && in_rate_hz <= RATE_MAX_HZ && out_rate_hz >= RATE_MIN_HZ &&
           out_rate_hz <= RATE_MAX_HZ;
}

struct resampler *resampler_create(unsigned in_rate_hz, unsigned out_rate_hz,
                                   enum resampler_quality quality)
{
    assert(resampler_takes(in_rate_hz, out_rate_hz));
    struct resampler *resampler = calloc(1, sizeof *resampler);
    if (!resampler)
        return NULL;
    resampler->bank = filter_bank_take(in_rate_hz, out_rate_hz, quality);
    resampler->room = resampler->bank ? resampler->bank->taps + ROOM_FRAMES : 0;
    resampler->window[0] = calloc(resampler->room * RESAMPLER_CHANNELS, sizeof(float));
    if (!resampler->bank || !resampler->window[0]) {
        resampler_destroy(resampler);
        return NULL;
    }
    resampler->window[1] = resampler->window[0] + resampler->room;
    resampler->nominal = resampler->step = fixed_ratio(in_rate_hz, out_rate_hz);
    resampler_start(resampler, (struct resampler_position){0});
    return resampler;
}

void resampler_destroy(struct resampler *resampler)
{
    if (!resampler)
        return;
    filter_bank_give_back(resampler->bank);
    free(resampler->window[0]);
    free(resampler);
}

int64_t resampler_start(struct resampler *resampler, struct resampler_position position)
{
    resampler->at = fixed_of(position.frame, position.fraction);
    resampler->count = 0;
    resampler->fed = resampler->at.whole + 1 - half_taps(resampler);
    return resampler->fed;
}

double resampler_set_ppm(struct resampler *resampler, double ppm)
{
    ppm = fmin(fmax(ppm, -PPM_MAX), PPM_MAX);
    double nominal = fixed_to_double(resampler->nominal);
    resampler->step = fixed_add(resampler->nominal, fixed_of(0, nominal * ppm * 1e-6));
    return ppm;
}

double resampler_step(const struct resampler *resampler)
{
    return fixed_to_double(resampler->step);
}

struct resampler_position resampler_position(const struct resampler *resampler)
{
    /* Cut to the 53 bits of a double, or the last values before 1 would be rounded to it. */
    double fraction = ldexp((double)(resampler->at.part >> 11), -53);
    return (struct resampler_position){resampler->at.whole, fraction};
}

/* --- the inner product ---------------------------------------------------------------------- */

#if defined(__SSE2__) || defined(__ARM_NEON)
typedef float lanes __attribute__((vector_size(4 * sizeof(float)), may_alias));
/* The same, where it need not lie on a multiple of its size. */
typedef float loose_lanes __attribute__((vector_size(4 * sizeof(float)), aligned(4), may_alias));
#define LANES 4

static lanes all(float value)
{
    return (lanes){value, value, value, value};
}

static void put_sums(lanes left, lanes right, float *out)
{
    lanes low = {left[0], right[0], left[1], right[1]};
    lanes high = {left[2], right[2], left[3], right[3]};
    lanes pairs = low + high;
    lanes sums = pairs + (lanes){pairs[2], pairs[3], pairs[0], pairs[1]};
    memcpy(out, &sums, RESAMPLER_CHANNELS * sizeof *out);
}
#else
typedef float lanes;
typedef float loose_lanes;
#define LANES 1

static lanes all(float value)
{
    return value;
}

static void put_sums(lanes left, lanes right, float *out)
{
    out[0] = left;
    out[1] = right;
}
#endif
_Static_assert(FILTER_TAPS_UNIT % (2 * LANES) == 0, "taps come in pairs of vectors");

static lanes load(const float *from)
{
    return *(const lanes *)from;
}

static lanes load_loose(const float *from)
{
    return *(const loose_lanes *)from;
}

/* One output frame, of the phase with these coefficients, `within` (0 to 1) it. Two sums per
 * channel, so that an addition need not wait for the one before; the index runs up to 0, which
 * spares a comparison. */
static void weigh(const float *coefficients, size_t taps, float within, const float *left,
                  const float *right, float *out)
{
    const float *c0 = coefficients + taps, *c1 = c0 + taps, *c2 = c1 + taps;
    lanes t = all(within);
    lanes even_left = all(0), even_right = all(0), odd_left = all(0), odd_right = all(0);
    left += taps;
    right += taps;
    ptrdiff_t i = -(ptrdiff_t)taps;
    do {
        ptrdiff_t j = i + LANES;
        lanes even = (load(c2 + i) * t + load(c1 + i)) * t + load(c0 + i);
        lanes odd = (load(c2 + j) * t + load(c1 + j)) * t + load(c0 + j);
        even_left += even * load_loose(left + i);
        even_right += even * load_loose(right + i);
        odd_left += odd * load_loose(left + j);
        odd_right += odd * load_loose(right + j);
        i += 2 * LANES;
    } while (i != 0);
    put_sums(even_left + odd_left, even_right + odd_right, out);
}

/* --- the window ----------------------------------------------------------------------------- */

/* Where in the window the filter of the next output frame begins. */
static int64_t filter_begin(const struct resampler *resampler)
{
    int64_t first = resampler->fed - (int64_t)resampler->count;
    return resampler->at.whole + 1 - half_taps(resampler) - first;
}

/* Output frames, as far as the window reaches. On its own, its loop keeps what it needs in
 * registers. */
static __attribute__((noinline)) size_t render(struct resampler *resampler, float *out,
                                               size_t capacity)
{
    const struct filter_bank *bank = resampler->bank;
    const size_t taps = bank->taps, row = taps * FILTER_DEGREES;
    const unsigned bits = bank->phase_bits;
    const struct fixed step = resampler->step;
    const int64_t begin = filter_begin(resampler);
    const int64_t last = (int64_t)resampler->count - (int64_t)taps;
    struct fixed at = {begin, resampler->at.part};
    size_t done = 0;
    for (; done < capacity && at.whole <= last; done++) {
        size_t phase = (size_t)(at.part >> (64 - bits));
        float within = (float)(int32_t)(at.part << bits >> 40) * 0x1p-24f;
        weigh(bank->rows + phase * row, taps, within, resampler->window[0] + at.whole,
              resampler->window[1] + at.whole, out + done * RESAMPLER_CHANNELS);
        at = fixed_add(at, step);
    }
    resampler->at.whole += at.whole - begin;
    resampler->at.part = at.part;
    return done;
}

/* Input frames that `frames` more output frames need. */
static size_t frames_wanting(const struct resampler *resampler, size_t frames)
{
    struct fixed last = fixed_add(resampler->at, fixed_times(resampler->step, frames - 1));
    int64_t until = last.whole + half_taps(resampler) + 1;
    return until > resampler->fed ? (size_t)(until - resampler->fed) : 0;
}

static void forget_heard(struct resampler *resampler)
{
    size_t begin = (size_t)filter_begin(resampler);
    resampler->count -= begin;
    for (int c = 0; c < RESAMPLER_CHANNELS; c++)
        memmove(resampler->window[c], resampler->window[c] + begin,
                resampler->count * sizeof(float));
}

/* Appends to the window as much of `frames` as it has room for. */
static size_t take(struct resampler *resampler, const float *in, size_t frames)
{
    if (resampler->count + frames > resampler->room)
        forget_heard(resampler);
    size_t room = resampler->room - resampler->count;
    size_t count = frames < room ? frames : room;
    float *left = resampler->window[0] + resampler->count;
    float *right = resampler->window[1] + resampler->count;
    for (size_t i = 0; i < count; i++) {
        left[i] = in[i * RESAMPLER_CHANNELS];
        right[i] = in[i * RESAMPLER_CHANNELS + 1];
    }
    resampler->count += count;
    resampler->fed += (int64_t)count;
    return count;
}

size_t resampler_process(struct resampler *resampler, const float *in, size_t in_frames,
                         size_t *ret_used, float *out, size_t out_capacity)
{
    size_t used = 0, done = 0;
    for (;;) {
        done += render(resampler, out + done * RESAMPLER_CHANNELS, out_capacity - done);
        size_t left = in_frames - used;
        if (done == out_capacity || left == 0)
            break;
        size_t wanting = frames_wanting(resampler, out_capacity - done);
        used += take(resampler, in + used * RESAMPLER_CHANNELS, wanting < left ? wanting : left);
    }
    *ret_used = used;
    return done;
}
