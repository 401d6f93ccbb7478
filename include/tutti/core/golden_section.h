/*
 * golden_section.h: the minimum of a function that has only one, by golden-section search: J.
 * Kiefer, "Sequential minimax search for a maximum", Proc. AMS 4 (1953). One evaluation per step,
 * each of which leaves 0.618 of the range; no derivative is needed.
 */
#ifndef TUTTI_CORE_GOLDEN_SECTION_H
#define TUTTI_CORE_GOLDEN_SECTION_H

/* cost is unimodal between low and high. Returns the middle of what is left of the range after
 * steps: at most (high - low) * 0.618^steps / 2 from the minimum. */
double golden_section_minimum(double (*cost)(const void *context, double x), const void *context,
                              double low, double high, int steps);

#endif
