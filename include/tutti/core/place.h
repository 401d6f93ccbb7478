/*
 * place.h: which item of the playlist is current, where several have its track.
 *
 * The backend tells the current track by its track_id, and by "the first item with it" it means the
 * current one. So in A, A, B it never leaves the first two, and in A, B, A, C nobody comes to C.
 * A hub tells the item, too, and that is it. Else the place is remembered here, as the item's id,
 * and follows from what is told:
 *
 *   - an order from here leads to it (place_expect), and its track is told;
 *   - the track begins anew when its time was over: the next item, if it has the same track;
 *   - another track is told: the next item that is one with it, else the one before, else the first;
 *   - otherwise it stays. When the item is removed, it is the nearest one with its track.
 *
 * Everybody in a session comes to the same place by these, except where somebody else has named one
 * of several items with a track: on the wire, there is only the track.
 */
#ifndef TUTTI_CORE_PLACE_H
#define TUTTI_CORE_PLACE_H

#include "tutti/core/playlist.h"
#include "tutti/core/protocol.h"

/* Zeroed: nothing was told yet. */
struct place {
    char item_id[PROTOCOL_ID_MAX]; /* "" none */
    int position;                  /* where it stood when it was last seen */
    struct playback_state told;    /* the last state */
    bool has_told;
    char expected[PROTOCOL_ID_MAX]; /* the item that an order from here leads to; "" none */
    struct mono_time expected_until;
};

/* An order has been given that leads to this item. */
void place_expect(struct place *place, const struct playlist_item *item, struct mono_time now);
/* A state was told. length_s: of the track before, < 0: not known. */
void place_heard(struct place *place, const struct playlist_message *playlist,
                 const struct playback_state *playback, double length_s, struct mono_time now);
/* The list has changed. */
void place_follow(struct place *place, const struct playlist_message *playlist);

/* NULL: there is none, or the playlist does not have it. */
const struct playlist_item *place_item(const struct place *place,
                                       const struct playlist_message *playlist);

#endif
