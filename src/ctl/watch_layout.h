/*
 * watch_layout.h: the model as a view: what stands where on a screen of any size. Pure.
 */
#ifndef TUTTI_CTL_WATCH_LAYOUT_H
#define TUTTI_CTL_WATCH_LAYOUT_H

#include "view.h"
#include "watch_model.h"

void watch_layout(struct view *view, const struct watch_model *model, int rows, int columns);

#endif
