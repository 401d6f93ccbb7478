/*
 * trace.c: see trace.h. Each step keeps the error that is farthest from nothing, so that no
 * excursion is missed.
 */
#include "trace.h"

#include <math.h>
#include <string.h>

#define SCALE_MIN_US 10
#define DOTS_PER_ROW 4
/* The daemon tells four times a second; a step or two without is no silence. */
#define GAP_STEPS_MAX 3

void trace_clear(struct trace *trace)
{
    for (int i = 0; i < TRACE_STEPS; i++)
        trace->error_us[i] = NAN;
    trace->newest = -1;
}

static float *slot(struct trace *trace, int64_t step)
{
    return &trace->error_us[step % TRACE_STEPS];
}

/* What it was so many steps before the newest. */
static float value_before(const struct trace *trace, int64_t steps)
{
    int64_t step = trace->newest - steps;
    return step >= 0 && steps < TRACE_STEPS ? trace->error_us[step % TRACE_STEPS] : NAN;
}

void trace_add(struct trace *trace, int64_t now_ms, double error_us)
{
    int64_t step = now_ms / TRACE_STEP_MS;
    float value = (float)error_us;
    if (trace->newest >= 0 && step <= trace->newest) {
        float *newest = slot(trace, trace->newest);
        if (isfinite(value) && !(fabsf(value) <= fabsf(*newest)))
            *newest = value;
        return;
    }
    int64_t gap = trace->newest >= 0 ? step - trace->newest - 1 : 0;
    float held = gap <= GAP_STEPS_MAX ? value : NAN;
    if (gap >= TRACE_STEPS)
        trace_clear(trace);
    for (int64_t i = 1; i <= gap && gap < TRACE_STEPS; i++)
        *slot(trace, step - i) = held;
    *slot(trace, step) = value;
    trace->newest = step;
}

double trace_scale_us(const struct trace *trace, int steps)
{
    static const double nice[] = {1, 2, 5, 10};
    double largest = SCALE_MIN_US;
    for (int i = 0; i < steps; i++)
        largest = fmax(largest, fabsf(value_before(trace, i))); /* fmax() passes NAN over */
    double power = pow(10, floor(log10(largest)));
    for (size_t i = 0; i < sizeof nice / sizeof *nice; i++) {
        if (largest <= nice[i] * power)
            return nice[i] * power;
    }
    return 10 * power;
}

/* 0 at the top; -1: nothing to show. */
static int level(float error_us, double scale_us, int levels)
{
    if (!isfinite(error_us))
        return -1;
    double from_top = (1 - fmax(-1, fmin(1, error_us / scale_us))) / 2;
    return (int)fmin(floor(from_top * levels), levels - 1);
}

static void set_dots(unsigned char *cells, int columns, int x, int from, int to)
{
    static const unsigned char bits[2][DOTS_PER_ROW] = {{0x01, 0x02, 0x04, 0x40},
                                                        {0x08, 0x10, 0x20, 0x80}};
    for (int y = from < to ? from : to; y <= (from < to ? to : from); y++)
        cells[y / DOTS_PER_ROW * columns + x / 2] |= bits[x % 2][y % DOTS_PER_ROW];
}

static void write_row(const unsigned char *cells, int columns, const char *empty, char *to)
{
    for (int i = 0; i < columns; i++) {
        char dots[] = {(char)0xe2, (char)(0xa0 + (cells[i] >> 6)), (char)(0x80 + (cells[i] & 0x3f)),
                       '\0'};
        strcpy(to, cells[i] ? dots : empty); /* U+2800 and what is set of its eight dots */
        to += strlen(to);
    }
}

void trace_plot(const struct trace *trace, int rows, int columns, double scale_us, char *to[])
{
    unsigned char cells[TRACE_ROWS_MAX * TRACE_STEPS / 2] = {0};
    int levels = rows * DOTS_PER_ROW, previous = -1;
    if (columns > TRACE_STEPS / 2)
        columns = TRACE_STEPS / 2;
    for (int x = 0; x < 2 * columns; x++) {
        int now = level(value_before(trace, 2 * columns - 1 - x), scale_us, levels);
        if (now >= 0)
            set_dots(cells, columns, x, previous >= 0 ? previous : now, now);
        previous = now;
    }
    for (int row = 0; row < rows; row++)
        write_row(cells + row * columns, columns, 2 * row + 1 == rows ? "┄" : " ", to[row]);
}
