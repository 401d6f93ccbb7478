/*
 * advance.c: see advance.h.
 */
#include "tutti/core/advance.h"

#include <math.h>
#include <string.h>

/* A command is stamped when the backend hears of it, 3 to 6 ms after it was sent, and heard 30 ms
 * after that (the player's lead). Sent so long before the end, it leaves no silence between the
 * tracks. */
static const double LEAD_S = 0.035;
/* A backend that refuses it is not asked in every tick. */
static const int64_t AGAIN_NS = 5 * NS_PER_S;
/* Speakers in step come to the end within a ms, and each order is heard, or repeated, within the
 * two seconds that its echo is waited for (daemon/link_order). */
static const int64_t ORDERS_SPREAD_NS = 2 * NS_PER_S;
#define SAME_POSITION_MS 1.5

static void copy_id(char *to, const char *from)
{
    memcpy(to, from, PROTOCOL_ID_MAX);
}

/* item: the current one; there is one where something ends. */
static struct advance_order next_order(const struct advance_facts *facts,
                                       const struct playlist_item *item)
{
    struct advance_order order = {.playing = true};
    if (!item)
        return (struct advance_order){0};
    const struct playlist_item *next = playlist_step(facts->playlist, item, 1);
    if (!next && facts->repeat_all)
        next = &facts->playlist->items[0];
    if (!next) { /* the last one: silence, at its end */
        next = item;
        order.playing = false;
        order.position_ms = floor(facts->length_s * 1e3);
    }
    copy_id(order.track_id, next->track_id);
    return order;
}

static const struct playlist_item *current_item(const struct advance_facts *facts)
{
    const struct playback_state *playback = facts->playback;
    return playback->has_track ? playlist_find_track(facts->playlist, playback->track_id) : NULL;
}

double advance_left_s(const struct advance *advance, const struct advance_facts *facts,
                      struct mono_time now)
{
    const struct playback_state *playback = facts->playback;
    bool said = advance->said && advance->stamp.ns == playback->updated_at.ns;
    if (said || !playback->playing || !current_item(facts) || facts->length_s < 0)
        return INFINITY;
    double music_s = fmax(facts->length_s - LEAD_S - facts->position_s, 0);
    return fmax(music_s, ns_to_s(mono_sub(advance->again_at, now)));
}

struct advance_order advance_say(struct advance *advance, const struct advance_facts *facts)
{
    *advance = (struct advance){.said = true,
                                .stamp = facts->playback->updated_at,
                                .pending = true,
                                .order = next_order(facts, current_item(facts))};
    return advance->order;
}

static bool is_echo(const struct advance_order *order, const struct playback_state *playback)
{
    return playback->playing == order->playing &&
           strcmp(playback->track_id, order->track_id) == 0 &&
           fabs(playback->position_ms - order->position_ms) < SAME_POSITION_MS;
}

/* The last order of this end may have been told before that. */
static bool is_over(const struct advance *advance, const struct playback_state *playback)
{
    return advance->echoed &&
           server_sub(playback->updated_at, advance->echo_stamp) > ORDERS_SPREAD_NS;
}

static void note_choice(struct advance *advance, const struct playback_state *playback)
{
    advance->chosen = playback->has_track;
    advance->choice = *playback;
}

static void note_echo(struct advance *advance, const struct playback_state *playback)
{
    if (!advance->echoed)
        advance->echo_stamp = playback->updated_at;
    advance->echoed = true;
}

static struct advance_order give_back(const struct playback_state *choice,
                                      struct server_time server_now)
{
    double since_ms = ns_to_ms(server_sub(server_now, choice->updated_at));
    struct advance_order order = {
        .playing = choice->playing,
        .position_ms = choice->position_ms + (choice->playing ? fmax(since_ms, 0) : 0),
    };
    copy_id(order.track_id, choice->track_id);
    return order;
}

bool advance_heard(struct advance *advance, const struct playback_state *playback,
                   struct server_time server_now, struct advance_order *ret_order)
{
    if (!advance->pending || playback->updated_at.ns == advance->stamp.ns)
        return false;
    if (is_over(advance, playback)) {
        advance->pending = false;
        return false;
    }
    if (!is_echo(&advance->order, playback)) {
        note_choice(advance, playback);
        return false;
    }
    note_echo(advance, playback);
    if (!advance->chosen || server_sub(playback->updated_at, advance->choice.updated_at) < 0)
        return false;
    advance->pending = false;
    *ret_order = give_back(&advance->choice, server_now);
    return true;
}

void advance_failed(struct advance *advance, struct mono_time now)
{
    *advance = (struct advance){.again_at = mono_add(now, AGAIN_NS)};
}
