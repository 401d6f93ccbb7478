/*
 * sim_session.c: a speaker's session and what it asks for, against a backend that does what the
 * full one was seen to do wrong: sockets that look alive and carry nothing, broadcasts that are
 * missed, changes without a word, answers that get lost or say nothing.
 *
 * What must hold: an order ends once, and in time; what is said to be done was done, and what would
 * count twice if it were said twice is done once. And when nothing goes wrong any more, the session
 * is what the backend has; at once, if all that happens is that sockets are replaced.
 */
#include "../unit/cmocka_all.h"
#include "models.h"
#include "tutti/core/orders.h"
#include "tutti/core/session.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SEEDS 120
#define STEP_S 0.02
#define WILD_S 600 /* so long everything goes wrong */
#define CALM_S 90  /* and then nothing: by its end all is known */
#define ENDED_S 45 /* two calls of 15 s each, and what is waited for between them */
#define COMPARE_S 10
#define WHOLE_S 60
#define OPENING_S 10
#define CALL_S 15
#define SOCKETS 3
#define RETIRING_S 2
#define READ_BEFORE_S 0.3 /* so long before a socket is told of changes its first state was read */
#define PARSING_S 0.3     /* a long list, beside the loop */
#define HEARD_S 0.8       /* all that is on its way has come by then */

#define ITEMS_MAX 8
#define QUEUE_MAX 256
#define ASKED_MAX 2000
#define REQUESTS_KEPT 1000

/* What the backend has; tracks and items are numbers. */
struct truth {
    int ids[ITEMS_MAX], tracks[ITEMS_MAX];
    size_t count;
    bool has_track, playing;
    int track;
    double position_ms;
    int64_t stamp;
};

struct parcel {
    double at;
    enum message_type type;
    struct truth truth;
    int request;
    enum request_status status; /* as it was then */
};

struct channel {
    bool open, read, subscribed, deaf;
    double reads_at, subscribes_at, opened_at;
    struct session_opening opening;
    struct parcel queue[QUEUE_MAX];
    size_t count;
};

/* Something on its way to the backend; by a call, and back. */
struct errand {
    uint64_t number; /* 0: free */
    struct order order;
    bool call, repeated, reached, lost;
    double reaches_at, answers_at;
    int status;
    struct playback_state playback; /* of its answer */
};

struct wish {
    struct order order;
    enum request_status status;
};

/* What is known of an order beside the speaker's view of it. */
struct asked {
    struct order order;
    double at;
    int applied;
    bool seen; /* the backend was in the state that it asks for */
    bool ended;
};

struct world {
    struct sim_random random;
    double t;
    struct truth truth;
    int next_item;
    struct wish wishes[REQUESTS_KEPT];
    int wish_count;
    struct channel channels[SOCKETS];
    struct channel *live, *fresh, *retiring;
    double retired_at;
    double reopen_at, compare_at, whole_at;
    struct errand errands[ORDERS_MAX * 4];
    struct asked asked[ASKED_MAX];
    struct session session;
    struct orders orders;
    uint64_t done, failed, repeated;
};

static struct world world;

static struct mono_time now(void)
{
    return (struct mono_time){(int64_t)(world.t * 1e9) + 1};
}

static bool happens(double chance)
{
    return sim_uniform(&world.random, 0, 1) < chance;
}

static int pick(int count)
{
    int picked = (int)sim_uniform(&world.random, 0, count);
    return picked < count ? picked : count - 1;
}

static double delay_s(void)
{
    return 0.003 + fmin(sim_exponential(&world.random, 0.01), 0.2);
}

/* --- in the contract's words --------------------------------------------------------------- */

static struct playback_state playback_of(const struct truth *truth)
{
    struct playback_state playback = {.has_track = truth->has_track,
                                      .playing = truth->playing,
                                      .position_ms = truth->position_ms,
                                      .updated_at = {truth->stamp}};
    if (truth->has_track)
        snprintf(playback.track_id, sizeof playback.track_id, "t%d", truth->track);
    return playback;
}

static struct playlist_message playlist_of(const struct truth *truth)
{
    struct playlist_message playlist = {.count = truth->count};
    playlist.items = calloc(truth->count + 1, sizeof *playlist.items);
    assert_non_null(playlist.items);
    for (size_t i = 0; i < truth->count; i++) {
        snprintf(playlist.items[i].id, PROTOCOL_ID_MAX, "i%d", truth->ids[i]);
        snprintf(playlist.items[i].track_id, PROTOCOL_ID_MAX, "t%d", truth->tracks[i]);
    }
    assert_true(playlist_index_create(&playlist));
    return playlist;
}

