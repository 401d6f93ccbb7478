/*
 * test_player_turn.c: one track after the other without a gap, on a virtual clock and a card that
 * keeps what it was given.
 *
 * Tracks are pieces of one ramp, so that what the card has tells which moment of it was heard, to
 * a tenth of a frame; between the pieces, and beyond them, a voice is silent.
 */
#include "../../../src/playback/player_internal.h"
#include "../cmocka_all.h"
#include "fake_card.h"
#include "tutti/base/log.h"
#include "tutti/playback/voice_backend.h"

#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define SERVER_NS INT64_C(1700000000000000000)
#define STEP_S (1.0 / FAKE_CARD_RATE_HZ)
/* What a cut and its fades take at most. */
#define FADED_S 0.018

/* --- pieces of a ramp ---------------------------------------------------------------------- */

/* By descriptor. The level at `from_s` of the ramp is from_s * RAMP. */
#define RAMP (1 / 64.0)
static struct piece {
    double from_s, length_s;
    unsigned starts_wanted; /* before it can be started; UINT_MAX: never */
    double stuck_from_s;    /* of it: what can be decoded now; 0: all */
} pieces[4];

struct ramp {
    struct voice voice;
    const struct piece *piece;
    unsigned starts;
    double position_s, step_s;
};

static struct voice *ramp_create(int fd, int64_t available_bytes, int64_t total_bytes,
                                 enum resampler_quality quality)
{
    struct ramp *ramp = calloc(1, sizeof *ramp);
    (void)available_bytes;
    (void)total_bytes;
    (void)quality;
    assert_non_null(ramp);
    ramp->piece = &pieces[fd];
    ramp->step_s = STEP_S;
    return &ramp->voice;
}

static void ramp_destroy(struct voice *voice)
{
    free(voice);
}

static void ramp_set_available(struct voice *voice, int64_t available_bytes, bool complete)
{
    (void)voice;
    (void)available_bytes;
    (void)complete;
}

static const char *ramp_error(const struct voice *voice)
{
    (void)voice;
    return "";
}

static bool ramp_wants_time(const struct voice *voice)
{
    const struct ramp *ramp = (const struct ramp *)voice;
    return ramp->starts < ramp->piece->starts_wanted;
}

static enum voice_result ramp_prepare(struct voice *voice)
{
    (void)voice;
    return VOICE_OK;
}

static unsigned ramp_rate_hz(const struct voice *voice)
{
    (void)voice;
    return 44100;
}

static double ramp_length_s(const struct voice *voice)
{
    return ((const struct ramp *)voice)->piece->length_s;
}

static bool ramp_reaches(struct voice *voice, double position_s)
{
    (void)voice;
    (void)position_s;
    return true;
}

static enum voice_result ramp_start(struct voice *voice, double position_s, unsigned card_rate_hz)
{
    struct ramp *ramp = (struct ramp *)voice;
    assert_int_equal(card_rate_hz, FAKE_CARD_RATE_HZ);
    if (ramp->starts < ramp->piece->starts_wanted) {
        ramp->starts++;
        return VOICE_AGAIN;
    }
    ramp->position_s = position_s;
    return VOICE_OK;
}

static void ramp_set_ppm(struct voice *voice, double ppm)
{
    ((struct ramp *)voice)->step_s = STEP_S * ppm_to_factor(ppm);
}

static double ramp_position_s(const struct voice *voice)
{
    return ((const struct ramp *)voice)->position_s;
}

static double ramp_step_s(const struct voice *voice)
{
    return ((const struct ramp *)voice)->step_s;
}

