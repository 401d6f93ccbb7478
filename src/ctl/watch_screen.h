/*
 * watch_screen.h: the terminal: views out, keys in. The only source that knows ncurses.
 */
#ifndef TUTTI_CTL_WATCH_SCREEN_H
#define TUTTI_CTL_WATCH_SCREEN_H

#include "view.h"
#include "watch_model.h"

/* False when this terminal cannot be used. On true, watch_screen_close() gives it back as it was.
 */
bool watch_screen_open(void);
void watch_screen_close(void);

void watch_screen_size(int *ret_rows, int *ret_columns);
/* After SIGWINCH. */
void watch_screen_resized(void);

/* Sends what differs from what the terminal shows. */
void watch_screen_draw(const struct view *view);

/* The next key that waits; false: none. Keys that mean nothing to the model are passed over. */
bool watch_screen_key(struct watch_key *ret_key);

#endif