static struct request_message request_of(int index, enum request_status status)
{
    const struct order *wish = &world.wishes[index].order;
    struct request_message request = {.status = status, .new_position = wish->new_position};
    snprintf(request.id, sizeof request.id, "r%d", index);
    request.type = wish->type;
    snprintf(request.item_id, sizeof request.item_id, "%s", wish->item_id);
    snprintf(request.track_id, sizeof request.track_id, "%s", wish->track_id);
    return request;
}

/* --- the backend --------------------------------------------------------------------------- */

static void post(struct channel *channel, enum message_type type, int request)
{
    double last = channel->count > 0 ? channel->queue[channel->count - 1].at : 0;
    assert_true(channel->count < QUEUE_MAX);
    channel->queue[channel->count++] = (struct parcel){
        .at = fmax(last, world.t + delay_s()),
        .type = type,
        .truth = world.truth,
        .request = request,
        .status = world.wishes[request].status,
    };
}

static bool goes_wrong(double chance)
{
    return world.t < WILD_S && happens(chance);
}

static void broadcast(enum message_type type, int request)
{
    for (int i = 0; i < SOCKETS; i++)
        if (world.channels[i].subscribed && !world.channels[i].deaf && !goes_wrong(0.02))
            post(&world.channels[i], type, request);
}

/* Who asked for this, sees it. */
static void note_truth(void)
{
    struct playback_state playback = playback_of(&world.truth);
    struct playlist_message playlist = playlist_of(&world.truth);
    for (uint64_t i = 1; i <= world.orders.count; i++) {
        struct asked *asked = &world.asked[i];
        if (!asked->ended)
            asked->seen = asked->seen || order_in_playback(&asked->order, &playback) ||
                          order_in_playlist(&asked->order, &playlist);
    }
    playlist_message_finish(&playlist);
}

static void set_playback(bool has_track, int track, double position_ms, bool playing)
{
    struct truth *truth = &world.truth;
    truth->has_track = has_track;
    truth->track = track;
    truth->position_ms = floor(position_ms);
    truth->playing = playing;
    truth->stamp = (int64_t)(world.t * 1e9) + 1;
}

static int index_of_item(const char *id)
{
    for (size_t i = 0; i < world.truth.count; i++)
        if (world.truth.ids[i] == atoi(id + 1))
            return (int)i;
    return -1;
}

static int index_of_track(int track)
{
    for (size_t i = 0; i < world.truth.count; i++)
        if (world.truth.tracks[i] == track)
            return (int)i;
    return -1;
}

/* The current track changes with the list, and nobody is told. */
static void follow_list(void)
{
    struct truth *truth = &world.truth;
    if (truth->has_track ? index_of_track(truth->track) < 0 : truth->count > 0)
        set_playback(truth->count > 0, truth->tracks[0], 0, truth->playing && truth->count > 0);
}

static void add_item(int track)
{
    struct truth *truth = &world.truth;
    if (truth->count == ITEMS_MAX)
        return;
    truth->ids[truth->count] = world.next_item++;
    truth->tracks[truth->count++] = track;
    follow_list();
}

static int remove_item(const char *id)
{
    struct truth *truth = &world.truth;
    int at = index_of_item(id);
    if (at < 0)
        return 404;
    size_t after = --truth->count - (size_t)at;
    memmove(truth->ids + at, truth->ids + at + 1, after * sizeof *truth->ids);
    memmove(truth->tracks + at, truth->tracks + at + 1, after * sizeof *truth->tracks);
    follow_list();
    return 200;
}

static int move_item(const char *id, int to)
{
    struct truth *truth = &world.truth;
    int from = index_of_item(id);
    if (from < 0 || to < 0 || to >= (int)truth->count)
        return from < 0 ? 404 : 400;
    int item = truth->ids[from], track = truth->tracks[from], step = from < to ? 1 : -1;
    for (; from != to; from += step) {
        truth->ids[from] = truth->ids[from + step];
        truth->tracks[from] = truth->tracks[from + step];
    }
    truth->ids[to] = item, truth->tracks[to] = track;
    return 200;
}