static size_t ramp_render(struct voice *voice, float *frames, size_t count)
{
    struct ramp *ramp = (struct ramp *)voice;
    const struct piece *piece = ramp->piece;
    double left_s = piece->stuck_from_s - ramp->position_s;
    if (piece->stuck_from_s > 0 && left_s < (double)count * ramp->step_s)
        count = left_s > 0 ? (size_t)(left_s / ramp->step_s) : 0;
    for (size_t i = 0; i < count; i++, ramp->position_s += ramp->step_s) {
        bool within = ramp->position_s >= 0 && ramp->position_s < piece->length_s;
        float level = within ? (float)((piece->from_s + ramp->position_s) * RAMP) : 0;
        frames[2 * i] = frames[2 * i + 1] = level;
    }
    return count;
}

static const struct voice_backend ramp_backend = {
    ramp_create,  ramp_destroy,    ramp_set_available, ramp_error,   ramp_wants_time,
    ramp_prepare, ramp_rate_hz,    ramp_length_s,      ramp_reaches, ramp_start,
    ramp_set_ppm, ramp_position_s, ramp_step_s,        ramp_render,
};

/* --- a room -------------------------------------------------------------------------------- */

struct room {
    struct server_clock clock;
    struct player *player;
    struct fake_card card;
    unsigned states; /* that were seen, as bits */
    double worst_s;  /* error that was told */
};

static struct server_time server_at(struct mono_time t)
{
    return (struct server_time){SERVER_NS + t.ns};
}

/* Heard when the card plays it. The pieces follow each other on the ramp. */
static int set_up(void **state)
{
    static const struct piece usual[] = {{4, 5.0 + 1 / 44100.0 / 3, 0},
                                         {9.0 + 1 / 44100.0 / 3, 5, 0},
                                         {20, 5, 0},
                                         {30, 4, UINT_MAX}};
    struct room *room = calloc(1, sizeof *room);
    assert_non_null(room);
    memcpy(pieces, usual, sizeof pieces);
    log_set_level(LOG_ERROR);
    fake_card_init(&room->card);
    server_clock_init(&room->clock, 200 * NS_PER_MS);
    server_clock_connected(&room->clock, room->card.now);
    for (int i = 0; i < 8; i++) {
        struct mono_time sent = mono_add(room->card.now, -(i + 1) * 50 * NS_PER_MS);
        struct mono_time there = mono_add(sent, 100 * NS_PER_US);
        server_clock_add_echo(&room->clock, sent, mono_add(there, 100 * NS_PER_US),
                              server_at(there), server_at(there));
    }
    room->player = player_create(&(struct player_config){
        .output = {.sink = {.device = "fake",
                            .now = fake_card_now,
                            .clock = &room->card,
                            .backend = &fake_card_backend},
                   .remembered_ppm = 0},
        .drift = {0.2, 5000},
        .clock = &room->clock,
        .voices = &ramp_backend,
    });
    assert_non_null(room->player);
    *state = room;
    return 0;
}

static int tear_down(void **state)
{
    struct room *room = *state;
    player_destroy(room->player);
    fake_card_end(&room->card);
    free(room);
    return 0;
}

static struct mono_time now(const struct room *room)
{
    return room->card.now;
}

static void live(struct room *room, double for_s)
{
    struct mono_time end = mono_add(now(room), s_to_ns(for_s));
    while (mono_sub(now(room), end) < 0) {
        struct mono_time next = player_tick(room->player, now(room));
        struct player_status status = player_get_status(room->player, now(room));
        room->states |= 1u << status.state;
        if (status.error_known)
            room->worst_s = fmax(room->worst_s, fabs(status.error_s));
        if (mono_sub(next, now(room)) > 0)
            room->card.now = mono_sub(next, end) < 0 ? next : end;
    }
}

static struct timeline play_from(const struct room *room, double position_s)
{
    return (struct timeline){true, position_s, server_at(now(room))};
}

/* What plays is piece 0 from there; and next is piece `next`. Both are there. */
static struct timeline begin(struct room *room, double position_s, int next)
{
    struct timeline timeline = play_from(room, position_s);
    player_set_track(room->player, 0, 1000, 1000, now(room));
    player_set_next(room->player, next, 1000);
    player_set_timeline(room->player, &timeline, now(room));
    return timeline;
}

