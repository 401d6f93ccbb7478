/*
 * amplifier.h: switches an amplifier on and off, by the administrator's commands on_play and
 * on_stop: on when something is about to sound, off when the sound device was let go. Short pauses
 * and devices that are lost and come back switch nothing.
 */
#ifndef TUTTI_DAEMON_AMPLIFIER_H
#define TUTTI_DAEMON_AMPLIFIER_H

#include <stdbool.h>
#include <stdint.h>

struct amplifier;
struct loop;
struct player_status;

/* on_play, on_stop: shell commands or "", which outlive it. NULL when out of memory. */
struct amplifier *amplifier_create(struct loop *loop, const char *on_play, const char *on_stop,
                                   int64_t timeout_ns);
void amplifier_destroy(struct amplifier *amplifier);

/* What the player does now. */
void amplifier_follow(struct amplifier *amplifier, const struct player_status *player);

/* A command of them runs still. */
bool amplifier_is_switching(const struct amplifier *amplifier);

/* The daemon stops: switches off, and serves the loop until that is done (or has timed out). */
void amplifier_finish(struct amplifier *amplifier);

#endif