/* From the first item that has the current track; else it goes to the second. */
static void skip_by(int steps)
{
    struct truth *truth = &world.truth;
    int at = truth->has_track ? index_of_track(truth->track) : -1, last = (int)truth->count - 1;
    int to = at < 0 ? 1 : at + steps;
    if (to < 0 || to > last)
        to = at;
    if (to >= 0)
        set_playback(true, truth->tracks[to], 0, truth->playing);
    else
        set_playback(truth->has_track, truth->track, 0, truth->playing);
}

static int do_playback(const struct errand *errand)
{
    const struct order *order = &errand->order;
    const struct truth *truth = &world.truth;
    bool plays = order->action == PLAYBACK_PLAY;
    bool stays = order_is_skip(order) || order->action == PLAYBACK_SEEK;
    if (order_is_skip(order) && !errand->repeated)
        skip_by(order->action == PLAYBACK_SKIP_NEXT ? 1 : -1);
    else
        set_playback(true, order->track_id[0] ? atoi(order->track_id + 1) : truth->track,
                     fmax(order->position_ms, 0), stays ? truth->playing : plays);
    broadcast(MESSAGE_PLAYBACK_STATE, 0);
    return 200;
}

static void tell_list(void)
{
    broadcast(MESSAGE_PLAYLIST, 0);
}

static int do_request(const struct order *order)
{
    assert_true(world.wish_count < REQUESTS_KEPT);
    world.wishes[world.wish_count] = (struct wish){*order, REQUEST_PENDING};
    broadcast(MESSAGE_REQUEST, world.wish_count++);
    return 200;
}

/* The full backend applies what is approved twice twice. */
static int do_decision(const struct order *order)
{
    struct wish *wish = &world.wishes[atoi(order->request_id + 1)];
    bool approve = order->kind == ORDER_APPROVE;
    if (!approve && wish->status != REQUEST_PENDING)
        return 409;
    wish->status = approve ? REQUEST_APPROVED : REQUEST_DENIED;
    if (approve && wish->order.type == REQUEST_ADD)
        add_item(atoi(wish->order.track_id + 1));
    else if (approve)
        remove_item(wish->order.item_id);
    if (approve)
        tell_list();
    broadcast(MESSAGE_REQUEST, atoi(order->request_id + 1));
    return 200;
}

static int do_item(const struct order *order)
{
    int status = order->kind == ORDER_REMOVE ? remove_item(order->item_id)
                                             : move_item(order->item_id, order->new_position);
    if (status == 200)
        tell_list();
    return status;
}

static int apply(const struct errand *errand)
{
    int status;
    if (errand->order.kind == ORDER_PLAYBACK)
        status = do_playback(errand);
    else if (errand->order.kind == ORDER_REQUEST)
        status = do_request(&errand->order);
    else if (errand->order.kind == ORDER_APPROVE || errand->order.kind == ORDER_DENY)
        status = do_decision(&errand->order);
    else
        status = do_item(&errand->order);
    if (errand->number && status == 200)
        world.asked[errand->number].applied++;
    note_truth();
    return status;
}

/* --- the speaker's sockets ----------------------------------------------------------------- */

static void close_channel(struct channel *channel)
{
    playlist_message_finish(&channel->opening.playlist);
    memset(channel, 0, sizeof *channel);
    if (world.live == channel)
        world.live = NULL;
    if (world.fresh == channel)
        world.fresh = NULL;
    if (world.retiring == channel)
        world.retiring = NULL;
}

static struct channel *free_channel(void)
{
    struct channel *channel = world.channels;
    while (channel == world.live || channel == world.retiring)
        channel++;
    return channel;
}

static void open_channel(void)
{
    struct channel *channel = free_channel();
    close_channel(channel);
    channel->open = true;
    channel->opened_at = world.t;
    channel->opening.since = now();
    channel->reads_at = world.t + delay_s();
    channel->subscribes_at = channel->reads_at + sim_uniform(&world.random, 0, READ_BEFORE_S);
    channel->deaf = goes_wrong(0.03);
    world.fresh = channel;
}

static void recheck(void)
{
    if (!world.fresh)
        open_channel();
}

static void lose(void)
{
    if (world.live)
        close_channel(world.live);
    if (world.retiring)
        close_channel(world.retiring);
    world.reopen_at = world.t + sim_uniform(&world.random, 0.25, 5);
}