/* That of what begins where piece 0 ends, as told in whole microseconds. */
static struct timeline after(const struct timeline *timeline)
{
    struct server_time end = timeline_time_of(timeline, pieces[0].length_s);
    return (struct timeline){true, 0, {end.ns / 1000 * 1000}};
}

/* The ordinary state: another track, from then on. */
static void turn_to(struct room *room, int piece, const struct timeline *timeline)
{
    player_set_timeline(room->player, timeline, now(room));
    player_set_track(room->player, piece, 1000, 1000, now(room));
    player_set_next(room->player, -1, 0);
}

/* Of the ramp, at a frame of the card. */
static double heard_s(const struct room *room, int64_t frame)
{
    return room->card.left[frame] / RAMP;
}

static int64_t played(const struct room *room)
{
    return fake_card_played(&room->card);
}

/* Frames in a row before the one that is played now, that go on from one to the next by a frame. */
static int64_t unbroken(const struct room *room)
{
    int64_t last = played(room) - 1, first = last;
    while (first > 1 && fabs(heard_s(room, first) - heard_s(room, first - 1) - STEP_S) < STEP_S / 4)
        first--;
    return last - first;
}

/* Has everything sounded as one for so long? */
static void check_unbroken(const struct room *room, double for_s)
{
    if ((double)unbroken(room) * STEP_S < for_s)
        fail_msg("%.4f s without a break, not %.4f", (double)unbroken(room) * STEP_S, for_s);
}

static void check_only_played(const struct room *room)
{
    unsigned others = room->states & ~(1u << TRANSPORT_PLAYING);
    if (others || room->worst_s > 50e-6)
        fail_msg("states %x, an error of %.1f us", others, room->worst_s * 1e6);
}

static void look_from_here(struct room *room)
{
    room->states = 0;
    room->worst_s = 0;
}

/* --- without a gap ------------------------------------------------------------------------- */

/* told_s: how long after the turn the ordinary state comes. */
static void check_turn(struct room *room, double told_s)
{
    struct timeline first = begin(room, 0, 1), second = after(&first);
    live(room, 2);
    look_from_here(room);
    player_announce(room->player, &second);
    live(room, 3 + told_s);
    turn_to(room, 1, &second);
    live(room, 2 - told_s);
    check_unbroken(room, 6.8);
    check_only_played(room);
    assert_true(fabs(player_get_status(room->player, now(room)).position_s - 2) < 1e-3);
    assert_true(fabs(heard_s(room, played(room) - 1) - 11) < 1e-3);
}

static void the_next_track_follows_the_last_frame(void **state)
{
    check_turn(*state, 0.005);
}

static void the_state_may_come_much_later(void **state)
{
    check_turn(*state, 1.2);
}

static void a_card_that_takes_nothing_back_is_no_different(void **state)
{
    struct room *room = *state;
    room->card.cannot_rewind = true;
    check_turn(room, 0.005);
}

static void nor_is_one_that_is_fast(void **state)
{
    struct room *room = *state;
    room->card.ppm = 80;
    struct timeline first = begin(room, 0, 1), second = after(&first);
    live(room, 3);
    player_announce(room->player, &second);
    live(room, 2.01);
    turn_to(room, 1, &second);
    live(room, 2);
    check_unbroken(room, 5);
}

static void the_same_file_may_follow(void **state)
{
    struct room *room = *state;
    struct timeline timeline = begin(room, 1, 0);
    pieces[0].from_s = 0;
    for (int i = 0; i < 3; i++) {
        struct timeline next = after(&timeline);
        player_announce(room->player, &next);
        live(room, pieces[0].length_s - (i == 0) + 0.01);
        player_set_timeline(room->player, &next, now(room));
        timeline = next;
        double since_s = ns_to_s(server_sub(server_at(now(room)), next.anchored_at));
        assert_true(fabs(heard_s(room, played(room) - 1) - since_s) < 1e-3);
        /* From the end right to the beginning. */
        int64_t turn = played(room) - (int64_t)ceil(since_s / STEP_S);
        double step_s = heard_s(room, turn + 2) + pieces[0].length_s - heard_s(room, turn - 2);
        assert_true(fabs(step_s - 4 * STEP_S) < STEP_S / 4);
    }
    look_from_here(room);
    live(room, 1);
    check_only_played(room);
}

