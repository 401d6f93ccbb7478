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

/* A track that cannot be played is left after so long; the next in a row after twice as long. */
static const double UNPLAYABLE_S = 5;
static const double UNREACHABLE_S = 15;
static const double PAUSE_MAX_S = 60;

static void copy_id(char *to, const char *from)
{
    memcpy(to, from, PROTOCOL_ID_MAX);
}

static struct advance_order order_of(const struct playlist_item *item, bool playing,
                                     double position_ms)
{
    struct advance_order order = {.playing = playing, .position_ms = position_ms};
    copy_id(order.track_id, item->track_id);
    copy_id(order.item_id, item->id);
    return order;
}

/* Silence: at the track's end, or where there is none. */
static struct advance_order stop_at(const struct advance_facts *facts)
{
    double at_s = facts->length_s >= 0 ? facts->length_s : fmax(facts->position_s, 0);
    return order_of(facts->item, false, floor(at_s * 1e3));
}

static struct advance_order next_order(const struct advance_facts *facts)
{
    const struct playlist_item *next = playlist_step(facts->playlist, facts->item, 1);
    if (!next && facts->repeat_all)
        next = &facts->playlist->items[0];
    return next ? order_of(next, true, 0) : stop_at(facts);
}

void advance_watch(struct advance *advance, const struct advance_facts *facts, struct mono_time now)
{
    bool trouble = facts->item && facts->trouble != ADVANCE_FINE && facts->playback->playing;
    if (facts->sounding)
        advance->skipped = 0;
    if (trouble && (!advance->in_trouble || strcmp(advance->trouble_item, facts->item->id) != 0)) {
        copy_id(advance->trouble_item, facts->item->id);
        advance->trouble_since = now;
    }
    advance->in_trouble = trouble;
}

/* Until a track that cannot be played is left. */
static double patience_left_s(const struct advance *advance, enum advance_trouble trouble,
                              struct mono_time now)
{
    double pause_s = trouble == ADVANCE_UNPLAYABLE ? UNPLAYABLE_S : UNREACHABLE_S;
    for (size_t i = 0; i < advance->skipped && pause_s < PAUSE_MAX_S; i++)
        pause_s *= 2;
    return fmin(pause_s, PAUSE_MAX_S) - ns_to_s(mono_sub(now, advance->trouble_since));
}

double advance_left_s(const struct advance *advance, const struct advance_facts *facts,
                      struct mono_time now)
{
    const struct playback_state *playback = facts->playback;
    bool said = advance->said && advance->stamp.ns == playback->updated_at.ns;
    double left_s;
    if (said || !playback->playing || !facts->item)
        return INFINITY;
    if (advance->in_trouble)
        left_s = patience_left_s(advance, facts->trouble, now);
    else if (facts->length_s >= 0)
        left_s = facts->length_s - LEAD_S - facts->position_s;
    else
        return INFINITY;
    return fmax(fmax(left_s, 0), ns_to_s(mono_sub(advance->again_at, now)));
}

struct advance_order advance_say(struct advance *advance, const struct advance_facts *facts,
                                 bool *ret_gave_up)
{
    size_t skipped = advance->in_trouble ? advance->skipped + 1 : 0;
    *ret_gave_up = skipped >= facts->playlist->count;
    *advance = (struct advance){.said = true,
                                .stamp = facts->playback->updated_at,
                                .pending = true,
                                .order = *ret_gave_up ? stop_at(facts) : next_order(facts),
                                .skipped = skipped};
    if (!advance->order.playing) /* whoever plays again begins a new round */
        advance->skipped = 0;
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
    *advance = (struct advance){.again_at = mono_add(now, AGAIN_NS), .skipped = advance->skipped};
}
