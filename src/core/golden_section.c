/*
 * golden_section.c: two points inside the range, each at the golden section of it; the half beyond
 * the worse one goes, and the better one is the golden section of the rest already.
 */
#include "tutti/core/golden_section.h"

#include "tutti/core/golden_walk.h"

double golden_section_minimum(double (*cost)(const void *context, double x), const void *context,
                              double low, double high, int steps)
{
    double left = high - GOLDEN_RATIO * (high - low), right = low + GOLDEN_RATIO * (high - low);
    double at_left = cost(context, left), at_right = cost(context, right);
    for (int step = 0; step < steps; step++) {
        if (at_left < at_right) {
            high = right;
            right = left;
            at_right = at_left;
            left = high - GOLDEN_RATIO * (high - low);
            at_left = cost(context, left);
        } else {
            low = left;
            left = right;
            at_left = at_right;
            right = low + GOLDEN_RATIO * (high - low);
            at_right = cost(context, right);
        }
    }
    return low + (high - low) / 2;
}