/* Where it is told to begin, and not only at 0; and what is heard is known all the way through. */
static void the_next_track_may_begin_inside_itself(void **state)
{
    struct room *room = *state;
    struct timeline first = begin(room, 0, 1), second = after(&first);
    second.position_s = 1.5;
    player_announce(room->player, &second);
    live(room, pieces[0].length_s - 0.05);
    look_from_here(room);
    for (int i = 0; i < 900; i++) { /* with a tick each, the map of the queue would be too short */
        struct player_status status = player_get_status(room->player, now(room));
        assert_true(status.error_known && fabs(status.error_s) < 50e-6);
        room->card.now = mono_add(now(room), NS_PER_S / 10000);
    }
    live(room, 0.001);
    check_only_played(room);
    assert_true(fabs(player_get_status(room->player, now(room)).position_s - 1.541) < 1e-3);
    assert_true(fabs(heard_s(room, played(room) - 1) - 10.541) < 1e-3);
    turn_to(room, 1, &second);
    live(room, 0.5);
    check_only_played(room);
    check_unbroken(room, 0.53);
}

/* A seek to right before the end: what is left of the track, however little, is followed. */
static void what_begins_right_before_the_end_is_followed(void **state)
{
    static const double lefts_s[] = {7e-3, 5e-3, 3.7e-3, 3.2e-3};
    const double lead_s = 30e-3; /* of a join */
    for (size_t i = 0; i < sizeof lefts_s / sizeof *lefts_s; i++) {
        if (i > 0)
            set_up(state);
        struct room *room = *state;
        begin(room, 0, 1);
        live(room, 1);
        struct timeline first = play_from(room, pieces[0].length_s - lefts_s[i] - lead_s);
        struct timeline second = after(&first);
        player_set_timeline(room->player, &first, now(room));
        player_announce(room->player, &second);
        live(room, 0.2);
        double since_s = ns_to_s(server_sub(server_at(now(room)), second.anchored_at));
        if (fabs(heard_s(room, played(room) - 1) - 9 - since_s) > 1e-3)
            fail_msg("%.1f ms before the end: no next track", lefts_s[i] * 1e3);
        turn_to(room, 1, &second);
        look_from_here(room);
        live(room, 0.2);
        check_only_played(room);
        check_unbroken(room, 0.35);
        if (i + 1 < sizeof lefts_s / sizeof *lefts_s)
            tear_down(state);
    }
}

/* --- the last word ------------------------------------------------------------------------- */

/* So long before the turn; within half a second it is queued already. */
static const double lefts_s[] = {2, 0.45, 0.2, 0.06};

static void what_is_taken_back_is_not_heard(void **state)
{
    for (size_t i = 0; i < sizeof lefts_s / sizeof *lefts_s; i++) {
        if (i > 0)
            set_up(state);
        struct room *room = *state;
        struct timeline first = begin(room, 0, 1), second = after(&first);
        player_announce(room->player, &second);
        live(room, pieces[0].length_s - lefts_s[i]);
        look_from_here(room);
        player_announce(room->player, NULL);
        live(room, lefts_s[i] - FADED_S - 0.001);
        check_unbroken(room, 4.8);
        check_only_played(room);
        live(room, FADED_S + 0.2);
        assert_true(room->card.left[played(room) - 1] == 0);
        assert_int_equal(player_get_status(room->player, now(room)).state, TRANSPORT_ENDED);
        if (i + 1 < sizeof lefts_s / sizeof *lefts_s)
            tear_down(state);
    }
}

