/*
 * rate_bridge.h: carries a stretch of sound at one rate over into a track at another.
 *
 * For the odd stream that changes its rate in the middle. n frames at one rate become
 * n * to / from, rounded, at the other, without delay.
 */
#ifndef TUTTI_AUDIO_RATE_BRIDGE_H
#define TUTTI_AUDIO_RATE_BRIDGE_H

#include <stddef.h>

struct rate_bridge;

/* NULL when out of memory. */
struct rate_bridge *rate_bridge_create(double from_hz, double to_hz);
void rate_bridge_destroy(struct rate_bridge *bridge);

/* At most so many frames may have been pushed and not pulled. */
#define RATE_BRIDGE_FRAMES_MAX 4096

/* Appends stereo frames. After the last stretch: finish. */
void rate_bridge_push(struct rate_bridge *bridge, const float *frames, size_t count);
void rate_bridge_finish(struct rate_bridge *bridge);

/* Takes up to count converted frames; 0 when more must be pushed, or, finished, when it is empty.
 */
size_t rate_bridge_pull(struct rate_bridge *bridge, float *frames, size_t count);

#endif
