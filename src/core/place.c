/*
 * place.c: see place.h.
 */
#include "tutti/core/place.h"

#include <string.h>

/* An order that has not been echoed by then has been ended (core/orders). */
static const int64_t EXPECTED_NS = 10 * NS_PER_S;
/* So much before the end of a track its time counts as over: what goes on early, and how far the
 * playlist's whole seconds may be wrong. */
static const double END_SLACK_S = 0.5;
static const double ROUNDED_SLACK_S = 1.5;

static const struct playlist_item *item_at(const struct playlist_message *playlist, int position)
{
    return position >= 0 && position < (int)playlist->count ? &playlist->items[position] : NULL;
}

static bool has_track(const struct playlist_item *item, const char *track_id)
{
    return item && strcmp(item->track_id, track_id) == 0;
}

/* Wherever it stands now, whatever its track. */
static const struct playlist_item *remembered(const struct place *place,
                                              const struct playlist_message *playlist)
{
    const struct playlist_item *item = item_at(playlist, place->position);
    if (!place->item_id[0])
        return NULL;
    if (item && strcmp(item->id, place->item_id) == 0)
        return item;
    return playlist_find(playlist, place->item_id);
}

const struct playlist_item *place_item(const struct place *place,
                                       const struct playlist_message *playlist)
{
    const struct playlist_item *item = remembered(place, playlist);
    return place->has_told && place->told.has_track && has_track(item, place->told.track_id) ? item
                                                                                             : NULL;
}

static void stand_at(struct place *place, const struct playlist_message *playlist,
                     const struct playlist_item *item)
{
    place->item_id[0] = '\0';
    if (!item)
        return;
    memcpy(place->item_id, item->id, sizeof place->item_id);
    place->position = playlist_position(playlist, item);
}

/* From where it stands, or stood before its item was removed. */
static const struct playlist_item *
nearest(const struct place *place, const struct playlist_message *playlist, const char *track_id)
{
    const struct playlist_item *from = remembered(place, playlist);
    int here = from ? playlist_position(playlist, from) : place->position;
    const struct playlist_item *next = item_at(playlist, from ? here + 1 : here);
    const struct playlist_item *before = item_at(playlist, here - 1);
    if (has_track(next, track_id))
        return next;
    return has_track(before, track_id) ? before : playlist_find_track(playlist, track_id);
}

void place_expect(struct place *place, const struct playlist_item *item, struct mono_time now)
{
    memcpy(place->expected, item->id, sizeof place->expected);
    place->expected_until = mono_add(now, EXPECTED_NS);
}

static const struct playlist_item *take_expected(struct place *place,
                                                 const struct playlist_message *playlist,
                                                 const char *track_id, struct mono_time now)
{
    const struct playlist_item *item =
        place->expected[0] ? playlist_find(playlist, place->expected) : NULL;
    if (mono_sub(now, place->expected_until) > 0)
        place->expected[0] = '\0';
    if (!place->expected[0] || !has_track(item, track_id))
        return NULL;
    place->expected[0] = '\0';
    return item;
}

/* It had been played to its end when this was stamped. */
static bool was_over(const struct place *place, const struct playlist_item *item,
                     const struct playback_state *playback, double length_s)
{
    const struct playback_state *told = &place->told;
    double played_s =
        told->position_ms * 1e-3 + ns_to_s(server_sub(playback->updated_at, told->updated_at));
    if (!told->playing)
        return false;
    if (length_s >= 0)
        return played_s >= length_s - END_SLACK_S;
    return item->duration_s > 0 && played_s >= item->duration_s - ROUNDED_SLACK_S;
}

static bool is_told_again(const struct place *place, const struct playback_state *playback)
{
    return place->has_told && place->told.updated_at.ns == playback->updated_at.ns;
}

/* The one that was told, where the playlist has it. */
static const struct playlist_item *named(const struct playlist_message *playlist,
                                         const struct playback_state *playback)
{
    const struct playlist_item *item =
        playback->item_id[0] ? playlist_find(playlist, playback->item_id) : NULL;
    return has_track(item, playback->track_id) ? item : NULL;
}

static const struct playlist_item *find_place(struct place *place,
                                              const struct playlist_message *playlist,
                                              const struct playback_state *playback,
                                              double length_s, struct mono_time now)
{
    const struct playlist_item *here = place_item(place, playlist), *next;
    const struct playlist_item *expected = NULL;
    if (!playback->has_track)
        return NULL;
    if (named(playlist, playback))
        return named(playlist, playback);
    if (!is_told_again(place, playback))
        expected = take_expected(place, playlist, playback->track_id, now);
    if (expected)
        return expected;
    if (!has_track(here, playback->track_id))
        return nearest(place, playlist, playback->track_id);
    next = playlist_step(playlist, here, 1);
    bool anew = !is_told_again(place, playback) && playback->position_ms == 0;
    if (anew && has_track(next, playback->track_id) && was_over(place, here, playback, length_s))
        return next;
    return here;
}

void place_heard(struct place *place, const struct playlist_message *playlist,
                 const struct playback_state *playback, double length_s, struct mono_time now)
{
    const struct playlist_item *item = find_place(place, playlist, playback, length_s, now);
    stand_at(place, playlist, item);
    place->told = *playback;
    place->has_told = true;
}

void place_follow(struct place *place, const struct playlist_message *playlist)
{
    const struct playlist_item *here = place->has_told ? named(playlist, &place->told) : NULL;
    if (!here)
        here = place_item(place, playlist);
    if (!here && place->has_told && place->told.has_track)
        here = nearest(place, playlist, place->told.track_id);
    stand_at(place, playlist, here);
}