static void follow(struct session_change change)
{
    playlist_message_finish(&change.dropped);
    if (change.doubtful)
        recheck();
}

static void run_orders(void);

static void take_parcel(struct channel *channel, const struct parcel *parcel)
{
    struct mono_time sent_at;
    struct protocol_message message = {.type = parcel->type};
    if (parcel->type == MESSAGE_PLAYBACK_STATE)
        message.playback = playback_of(&parcel->truth);
    else if (parcel->type == MESSAGE_PLAYLIST)
        message.playlist = playlist_of(&parcel->truth);
    else
        message.request = request_of(parcel->request, parcel->status);
    bool live = channel == world.live, opens = channel == world.fresh;
    bool known = requests_find(&world.session.requests, message.request.id);
    if (!opens && parcel->type == MESSAGE_PLAYBACK_STATE)
        orders_heard_playback(&world.orders, &message.playback,
                              live ? ORDERS_BY_LIVE : ORDERS_BY_REPLACED, &sent_at);
    follow(opens  ? session_apply_opening(&world.session, &channel->opening, &message)
           : live ? session_apply(&world.session, &message, -1, now())
                  : session_apply_late(&world.session, &message, -1, now()));
    if (live && parcel->type == MESSAGE_PLAYLIST)
        orders_heard_playlist(&world.orders, &world.session);
    if (parcel->type == MESSAGE_REQUEST)
        orders_heard_request(&world.orders, &message.request, known);
    protocol_message_finish(&message);
    run_orders();
}

static void adopt(struct channel *channel)
{
    if (world.retiring)
        close_channel(world.retiring);
    world.retiring = world.live;
    world.retired_at = world.t;
    world.fresh = NULL;
    world.live = channel;
    follow(session_adopt(&world.session, &channel->opening, -1, now()));
    world.whole_at = world.t + WHOLE_S;
    orders_compare(&world.orders, &world.session, now());
    run_orders();
}

static void serve(struct channel *channel)
{
    if (!channel->open)
        return;
    if (!channel->read && !channel->deaf && world.t >= channel->reads_at) {
        channel->read = true;
        post(channel, MESSAGE_PLAYBACK_STATE, 0);
        post(channel, MESSAGE_PLAYLIST, 0);
        channel->queue[channel->count - 1].at += sim_uniform(&world.random, 0, PARSING_S);
    }
    channel->subscribed = channel->read && world.t >= channel->subscribes_at;
    while (channel->open && !channel->deaf && channel->count > 0 &&
           channel->queue[0].at <= world.t) {
        struct parcel parcel = channel->queue[0];
        memmove(channel->queue, channel->queue + 1, --channel->count * sizeof *channel->queue);
        take_parcel(channel, &parcel);
        if (channel == world.fresh && session_opening_is_complete(&channel->opening))
            adopt(channel);
    }
}

static void compare(void)
{
    bool whole = world.t >= world.whole_at;
    struct playback_state playback = playback_of(&world.truth);
    struct playlist_message playlist = playlist_of(&world.truth);
    if (whole)
        world.whole_at = world.t + WHOLE_S;
    if (session_differs(&world.session, whole ? &playback : NULL, &playlist))
        recheck();
    playlist_message_finish(&playlist);
}

static void tend_sockets(void)
{
    if (world.retiring && world.t - world.retired_at > RETIRING_S)
        close_channel(world.retiring);
    if (world.fresh && world.t - world.fresh->opened_at > OPENING_S) {
        close_channel(world.fresh);
        if (!world.live)
            world.reopen_at = world.t;
    }
    if (!world.live && !world.fresh && world.t >= world.reopen_at)
        open_channel();
    if (world.live && world.t >= world.compare_at) {
        world.compare_at = world.t + COMPARE_S;
        compare();
    }
}

/* --- what the speaker asks for ------------------------------------------------------------- */

static struct errand *free_errand(void)
{
    for (size_t i = 0; i < sizeof world.errands / sizeof *world.errands; i++)
        if (!world.errands[i].number && !world.errands[i].reaches_at)
            return &world.errands[i];
    fail();
    return NULL;
}

