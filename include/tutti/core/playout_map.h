/*
 * playout_map.h: which track position each queued frame of the card will sound.
 *
 * The player appends what it writes to the sink, as segments in which track time advances by a
 * constant step per card frame. What is heard at a card frame, and what the next frame to be
 * written will be, follow exactly, however often the rate was corrected or the queue rewritten.
 */
#ifndef TUTTI_CORE_PLAYOUT_MAP_H
#define TUTTI_CORE_PLAYOUT_MAP_H

#include <stdbool.h>
#include <stdint.h>

/* Two seconds of queue in slices of a few milliseconds; the oldest is forgotten beyond that. */
#define PLAYOUT_MAP_SEGMENTS 256

struct playout_segment {
    int64_t first_frame;
    int64_t end_frame; /* exclusive */
    bool sounding;     /* false: silence, not part of any track */
    double position_s; /* track time at first_frame */
    double step_s;     /* track time per card frame */
};

struct playout_map {
    struct playout_segment segments[PLAYOUT_MAP_SEGMENTS];
    unsigned head; /* index of the oldest */
    unsigned count;
};

void playout_map_clear(struct playout_map *map);

/* frames > 0 card frames from first_frame on, which must be where the map ends (any, if empty). */
void playout_map_append_sound(struct playout_map *map, int64_t first_frame, int64_t frames,
                              double position_s, double step_s);
void playout_map_append_silence(struct playout_map *map, int64_t first_frame, int64_t frames);

/* Forgets everything from frame on: the queue was rewound to it. */
void playout_map_truncate(struct playout_map *map, int64_t frame);

/* The card frame after the last one appended; 0 when empty. */
int64_t playout_map_end(const struct playout_map *map);

/*
 * Track time that sounds at a card frame (fractional). False when that frame is silence or is
 * not known (not yet written, or long past).
 */
bool playout_map_position_at(const struct playout_map *map, double frame, double *ret_position_s);

#endif
