/*
 * session_saver.h: keeps what a speaker must not forget, beside the loop.
 *
 * However often something changes, one save is under way and one is to follow it, of the latest
 * state: a rotary knob wears no SD card out, and nothing queues up behind a slow one.
 */
#ifndef TUTTI_IO_SESSION_SAVER_H
#define TUTTI_IO_SESSION_SAVER_H

#include "tutti/io/session_file.h"

#include <stdint.h>

struct background;
struct session_saver;

/* state_dir is copied. NULL when out of memory. */
struct session_saver *session_saver_create(struct background *background, const char *state_dir);
/* What was to be saved still is, at the latest when the background is destroyed. NULL is fine. */
void session_saver_destroy(struct session_saver *saver);

/* The state is copied now. A disk that stays full is complained of once, until a save succeeds. */
void session_saver_save(struct session_saver *saver, const struct session_state *state);
/* How often the file was written, or should have been. */
uint64_t session_saver_count(const struct session_saver *saver);

#endif