static void another_one_follows_where_the_last_was_to(void **state)
{
    for (size_t i = 0; i < sizeof lefts_s / sizeof *lefts_s; i++) {
        if (i > 0)
            set_up(state);
        struct room *room = *state;
        struct timeline first = begin(room, 0, 1), second = after(&first);
        player_announce(room->player, &second);
        live(room, pieces[0].length_s - lefts_s[i]);
        look_from_here(room);
        player_set_next(room->player, 2, 1000);
        player_announce(room->player, &second);
        live(room, lefts_s[i] + 0.02);
        turn_to(room, 2, &second);
        live(room, 1);
        check_only_played(room);
        check_unbroken(room, 1); /* of piece 2, from its first frame on */
        double since_s = ns_to_s(server_sub(server_at(now(room)), second.anchored_at));
        assert_true(fabs(heard_s(room, played(room) - 1) - 20 - since_s) < 1e-3);
        if (i + 1 < sizeof lefts_s / sizeof *lefts_s)
            tear_down(state);
    }
}

static void a_pause_before_it_is_of_the_track_that_is_heard(void **state)
{
    struct room *room = *state;
    struct timeline first = begin(room, 0, 1), second = after(&first);
    player_announce(room->player, &second);
    live(room, pieces[0].length_s - 0.2);
    struct timeline paused = {false, pieces[0].length_s - 0.2, server_at(now(room))};
    player_set_timeline(room->player, &paused, now(room));
    live(room, 1);
    assert_true(room->card.left[played(room) - 1] == 0);
    first = play_from(room, pieces[0].length_s - 0.2);
    second = after(&first);
    player_set_timeline(room->player, &first, now(room));
    player_announce(room->player, &second);
    live(room, 0.21);
    turn_to(room, 1, &second);
    live(room, 1);
    check_unbroken(room, 1.1);
    assert_true(fabs(heard_s(room, played(room) - 1) - 10) < 0.02);
}

static void a_seek_before_it_leads_there(void **state)
{
    struct room *room = *state;
    struct timeline first = begin(room, 0, 1), second = after(&first);
    player_announce(room->player, &second);
    live(room, pieces[0].length_s - 0.2);
    first = play_from(room, 1);
    player_set_timeline(room->player, &first, now(room));
    live(room, 1);
    check_unbroken(room, 0.9);
    assert_true(fabs(heard_s(room, played(room) - 1) - 6) < 1e-3);
}

/* Told at once: what had been right up to the turn is not, either. */
static void a_seek_that_comes_with_a_withdrawal_leads_there(void **state)
{
    struct room *room = *state;
    struct timeline first = begin(room, 0, 1), second = after(&first);
    player_announce(room->player, &second);
    live(room, pieces[0].length_s - 0.3);
    player_announce(room->player, NULL);
    first = play_from(room, 1);
    player_set_timeline(room->player, &first, now(room));
    live(room, 0.1);
    assert_true(fabs(heard_s(room, played(room) - 1) - 5.1) < 1e-3);
    live(room, 0.9);
    check_unbroken(room, 0.9);
}

/* A correction of less than is sought for: it sounds on. */
static void a_small_correction_with_a_withdrawal_is_no_break(void **state)
{
    struct room *room = *state;
    struct timeline first = begin(room, 0, 1), second = after(&first);
    player_announce(room->player, &second);
    live(room, pieces[0].length_s - 0.3);
    look_from_here(room);
    player_announce(room->player, NULL);
    first.position_s += 60e-6;
    player_set_timeline(room->player, &first, now(room));
    live(room, 0.25);
    check_unbroken(room, 4.8);
    assert_int_equal(room->states, 1u << TRANSPORT_PLAYING);
}

