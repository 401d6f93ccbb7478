/*
 * trace.h: a speaker's drift over the last minutes, and its plot in dots.
 */
#ifndef TUTTI_CTL_TRACE_H
#define TUTTI_CTL_TRACE_H

#include <stddef.h>
#include <stdint.h>

#define TRACE_STEP_MS 500
#define TRACE_STEPS 600 /* two dots in a column of the widest view */
#define TRACE_ROWS_MAX 4

struct trace {
    float error_us[TRACE_STEPS]; /* a ring by step; NAN: silence, or nothing told */
    int64_t newest;              /* step of the newest; -1: none yet */
};

void trace_clear(struct trace *trace);
/* error_us: heard - wanted, positive: ahead; NAN in silence. now_ms never goes back. */
void trace_add(struct trace *trace, int64_t now_ms, double error_us);

/* The largest magnitude among the newest `steps`, rounded up to 1, 2 or 5 times a power of ten; at
 * least 10 us. */
double trace_scale_us(const struct trace *trace, int steps);

/*
 * Rows of braille, the newest at the right, +scale_us at the top: two steps in a column, four
 * levels in a row. The middle of an odd number of rows has an axis. to: one text per row, of
 * columns * 3 + 1 bytes.
 */
void trace_plot(const struct trace *trace, int rows, int columns, double scale_us, char *to[]);

#endif
