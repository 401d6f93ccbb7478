/*
 * order.c: see order.h.
 */
#include "tutti/core/order.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* The backend is told whole milliseconds. */
#define SAME_POSITION_MS 1.5

bool order_is_skip(const struct order *order)
{
    return order->kind == ORDER_PLAYBACK &&
           (order->action == PLAYBACK_SKIP_NEXT || order->action == PLAYBACK_SKIP_PREV);
}

bool order_echoed(const struct order *order, const struct playback_state *playback)
{
    if (order->kind != ORDER_PLAYBACK)
        return false;
    if (order_is_skip(order))
        return playback->position_ms == 0;
    if (order->action == PLAYBACK_PLAY && !playback->playing)
        return false;
    if (order->action == PLAYBACK_PAUSE && playback->playing)
        return false;
    if (order->track_id[0] && strcmp(order->track_id, playback->track_id) != 0)
        return false;
    return order->position_ms < 0 ||
           fabs(playback->position_ms - floor(order->position_ms)) < SAME_POSITION_MS;
}

bool order_in_playback(const struct order *order, const struct playback_state *fresh)
{
    if (!order_echoed(order, fresh))
        return false;
    /* A track may have stood at its beginning before the skip, too. */
    return !order_is_skip(order) || fresh->updated_at.ns != order->stamp_before.ns;
}

static bool same_wish(const struct order *order, const struct request_message *request)
{
    if (order->type != request->type)
        return false;
    if (order->type == REQUEST_ADD)
        return strcmp(order->track_id, request->track_id) == 0;
    return strcmp(order->item_id, request->item_id) == 0 &&
           (order->new_position < 0 || order->new_position == request->new_position);
}

bool order_answered(const struct order *order, const struct request_message *request)
{
    switch (order->kind) {
    case ORDER_REQUEST:
        return request->status == REQUEST_PENDING && same_wish(order, request);
    case ORDER_APPROVE:
        return request->status == REQUEST_APPROVED && strcmp(order->request_id, request->id) == 0;
    case ORDER_DENY:
        return request->status == REQUEST_DENIED && strcmp(order->request_id, request->id) == 0;
    default:
        return false;
    }
}

bool order_contradicted(const struct order *order, const struct request_message *request)
{
    enum request_status other = order->kind == ORDER_APPROVE ? REQUEST_DENIED : REQUEST_APPROVED;
    bool decides = order->kind == ORDER_APPROVE || order->kind == ORDER_DENY;
    return decides && request->status == other && strcmp(order->request_id, request->id) == 0;
}

enum order_refusal order_refusal_of(const struct order *order, int status)
{
    bool decides = order->kind == ORDER_APPROVE || order->kind == ORDER_DENY;
    if (decides && status == 409)
        return ORDER_DECIDED;
    if (order->kind != ORDER_ADD)
        return ORDER_REFUSED;
    return status == 413   ? ORDER_TOO_LARGE
           : status == 415 ? ORDER_WRONG_MEDIA
           : status == 507 ? ORDER_NO_ROOM
                           : ORDER_REFUSED;
}

const char *order_refusal_text(enum order_refusal refusal)
{
    static const char *const texts[] = {
        [ORDER_REFUSED] = "the backend refuses",
        [ORDER_TOO_LARGE] = "the backend takes no file of this size",
        [ORDER_WRONG_MEDIA] = "the backend takes no media of this type",
        [ORDER_NO_ROOM] = "the backend has no room left for it",
        [ORDER_DECIDED] = "the backend refuses",
    };
    return texts[refusal];
}

/* As it is wanted, it is no failure, whoever has decided it. Of a denial that was sent before, it is
 * what that one has done, as far as can be known. */
static enum order_answer judge_decided(const struct order *order, bool repeated,
                                       const struct request_message *known)
{
    if (known && known->status != REQUEST_PENDING)
        return order_answered(order, known) ? ORDER_DONE_BEFORE : ORDER_NO;
    return repeated && order->kind == ORDER_DENY ? ORDER_DONE_BEFORE : ORDER_NO;
}

enum order_answer order_judge(const struct order *order, bool repeated, int status,
                              const struct request_message *known)
{
    if (status >= 200 && status < 300)
        return ORDER_YES;
    if (repeated && order->kind == ORDER_REMOVE && status == 404)
        return ORDER_DONE_BEFORE;
    if (order_refusal_of(order, status) == ORDER_DECIDED)
        return judge_decided(order, repeated, known);
    bool unknown = status == 0 || status == 500 || (status >= 502 && status <= 504) ||
                   (status >= 520 && status <= 527); /* a well-known proxy's own */
    return unknown ? ORDER_UNKNOWN : ORDER_NO;
}

static bool is_removed(const struct order *order, const struct playlist_message *playlist)
{
    return order->item_id[0] && !playlist_find(playlist, order->item_id);
}

static bool is_moved(const struct order *order, const struct playlist_message *playlist)
{
    const struct playlist_item *item = playlist_find(playlist, order->item_id);
    return item && playlist_position(playlist, item) == order->new_position;
}

static bool is_added(const struct order *order, const struct playlist_message *playlist)
{
    return order->track_id[0] &&
           playlist_count_track(playlist, order->track_id) > order->tracks_before;
}

static bool is_approved(const struct order *order, const struct playlist_message *playlist)
{
    switch (order->type) {
    case REQUEST_ADD:
        return is_added(order, playlist);
    case REQUEST_REORDER:
        return is_moved(order, playlist);
    case REQUEST_REMOVE:
        return is_removed(order, playlist);
    case REQUEST_OTHER:
        break;
    }
    return false;
}

bool order_in_playlist(const struct order *order, const struct playlist_message *playlist)
{
    switch (order->kind) {
    case ORDER_REMOVE:
        return is_removed(order, playlist);
    case ORDER_MOVE:
        return is_moved(order, playlist);
    case ORDER_ADD:
        return is_added(order, playlist);
    case ORDER_APPROVE:
        return !order->shown_before && is_approved(order, playlist);
    default:
        return false;
    }
}

static void foresee_skip(struct order *order, const struct session *session)
{
    const struct playlist_message *playlist = &session->playlist;
    const struct playlist_item *current =
        session_has_track(session) ? playlist_find_track(playlist, session->playback.track_id)
                                   : NULL;
    if (!current)
        return;
    const struct playlist_item *to =
        playlist_step(playlist, current, order->action == PLAYBACK_SKIP_NEXT ? 1 : -1);
    snprintf(order->track_id, sizeof order->track_id, "%s", (to ? to : current)->track_id);
}

void order_note_before(struct order *order, const struct session *session)
{
    order->stamp_before = session->playback.updated_at;
    order->tracks_before = playlist_count_track(&session->playlist, order->track_id);
    order->shown_before = order_in_playlist(order, &session->playlist);
    if (order_is_skip(order) && !order->item_id[0])
        foresee_skip(order, session);
}