static void what_was_withdrawn_may_be_announced_again(void **state)
{
    struct room *room = *state;
    struct timeline first = begin(room, 0, 1), second = after(&first);
    player_announce(room->player, &second);
    live(room, 2);
    player_announce(room->player, NULL);
    live(room, 1);
    look_from_here(room);
    player_announce(room->player, &second);
    live(room, pieces[0].length_s - 3 + 0.01);
    turn_to(room, 1, &second);
    live(room, 1);
    check_unbroken(room, 5.8);
    check_only_played(room);
}

/* The last announcement counts; here it is of another time than the end, so of no turn. */
static void an_announcement_takes_the_place_of_the_one_before(void **state)
{
    struct room *room = *state;
    struct timeline first = begin(room, 0, 1), second = after(&first);
    player_announce(room->player, &second);
    live(room, pieces[0].length_s - 0.2);
    second.anchored_at = server_add(second.anchored_at, NS_PER_S / 2);
    player_announce(room->player, &second);
    live(room, 0.4);
    assert_true(room->card.left[played(room) - 1] == 0); /* not begun */
    live(room, 0.31);
    turn_to(room, 1, &second);
    live(room, 1);
    double since_s = ns_to_s(server_sub(server_at(now(room)), second.anchored_at));
    assert_true(fabs(heard_s(room, played(room) - 1) - 9 - since_s) < 1e-3);
}

/* What is told in the end counts, not what was announced. */
static void a_turn_that_is_told_otherwise_is_as_told(void **state)
{
    static const double offs_s[] = {-0.3, 0.1, 0.3, 0.9};
    for (size_t i = 0; i < sizeof offs_s / sizeof *offs_s; i++) {
        if (i > 0)
            set_up(state);
        struct room *room = *state;
        struct timeline first = begin(room, 0, 1), second = after(&first);
        player_announce(room->player, &second);
        live(room, pieces[0].length_s + 0.05);
        second.position_s += 1 + offs_s[i];
        turn_to(room, 1, &second);
        live(room, 1);
        double since_s = ns_to_s(server_sub(server_at(now(room)), second.anchored_at));
        double wanted_s = 9 + 1 + offs_s[i] + since_s;
        if (fabs(heard_s(room, played(room) - 1) - wanted_s) > 1e-3)
            fail_msg("%.3f s are heard, not %.3f", heard_s(room, played(room) - 1), wanted_s);
        if (i + 1 < sizeof offs_s / sizeof *offs_s)
            tear_down(state);
    }
}

static void an_underrun_before_it_is_no_end(void **state)
{
    struct room *room = *state;
    struct timeline first = begin(room, 0, 1), second = after(&first);
    player_announce(room->player, &second);
    live(room, pieces[0].length_s - 0.45);
    room->card.broken = SINK_XRUN;
    live(room, 0.46);
    turn_to(room, 1, &second);
    live(room, 1);
    check_unbroken(room, 1.1);
    assert_true(fabs(heard_s(room, played(room) - 1) - 10) < 0.02);
}

/* --- as ever ------------------------------------------------------------------------------- */

static void check_change(struct room *room, int piece, double off_s)
{
    struct timeline first = begin(room, 0, piece), second = after(&first);
    second.anchored_at = server_add(second.anchored_at, s_to_ns(off_s));
    player_announce(room->player, &second);
    live(room, pieces[0].length_s + off_s + 0.01);
    pieces[piece].starts_wanted = 0; /* it has come */
    turn_to(room, piece, &second);
    live(room, 1);
    check_unbroken(room, 0.9);
    double since_s = ns_to_s(server_sub(server_at(now(room)), second.anchored_at));
    assert_true(fabs(heard_s(room, played(room) - 1) - pieces[piece].from_s - since_s) < 1e-3);
    assert_int_equal(player_get_status(room->player, now(room)).state, TRANSPORT_PLAYING);
}

/* A length that the hub knows otherwise, or a decoder that is not ready: it is as told, all the
 * same. */
