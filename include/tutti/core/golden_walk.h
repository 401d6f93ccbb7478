/*
 * golden_walk.h: 0 to 1, again and again, never near where it was of late: for what is not to fall
 * into step with anything else, as looks at a card with the steps of its pointer. However many
 * steps were taken, they lie about evenly (Weyl's sequence of the golden ratio).
 */
#ifndef TUTTI_CORE_GOLDEN_WALK_H
#define TUTTI_CORE_GOLDEN_WALK_H

#define GOLDEN_RATIO 0.6180339887498949

static inline double golden_walk(double phase)
{
    double next = phase + GOLDEN_RATIO;
    return next >= 1 ? next - 1 : next;
}

#endif