static void send_order(uint64_t number, const struct order *order, bool call, bool repeated)
{
    struct errand *errand = free_errand();
    double reaches_at = world.t + delay_s();
    *errand = (struct errand){
        .number = number,
        .order = *order,
        .call = call,
        .repeated = repeated,
        .lost = call ? goes_wrong(0.1) : world.live->deaf || goes_wrong(0.05),
        .reaches_at = reaches_at,
        .answers_at = reaches_at + delay_s() + (goes_wrong(0.1) ? 4 : 0),
    };
    if (errand->lost)
        errand->answers_at = world.t + CALL_S;
}

/* The call before is given up; what became of it, nobody hears any more. */
static void send_again(uint64_t number, const struct order *order)
{
    for (size_t i = 0; i < sizeof world.errands / sizeof *world.errands; i++)
        if (world.errands[i].number == number)
            world.errands[i].call = false;
    send_order(number, order, true, true);
    orders_calls(&world.orders, number);
}

static void send_first(uint64_t number)
{
    struct order *order = &orders_find(&world.orders, number)->order;
    bool by_socket = order->kind == ORDER_PLAYBACK || order->kind == ORDER_REQUEST;
    order_note_before(order, &world.session);
    world.asked[number].order = *order;
    note_truth();
    if (!by_socket || world.live)
        send_order(number, order, !by_socket, false);
    if (by_socket)
        orders_sent(&world.orders, number, world.live != NULL, now());
    else
        orders_calls(&world.orders, number);
}

static bool was_done(const struct asked *asked)
{
    const struct order *order = &asked->order;
    enum request_status status =
        world.wishes[order->request_id[0] ? atoi(order->request_id + 1) : 0].status;
    if (order->kind == ORDER_REQUEST)
        return asked->applied == 1;
    if (order->kind == ORDER_DENY)
        return status == REQUEST_DENIED;
    /* Of an approval, too: all that can be looked at is what it is for. */
    return asked->applied > 0 || asked->seen;
}

static void end(const struct orders_entry *entry)
{
    struct asked *asked = &world.asked[entry->number];
    enum order_kind kind = entry->order.kind;
    bool done = !entry->error[0];
    assert_false(asked->ended);
    asked->ended = true;
    assert_true(world.t - asked->at < ENDED_S);
    if (done)
        assert_true(was_done(asked));
    /* A second try may be refused for what has happened since the first. */
    if (strncmp(entry->error, "the backend refuses", 19) == 0 && entry->phase != ORDERS_REPEATED)
        assert_int_equal(asked->applied, 0);
    if (kind == ORDER_REQUEST || kind == ORDER_APPROVE)
        assert_true(asked->applied <= 1);
    world.done += done;
    world.failed += !done;
}

static void run_orders(void)
{
    struct orders_entry entry;
    enum orders_act act;
    while ((act = orders_next(&world.orders, &entry)) != ORDERS_NOTHING) {
        if (act == ORDERS_CONNECT && !world.live && !world.fresh)
            world.reopen_at = world.t;
        else if (act == ORDERS_SEND)
            send_first(entry.number);
        else if (act == ORDERS_REPLACE && world.live)
            open_channel();
        else if (act == ORDERS_END)
            end(&entry);
        else if (act == ORDERS_REPEAT) {
            world.repeated++;
            send_again(entry.number, &entry.order);
        }
    }
}

static void answer(struct errand *errand)
{
    static const int nothing[] = {500, 502, 0};
    int status = errand->lost ? 0 : errand->status;
    if (errand->call && goes_wrong(0.1))
        status = nothing[pick(3)];
    const char *why = status == 200            ? ""
                      : status && status < 500 ? "the backend refuses"
                                               : "nothing";
    const struct orders_entry *entry = orders_find(&world.orders, errand->number);
    if (errand->call && entry) {
        if (status == 200 && errand->order.kind == ORDER_PLAYBACK) {
            struct protocol_message message = {.type = MESSAGE_PLAYBACK_STATE,
                                               .playback = errand->playback};
            follow(session_apply(&world.session, &message, -1, now()));
        }
        orders_answered(&world.orders, errand->number, &(struct orders_answer){status, why, false},
                        &world.session, now());
    }
    *errand = (struct errand){0};
    run_orders();
}

static void serve_errands(void)
{
    for (size_t i = 0; i < sizeof world.errands / sizeof *world.errands; i++) {
        struct errand *errand = &world.errands[i];
        if (!errand->number)
            continue;
        if (!errand->reached && !errand->lost && world.t >= errand->reaches_at) {
            errand->reached = true;
            errand->status = apply(errand);
            errand->playback = playback_of(&world.truth);
        }
        if (world.t >= errand->answers_at)
            answer(errand);
    }
}