static void where_it_cannot_be_it_is_a_change_like_any_other(void **state)
{
    check_change(*state, 1, 0.3);
    tear_down(state);
    set_up(state);
    check_change(*state, 1, -0.3);
    tear_down(state);
    set_up(state);
    check_change(*state, 3, 0);
}

/* The hub's length is another one, by more than its rounding: the next track is as told. */
static void a_length_that_is_another_makes_no_turn(void **state)
{
    static const double offs_s[] = {-1.8e-3, -1.3e-3, 1.3e-3, 1.8e-3};
    for (size_t i = 0; i < sizeof offs_s / sizeof *offs_s; i++) {
        if (i > 0)
            set_up(state);
        struct room *room = *state;
        struct timeline first = begin(room, 0, 1), second = after(&first);
        second.anchored_at = server_add(second.anchored_at, s_to_ns(offs_s[i]));
        player_announce(room->player, &second);
        live(room, pieces[0].length_s + 0.01);
        turn_to(room, 1, &second);
        live(room, 0.1);
        double since_s = ns_to_s(server_sub(server_at(now(room)), second.anchored_at));
        assert_true(fabs(heard_s(room, played(room) - 1) - 9 - since_s) < 100e-6);
        if (i + 1 < sizeof offs_s / sizeof *offs_s)
            tear_down(state);
    }
}

/* The last milliseconds come bit by bit: nobody waits for them, and they are all there. */
static void an_end_that_is_decoded_late_is_followed(void **state)
{
    struct room *room = *state;
    struct timeline first = begin(room, 0, 1), second = after(&first);
    pieces[0].stuck_from_s = pieces[0].length_s - 0.005;
    player_announce(room->player, &second);
    live(room, 1);
    look_from_here(room);
    live(room, pieces[0].length_s - 1.2);
    pieces[0].stuck_from_s += 0.003;
    live(room, 0.04);
    pieces[0].stuck_from_s = 0;
    live(room, 0.17);
    turn_to(room, 1, &second);
    live(room, 1);
    check_unbroken(room, 5.9);
    check_only_played(room);
}

/* It was ready, and is not when it is needed: nobody waits for it. */
static void a_decoder_that_is_late_for_its_turn_holds_nothing_up(void **state)
{
    struct room *room = *state;
    struct timeline first = begin(room, 0, 1), second = after(&first);
    player_announce(room->player, &second);
    live(room, 3);
    pieces[1].starts_wanted = UINT_MAX;
    live(room, pieces[0].length_s - 3 + 0.01);
    pieces[1].starts_wanted = 0;
    turn_to(room, 1, &second);
    live(room, 1);
    check_unbroken(room, 0.9);
    assert_true(fabs(heard_s(room, played(room) - 1) - 10.01) < 1e-3);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(the_next_track_follows_the_last_frame),
        TEST(the_state_may_come_much_later),
        TEST(a_card_that_takes_nothing_back_is_no_different),
        TEST(nor_is_one_that_is_fast),
        TEST(the_same_file_may_follow),
        TEST(the_next_track_may_begin_inside_itself),
        TEST(what_begins_right_before_the_end_is_followed),
        TEST(what_is_taken_back_is_not_heard),
        TEST(another_one_follows_where_the_last_was_to),
        TEST(a_pause_before_it_is_of_the_track_that_is_heard),
        TEST(a_seek_before_it_leads_there),
        TEST(a_seek_that_comes_with_a_withdrawal_leads_there),
        TEST(a_small_correction_with_a_withdrawal_is_no_break),
        TEST(what_was_withdrawn_may_be_announced_again),
        TEST(an_announcement_takes_the_place_of_the_one_before),
        TEST(a_turn_that_is_told_otherwise_is_as_told),
        TEST(an_underrun_before_it_is_no_end),
        TEST(where_it_cannot_be_it_is_a_change_like_any_other),
        TEST(a_length_that_is_another_makes_no_turn),
        TEST(an_end_that_is_decoded_late_is_followed),
        TEST(a_decoder_that_is_late_for_its_turn_holds_nothing_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
