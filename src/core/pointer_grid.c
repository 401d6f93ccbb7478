/*
 * pointer_grid.c: the least distance between positions is the step; its length is refined over an
 * ever longer stretch. A few positions beside the grid, and it is learned anew.
 */
#include "tutti/core/pointer_grid.h"

#include <math.h>
#include <string.h>

/* Positions are whole frames. */
static const double ROUNDING_FRAMES = 1.5;
/* A distance this much shorter than the step is a step, and that was several. */
static const double SHORTER = 0.75;
static const unsigned AGREEING_MIN = 8;
static const unsigned AGREEING_MAX = 32;
/* What one position beside the grid costs: three in a row end it. */
static const unsigned DISAGREEING = 11;
/* The stretch over which the length is learned: a thousand steps give it to a thousandth of a
 * frame, and a crystal's wander does not matter yet. */
static const int64_t STEPS_MAX = 4096;

void pointer_grid_init(struct pointer_grid *grid)
{
    memset(grid, 0, sizeof *grid);
}

static void start_at(struct pointer_grid *grid, int64_t position_frames, double step_frames)
{
    *grid = (struct pointer_grid){.started = true,
                                  .origin_frames = position_frames,
                                  .last_frames = position_frames,
                                  .step_frames = step_frames};
}

/* The origin moves on by half, so that the length of a step follows the card's rate. */
static void shorten_stretch(struct pointer_grid *grid)
{
    int64_t half = grid->steps / 2;
    grid->origin_frames += llround((double)half * grid->step_frames);
    grid->steps -= half;
}

static void agree(struct pointer_grid *grid, int64_t position_frames, int64_t steps)
{
    grid->steps += steps;
    grid->last_frames = position_frames;
    grid->step_frames = (double)(position_frames - grid->origin_frames) / (double)grid->steps;
    if (grid->agreeing < AGREEING_MAX)
        grid->agreeing++;
    if (grid->steps > STEPS_MAX)
        shorten_stretch(grid);
}

static void disagree(struct pointer_grid *grid, int64_t position_frames)
{
    if (grid->agreeing > DISAGREEING)
        grid->agreeing -= DISAGREEING; /* the last one that agreed stays where it is */
    else
        start_at(grid, position_frames, 0);
}

void pointer_grid_observe(struct pointer_grid *grid, int64_t position_frames)
{
    double moved = (double)(position_frames - grid->last_frames);
    if (!grid->started || moved < 0) {
        start_at(grid, position_frames, 0);
    } else if (moved == 0) {
        return;
    } else if (grid->step_frames == 0 ||
               (grid->agreeing < AGREEING_MIN && moved < SHORTER * grid->step_frames)) {
        start_at(grid, grid->last_frames, moved);
        agree(grid, position_frames, 1);
    } else {
        double steps = round(moved / grid->step_frames);
        double off = fabs(moved - steps * grid->step_frames);
        /* The length is known to a frame over the stretch so far. */
        double allowed = ROUNDING_FRAMES + steps / (double)grid->steps;
        if (steps >= 1 && off <= allowed)
            agree(grid, position_frames, (int64_t)steps);
        else
            disagree(grid, position_frames);
    }
}

double pointer_grid_step(const struct pointer_grid *grid)
{
    return grid->agreeing >= AGREEING_MIN ? grid->step_frames : 0;
}

double pointer_grid_next(const struct pointer_grid *grid, double frame)
{
    double steps = ceil((frame - (double)grid->last_frames) / grid->step_frames);
    return (double)grid->last_frames + steps * grid->step_frames;
}