/* --- people -------------------------------------------------------------------------------- */

static void name_item(char *to)
{
    const struct truth *truth = &world.truth;
    int id = truth->count > 0 ? truth->ids[pick((int)truth->count)] : 1;
    snprintf(to, PROTOCOL_ID_MAX, "i%d", id);
}

static int pending_wish(void)
{
    for (int i = world.wish_count - 1; i >= 0 && i > world.wish_count - 6; i--)
        if (world.wishes[i].status == REQUEST_PENDING)
            return i;
    return -1;
}

static struct order some_playback(void)
{
    struct order order = {.kind = ORDER_PLAYBACK, .new_position = -1};
    order.action = (enum playback_action)pick(PLAYBACK_SKIP_PREV + 1);
    order.position_ms = order_is_skip(&order) ? -1 : floor(sim_uniform(&world.random, 0, 9e5));
    if (!order_is_skip(&order))
        snprintf(order.track_id, sizeof order.track_id, "t%d", pick(4));
    return order;
}

static struct order some_request(void)
{
    struct order order = {.kind = ORDER_REQUEST, .position_ms = -1, .new_position = -1};
    bool adds = happens(0.6);
    order.type = adds ? REQUEST_ADD : REQUEST_REMOVE;
    if (adds)
        snprintf(order.track_id, sizeof order.track_id, "t%d", pick(4));
    else
        name_item(order.item_id);
    return order;
}

static struct order some_decision(int wish)
{
    struct order order = world.wishes[wish].order;
    order.kind = happens(0.6) ? ORDER_APPROVE : ORDER_DENY;
    snprintf(order.request_id, sizeof order.request_id, "r%d", wish);
    return order;
}

static struct order some_change(void)
{
    struct order order = {
        .kind = happens(0.4) ? ORDER_REMOVE : ORDER_MOVE, .position_ms = -1, .new_position = -1};
    name_item(order.item_id);
    if (order.kind == ORDER_MOVE)
        order.new_position = pick(ITEMS_MAX);
    return order;
}

static struct order some_order(void)
{
    int wish = pending_wish();
    if (happens(0.5))
        return some_playback();
    if (wish >= 0 && happens(0.5))
        return some_decision(wish);
    return happens(0.5) ? some_request() : some_change();
}

/* Of two that want the same, nobody can say which one an echo answers; and decisions that
 * contradict each other are somebody else's test. */
static bool is_wanted_already(const struct order *order)
{
    for (uint64_t i = 1; i <= world.orders.count; i++) {
        const struct asked *asked = &world.asked[i];
        bool same =
            order->kind == ORDER_REQUEST
                ? asked->order.kind == ORDER_REQUEST &&
                      strcmp(asked->order.track_id, order->track_id) == 0 &&
                      strcmp(asked->order.item_id, order->item_id) == 0
                : order->request_id[0] && strcmp(asked->order.request_id, order->request_id) == 0;
        if (same && !asked->ended)
            return true;
    }
    return false;
}

static void ask(void)
{
    const char *error;
    struct order order = some_order();
    if (is_wanted_already(&order))
        return;
    assert_true(world.orders.count + 1 < ASKED_MAX);
    uint64_t number =
        orders_begin(&world.orders, &order, world.live ? ORDERS_LIVE : ORDERS_AWAY, now(), &error);
    if (number)
        world.asked[number] = (struct asked){.order = order, .at = world.t};
    run_orders();
}

/* Somebody else in the session. */
static void disturb(void)
{
    struct errand errand = {.order = some_order()};
    if (errand.order.kind == ORDER_PLAYBACK || errand.order.kind == ORDER_REMOVE ||
        errand.order.kind == ORDER_MOVE)
        apply(&errand);
}

static void go_wrong(void)
{
    struct channel *channel = &world.channels[pick(SOCKETS)];
    if (happens(0.5))
        lose();
    else if (channel->open)
        channel->deaf = true;
}

/* --- an evening ---------------------------------------------------------------------------- */

static bool is_busy(void)
{
    return orders_deadline(&world.orders).ns != INT64_MAX;
}

