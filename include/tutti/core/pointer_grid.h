/*
 * pointer_grid.h: in what steps does a card's pointer move, and where is the next one?
 *
 * A pointer that moves once per millisecond, or per period, is exact in the instant in which it has
 * moved, and stale for the rest of the step. Whoever knows the steps can look in that instant: one
 * such look tells more than a hundred at random.
 *
 * In: positions, as looks show them. Out: the positions that the pointer stops at, if they are
 * evenly spaced. Frames may be fractional: 1 ms at 44.1 kHz is 44 and 45 frames in turn.
 */
#ifndef TUTTI_CORE_POINTER_GRID_H
#define TUTTI_CORE_POINTER_GRID_H

#include <stdbool.h>
#include <stdint.h>

struct pointer_grid {
    bool started;
    int64_t origin_frames; /* a position that was shown */
    int64_t last_frames;
    int64_t steps;      /* from the origin to the last; its length is learned over all of them */
    double step_frames; /* 0: not known yet */
    unsigned agreeing;  /* positions in a row that lie on the grid */
};

void pointer_grid_init(struct pointer_grid *grid);

void pointer_grid_observe(struct pointer_grid *grid, int64_t position_frames);

/* The length of a step, or 0: no steps are known. */
double pointer_grid_step(const struct pointer_grid *grid);

/* The first position at or after `frame` at which the pointer stops. Only where there are steps. */
double pointer_grid_next(const struct pointer_grid *grid, double frame);

#endif