static void check_place(void)
{
    const struct session *session = &world.session;
    const struct playlist_item *item = session_current_item(session);
    const struct playlist_item *any =
        session_has_track(session)
            ? playlist_find_track(&session->playlist, session->playback.track_id)
            : NULL;
    assert_int_equal(item != NULL, any != NULL);
    if (item)
        assert_string_equal(item->track_id, session->playback.track_id);
}

static void step(void)
{
    world.t += STEP_S;
    for (int i = 0; i < SOCKETS; i++)
        serve(&world.channels[i]);
    serve_errands();
    orders_due(&world.orders, now());
    run_orders();
    tend_sockets();
    if (goes_wrong(STEP_S / 3))
        ask();
    if (goes_wrong(STEP_S / 7))
        disturb();
    if (goes_wrong(STEP_S / 40))
        go_wrong();
    check_place();
}

static void check_replica(void)
{
    struct playback_state playback = playback_of(&world.truth);
    struct playlist_message playlist = playlist_of(&world.truth);
    assert_int_equal(session_differs(&world.session, &playback, &playlist), 0);
    playlist_message_finish(&playlist);
}

static void begin(uint64_t seed)
{
    memset(&world, 0, sizeof world);
    sim_random_init(&world.random, seed);
    assert_true(session_init(&world.session));
    world.next_item = 1;
    for (int i = 0; i < 4; i++)
        add_item(i % 3);
}

static void finish(void)
{
    for (int i = 0; i < SOCKETS; i++)
        close_channel(&world.channels[i]);
    session_finish(&world.session);
}

static void an_evening_with_a_bad_backend(void **state)
{
    (void)state;
    uint64_t done = 0, failed = 0, repeated = 0;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        begin(seed);
        while (world.t < WILD_S + CALM_S)
            step();
        assert_false(is_busy());
        check_replica();
        done += world.done, failed += world.failed, repeated += world.repeated;
        finish();
    }
    print_message("%d evenings: %llu orders done, %llu failed, %llu repeated\n", SEEDS,
                  (unsigned long long)done, (unsigned long long)failed,
                  (unsigned long long)repeated);
    assert_true(done > 50 * SEEDS);
    assert_true(repeated > SEEDS);
}

/* Without faults there is none that fails, nor any that is said twice. */
static void an_evening_with_a_good_one(void **state)
{
    (void)state;
    begin(1);
    world.t = WILD_S; /* from when nothing goes wrong */
    while (world.t < WILD_S + 300) {
        step();
        if (world.live && happens(STEP_S / 3) && !is_busy())
            ask();
    }
    assert_true(world.done > 30);
    assert_int_equal(world.repeated, 0);
    finish();
}

/* Somebody else commands, or asks for something. */
static void change_something(void)
{
    struct order order = happens(0.5) ? some_playback() : some_request();
    if (order.kind == ORDER_PLAYBACK)
        do_playback(&(struct errand){.order = order});
    else
        do_request(&order);
}

static void check_known(void)
{
    struct playback_state playback = playback_of(&world.truth);
    struct playlist_message playlist = playlist_of(&world.truth);
    assert_int_equal(session_differs(&world.session, &playback, &playlist), 0);
    playlist_message_finish(&playlist);
    for (int i = 0; i < world.wish_count && i < REQUESTS_MAX; i++)
        assert_non_null(requests_find(&world.session.requests, request_of(i, 0).id));
}

/* What a socket is told first was read before it is told of changes: these, only the old one is
 * told. All of it is known as soon as it has come. */
static void an_evening_of_replaced_sockets(void **state)
{
    (void)state;
    begin(1);
    world.t = WILD_S;
    world.compare_at = world.whole_at = INFINITY; /* nothing else mends it */
    while (!world.live)
        step();
    for (int round = 0; round < 300; round++) {
        double changes_at = world.t + sim_uniform(&world.random, 0, 2 * READ_BEFORE_S);
        double replaced_at = world.t;
        open_channel();
        while (world.t < changes_at)
            step();
        change_something();
        while (world.t < fmax(changes_at, replaced_at + READ_BEFORE_S) + HEARD_S)
            step();
        assert_false(world.fresh);
        check_known();
    }
    finish();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_evening_with_a_bad_backend),
        cmocka_unit_test(an_evening_with_a_good_one),
        cmocka_unit_test(an_evening_of_replaced_sockets),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
