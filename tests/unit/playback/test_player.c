/*
 * test_player.c: how much the player does in one round, on a virtual clock and device null.
 *
 * Rounds that follow each other without time passing are the loop's, with everybody else's
 * callbacks in between: none may be longer for a long queue, a fast card, or a large buffer.
 */
#include "../../../src/playback/player_internal.h"
#include "../cmocka_all.h"
#include "fake_card.h"
#include "tutti/base/log.h"
#include "tutti/playback/voice_backend.h"

#include <fcntl.h>
#include <math.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define SERVER_NS INT64_C(1700000000000000000)

struct room {
    struct mono_time now;
    struct server_clock clock;
    struct player *player;
    int fd;
    int64_t bytes;
    struct fake_card card;                 /* where it is not device null */
    uint64_t most_rendered, most_appended; /* frames of a round, of the track and of all */
    unsigned rounds;                       /* in which something was rendered */
};

static struct mono_time room_now(void *clock)
{
    return ((struct room *)clock)->now;
}

/* The server's clock as eight echoes of the last half second have it, `off_ns` ahead. */
static void tell_time(struct room *room, int64_t off_ns)
{
    server_clock_init(&room->clock, 200 * NS_PER_MS);
    server_clock_connected(&room->clock, room->now);
    for (int i = 0; i < 8; i++) {
        struct mono_time sent = mono_add(room->now, -(i + 1) * 50 * NS_PER_MS);
        struct mono_time there = mono_add(sent, 100 * NS_PER_US);
        struct server_time at = {SERVER_NS + there.ns + off_ns};
        server_clock_add_echo(&room->clock, sent, mono_add(there, 100 * NS_PER_US), at, at);
    }
}

static struct server_time server_at(struct mono_time t)
{
    return (struct server_time){SERVER_NS + t.ns};
}

static void enter(struct room *room, const char *music, unsigned card_rate_hz, int64_t buffer_ns)
{
    struct stat info;
    *room = (struct room){.now = {100 * NS_PER_S}};
    log_set_level(LOG_ERROR);
    room->fd = open(music, O_RDONLY | O_CLOEXEC);
    assert_true(room->fd >= 0 && fstat(room->fd, &info) == 0);
    room->bytes = info.st_size;
    tell_time(room, 0);
    room->player = player_create(&(struct player_config){
        .output = {.sink = {.device = "null",
                            .preferred_rate_hz = 44100,
                            .fixed_rate_hz = card_rate_hz,
                            .buffer_ns = buffer_ns,
                            .now = room_now,
                            .clock = room},
                   .remembered_ppm = NAN},
        .drift = {0.2, 5000},
        .clock = &room->clock,
    });
    assert_non_null(room->player);
    player_set_track(room->player, room->fd, room->bytes, room->bytes, room->now);
}

static void leave(struct room *room)
{
    player_destroy(room->player);
    close(room->fd);
}

static int64_t queue_end(const struct room *room)
{
    return player_output_is_ready(room->player) ? output_end(room->player->output) : 0;
}

/* One round; what it did is noted. True when it wants another one at once. */
static bool go_round(struct room *room, struct mono_time *ret_next)
{
    bool was_ready = player_output_is_ready(room->player);
    uint64_t rendered = player_get_status(room->player, room->now).rendered_frames;
    int64_t end = queue_end(room);
    *ret_next = player_tick(room->player, room->now);
    rendered = player_get_status(room->player, room->now).rendered_frames - rendered;
    int64_t appended = was_ready ? queue_end(room) - end : 0;
    room->rounds += rendered > 0;
    if (rendered > room->most_rendered)
        room->most_rendered = rendered;
    if (appended > 0 && (uint64_t)appended > room->most_appended)
        room->most_appended = (uint64_t)appended;
    return mono_sub(*ret_next, room->now) <= 0;
}

/* Rounds until time has to pass. */
static struct mono_time settle(struct room *room)
{
    struct mono_time next;
    for (int rounds = 0; go_round(room, &next); rounds++)
        assert_true(rounds < 1000);
    return next;
}

static void live(struct room *room, int64_t for_ns)
{
    struct mono_time end = mono_add(room->now, for_ns);
    for (;;) {
        struct mono_time next = settle(room);
        if (mono_sub(next, end) >= 0)
            break;
        room->now = next;
    }
    room->now = end;
}

static void set_timeline(struct room *room, bool playing, double position_s)
{
    struct timeline timeline = {playing, position_s, server_at(room->now)};
    player_set_timeline(room->player, &timeline, room->now);
}

static double queued_s(const struct room *room)
{
    return ns_to_s(player_get_status(room->player, room->now).output.queued_ns);
}

static void check_rounds(const struct room *room)
{
    assert_true(room->most_rendered <= PLAYER_ROUND_FRAMES);
    assert_true(room->most_appended <= PLAYER_SILENT_ROUND_FRAMES + PLAYER_ROUND_FRAMES);
}

/* It sounds where it should, with half a second queued, after however many rounds. */
static void check_playing(const struct room *room)
{
    struct player_status status = player_get_status(room->player, room->now);
    assert_int_equal(status.state, TRANSPORT_PLAYING);
    assert_true(status.error_known);
    assert_true(fabs(status.error_s) < 50e-6);
    assert_int_equal(status.output.xruns, 0);
    assert_true(status.output.queued_ns > 300 * NS_PER_MS);
}

static void check_starts(const char *music, unsigned card_rate_hz, int64_t buffer_ns)
{
    struct room room;
    enter(&room, music, card_rate_hz, buffer_ns);
    set_timeline(&room, true, 0.123);
    live(&room, NS_PER_S);
    check_playing(&room);
    set_timeline(&room, true, 30.456); /* a seek */
    live(&room, NS_PER_S);
    check_playing(&room);
    set_timeline(&room, false, 30);
    live(&room, 3 * NS_PER_S); /* silence, as deep as the device takes */
    set_timeline(&room, true, 10);
    live(&room, 3 * NS_PER_S);
    check_playing(&room);
    player_set_track(room.player, room.fd, room.bytes, room.bytes, room.now); /* a change */
    live(&room, NS_PER_S);
    check_playing(&room);
    check_rounds(&room);
    leave(&room);
}

static void test_no_round_is_long(void **state)
{
    (void)state;
    check_starts(MUSIC_DIR "/harbour.mp3", 44100, 1500 * NS_PER_MS);
    check_starts(MUSIC_DIR "/harbour.mp3", 48000, 200 * NS_PER_MS + 400 * NS_PER_MS);
    check_starts(MUSIC_DIR "/harbour.mp3", 192000, 5000 * NS_PER_MS);
}

/* What a round leaves is done at once, not at the next look at the card. */
static void test_queue_is_filled_without_waiting(void **state)
{
    (void)state;
    struct room room;
    enter(&room, MUSIC_DIR "/harbour.mp3", 192000, 1500 * NS_PER_MS);
    set_timeline(&room, true, 0);
    struct mono_time next = room.now;
    while (room.rounds == 0) {
        room.now = next;
        go_round(&room, &next);
    }
    assert_true(queued_s(&room) < 0.2);
    settle(&room);
    assert_in_range(room.rounds, 192000 / 2 / PLAYER_ROUND_FRAMES, 40);
    room.now = mono_add(room.now, NS_PER_MS);
    live(&room, 50 * NS_PER_MS);
    assert_true(queued_s(&room) > 0.4);
    check_rounds(&room);
    leave(&room);
}

/* In between, other rounds go by with time of their own: the start is as exact. */
static void test_slow_rounds_do_not_shift_the_start(void **state)
{
    (void)state;
    struct room room;
    enter(&room, MUSIC_DIR "/harbour.mp3", 48000, 1500 * NS_PER_MS);
    set_timeline(&room, true, 0);
    struct mono_time next = room.now;
    for (int i = 0; i < 400; i++) {
        struct mono_time later = mono_add(room.now, 7 * NS_PER_MS);
        room.now = mono_sub(next, later) > 0 ? next : later;
        go_round(&room, &next);
    }
    check_playing(&room);
    check_rounds(&room);
    leave(&room);
}

static void start_and_learn_the_time(struct room *room, int64_t after_ns)
{
    enter(room, MUSIC_DIR "/harbour.mp3", 44100, 1500 * NS_PER_MS);
    set_timeline(room, true, 5);
    live(room, 5 * NS_PER_S); /* the card is known, and not looked at all the time any more */
    set_timeline(room, false, 5);
    live(room, NS_PER_S);
    set_timeline(room, true, 5);
    live(room, after_ns);
    tell_time(room, -50 * NS_PER_MS);
    live(room, 100 * NS_PER_MS);
}

/* The state that says "play" may tell the time better than anything before it. */
static void test_a_start_that_nobody_has_heard_is_made_again(void **state)
{
    struct room room;
    (void)state;
    for (int64_t after_ns = NS_PER_MS; after_ns < 16 * NS_PER_MS; after_ns += NS_PER_MS) {
        start_and_learn_the_time(&room, after_ns);
        struct player_status status = player_get_status(room.player, room.now);
        assert_true(fabs(status.error_s) < 1e-3);
        assert_int_equal(status.state, TRANSPORT_PLAYING);
        assert_int_equal(status.seeks, 0);
        leave(&room);
    }
}

static void test_what_is_heard_is_put_right_by_rate(void **state)
{
    struct room room;
    (void)state;
    start_and_learn_the_time(&room, 300 * NS_PER_MS);
    double error_s = player_get_status(room.player, room.now).error_s;
    assert_true(fabs(error_s) > 40e-3 && fabs(error_s) < 60e-3);
    assert_int_equal(player_get_status(room.player, room.now).seeks, 0);
    leave(&room);
}

/* What is queued is queued before the card, however late its sound comes out, or early. */
static void test_a_latency_takes_nothing_from_the_queue(void **state)
{
    static const int64_t latencies_ms[] = {-900, -100, 150, 480, 2000};
    struct room room;
    (void)state;
    for (size_t i = 0; i < sizeof latencies_ms / sizeof *latencies_ms; i++) {
        enter(&room, MUSIC_DIR "/harbour.mp3", 48000, 1500 * NS_PER_MS);
        player_set_latency(room.player, latencies_ms[i] * NS_PER_MS);
        set_timeline(&room, true, 5);
        live(&room, 5 * NS_PER_S);
        check_playing(&room);
        leave(&room);
    }
}

/* A start that is never as told is made again three times, and no more. */
static void test_a_start_is_made_again_a_few_times_only(void **state)
{
    static const double offs_ms[] = {-1.5, -4, -8, -12, -16, -20};
    static const unsigned restarts[] = {0, 1, 2, 3, 3, 3};
    struct mono_time next;
    struct room room;
    (void)state;
    enter(&room, MUSIC_DIR "/harbour.mp3", 44100, 1500 * NS_PER_MS);
    set_timeline(&room, true, 5);
    while (!room.player->joined)
        room.now = settle(&room);
    for (size_t i = 0; i < sizeof offs_ms / sizeof *offs_ms; i++) {
        room.now = mono_add(room.now, NS_PER_MS);
        tell_time(&room, (int64_t)(offs_ms[i] * NS_PER_MS));
        go_round(&room, &next);
        settle(&room);
        assert_int_equal(room.player->restarts, restarts[i]);
    }
    live(&room, NS_PER_S);
    set_timeline(&room, true, 50);
    live(&room, 10 * NS_PER_MS);
    assert_int_equal(room.player->restarts, 0); /* of the next start */
    leave(&room);
}

/* How long the player wants to be left alone, in ms: the least and the most of some ticks. */
static void check_waits(struct room *room, int ticks, double least_ms, double most_ms)
{
    double shortest_ms = INFINITY, longest_ms = 0, sum_ms = 0;
    for (int i = 0; i < ticks; i++) {
        struct mono_time next = settle(room);
        double wait_ms = (double)mono_sub(next, room->now) / NS_PER_MS;
        shortest_ms = fmin(shortest_ms, wait_ms);
        longest_ms = fmax(longest_ms, wait_ms);
        sum_ms += wait_ms;
        room->now = next;
    }
    double mean_ms = sum_ms / ticks; /* of waits that are spread over all of it */
    if (ticks >= 30 && fabs(mean_ms - (least_ms + most_ms) / 2) > (most_ms - least_ms) / 4)
        fail_msg("waits of %.1f ms on the average", mean_ms);
    if (shortest_ms < least_ms || longest_ms > most_ms)
        fail_msg("waits of %.1f to %.1f ms", shortest_ms, longest_ms);
}

static void test_the_pace_is_as_slow_as_can_be(void **state)
{
    struct room room;
    (void)state;
    enter(&room, MUSIC_DIR "/harbour.mp3", 44100, 1500 * NS_PER_MS);
    room.player->config.idle_release_ns = 10 * NS_PER_S;
    set_timeline(&room, true, 5);
    live(&room, NS_PER_S);
    check_waits(&room, 30, 24, 56); /* eager: for three seconds */
    live(&room, 3 * NS_PER_S);
    check_waits(&room, 50, 119, 161);
    set_timeline(&room, false, 9);
    struct mono_time paused = room.now;
    live(&room, 100 * NS_PER_MS);
    check_waits(&room, 4, 1000, 1130); /* three quarters of a second and a half */
    live(&room, mono_sub(mono_add(paused, 9900 * NS_PER_MS), room.now));
    assert_true(player_output_is_ready(room.player));
    live(&room, 2 * NS_PER_S);
    assert_false(player_output_is_ready(room.player));
    assert_false(player_get_status(room.player, room.now).output.wanted);
    check_waits(&room, 3, 5000, 5000);
    leave(&room);
}

/* As long as a start can be taken back there is a last look at it: 12 ms before it is heard. */
static void test_there_is_a_last_look_before_a_start(void **state)
{
    struct room room;
    bool seen = false;
    (void)state;
    enter(&room, MUSIC_DIR "/harbour.mp3", 44100, 1500 * NS_PER_MS);
    set_timeline(&room, true, 5);
    while (!room.player->joined)
        room.now = settle(&room);
    struct mono_time begins =
        output_time_played(room.player->output, (double)room.player->join_frame);
    while (mono_sub(room.now, begins) < 0) {
        assert_int_not_equal(player_get_status(room.player, room.now).state, TRANSPORT_PLAYING);
        seen = seen || llabs(mono_sub(begins, room.now) - 12 * NS_PER_MS) < 100 * NS_PER_US;
        room.now = settle(&room);
    }
    assert_true(seen);
    leave(&room);
}

static void test_a_track_shorter_than_a_second_ends(void **state)
{
    static char start[8192];
    struct room room;
    (void)state;
    enter(&room, MUSIC_DIR "/harbour.mp3", 44100, 1500 * NS_PER_MS);
    int brief = memfd_create("brief", MFD_CLOEXEC);
    assert_int_equal(pread(room.fd, start, sizeof start, 0), sizeof start);
    assert_int_equal(write(brief, start, sizeof start), sizeof start);
    player_set_track(room.player, brief, sizeof start, sizeof start, room.now);
    set_timeline(&room, true, 0);
    live(&room, 250 * NS_PER_MS);
    double length_s = player_get_status(room.player, room.now).length_s;
    assert_true(length_s > 0.3 && length_s < 1);
    assert_int_equal(player_get_status(room.player, room.now).state, TRANSPORT_PLAYING);
    live(&room, NS_PER_S);
    assert_int_equal(player_get_status(room.player, room.now).state, TRANSPORT_ENDED);
    leave(&room);
    close(brief);
}

static enum transport_state state_of(const struct room *room)
{
    return player_get_status(room->player, room->now).state;
}

/* Opened while there is time, and taken over as it is. */
static void test_the_next_track_is_opened_before_its_turn(void **state)
{
    struct room room;
    (void)state;
    enter(&room, MUSIC_DIR "/harbour.mp3", 44100, 1500 * NS_PER_MS);
    set_timeline(&room, true, 0);
    live(&room, 500 * NS_PER_MS);
    int fd = open(MUSIC_DIR "/meadow.mp3", O_RDONLY | O_CLOEXEC);
    int64_t bytes = lseek(fd, 0, SEEK_END);
    player_set_next(room.player, fd, bytes);
    live(&room, 500 * NS_PER_MS);
    struct voice *next = room.player->next;
    assert_true(voice_length_s(next) > 1);
    player_set_track(room.player, fd, bytes, bytes, room.now);
    assert_ptr_equal(room.player->voice, next);
    assert_null(room.player->next);
    live(&room, 500 * NS_PER_MS);
    assert_int_equal(state_of(&room), TRANSPORT_PLAYING);
    player_set_next(room.player, room.fd, room.bytes);
    player_set_track(room.player, fd, bytes, bytes, room.now); /* another than was expected */
    assert_non_null(room.player->next);
    assert_ptr_not_equal(room.player->voice, room.player->next);
    leave(&room);
    close(fd);
}

/* A voice that knows what it was told last, and has no sound. */
struct told_voice {
    struct voice voice;
    double gain_db;
};

static struct voice *create_told(int fd, int64_t available_bytes, int64_t total_bytes,
                                 enum resampler_quality quality)
{
    (void)fd;
    (void)available_bytes;
    (void)total_bytes;
    (void)quality;
    struct told_voice *told = calloc(1, sizeof *told);
    return told ? &told->voice : NULL;
}

static void destroy_told(struct voice *voice)
{
    free(voice);
}

static void tell_loudness(struct voice *voice, enum replaygain mode,
                          const struct loudness *loudness)
{
    assert_int_equal(mode, REPLAYGAIN_TRACK);
    ((struct told_voice *)voice)->gain_db = loudness->track_gain_db;
}

static double gain_told(const struct voice *voice)
{
    return ((const struct told_voice *)voice)->gain_db;
}

/* The list moves on before the track does: what is primed is told what becomes of it. */
static void test_each_track_is_told_its_own_loudness(void **state)
{
    static const struct voice_backend backend = {
        .create = create_told, .destroy = destroy_told, .set_loudness = tell_loudness};
    const struct loudness a = {-1, 1, NAN, NAN}, b = {-2, 1, NAN, NAN}, c = {-3, 1, NAN, NAN};
    const struct mono_time now = {NS_PER_S};
    struct server_clock clock;
    (void)state;
    server_clock_init(&clock, 200 * NS_PER_MS);
    struct player *player =
        player_create(&(struct player_config){.output = {.sink = {.device = "null"}},
                                              .drift = {0.2, 5000},
                                              .voices = &backend,
                                              .clock = &clock});
    player_set_loudness(player, REPLAYGAIN_TRACK, &a, &b);
    player_set_track(player, 1, 10, 10, now);
    player_set_next(player, 2, 10);
    assert_true(gain_told(player->voice) == -1 && gain_told(player->next) == -2);
    player_set_loudness(player, REPLAYGAIN_TRACK, &b, &c);
    player_set_track(player, 2, 10, 10, now);
    assert_true(gain_told(player->voice) == -2);
    player_set_next(player, 3, 10);
    assert_true(gain_told(player->next) == -3);
    player_destroy(player);
}

/* What is told again with another rounding is the same; a bit of difference is caught up with, a
 * lot is not. */
static void test_a_timeline_is_followed_by_how_far_it_is_off(void **state)
{
    struct room room;
    (void)state;
    enter(&room, MUSIC_DIR "/harbour.mp3", 44100, 1500 * NS_PER_MS);
    set_timeline(&room, true, 5);
    live(&room, 2 * NS_PER_S);
    struct timeline timeline = room.player->timeline;
    timeline.position_s += 40e-6;
    player_set_timeline(room.player, &timeline, room.now);
    assert_true(room.player->timeline.position_s < timeline.position_s);
    timeline.position_s += 40e-6;
    player_set_timeline(room.player, &timeline, room.now);
    assert_true(room.player->timeline.position_s == timeline.position_s);
    timeline.position_s += 0.15;
    player_set_timeline(room.player, &timeline, room.now);
    assert_true(room.player->joined);
    live(&room, 100 * NS_PER_MS);
    assert_true(player_get_status(room.player, room.now).error_s < -0.1);
    timeline.position_s += 0.15;
    player_set_timeline(room.player, &timeline, room.now);
    assert_false(room.player->joined);
    live(&room, NS_PER_S);
    check_playing(&room);
    leave(&room);
}

/* A timeline that goes on a little beyond the end is not worth a stop before it. */
static void test_a_track_ends_a_moment_after_its_length(void **state)
{
    struct room room;
    (void)state;
    enter(&room, MUSIC_DIR "/harbour.mp3", 44100, 1500 * NS_PER_MS);
    set_timeline(&room, true, 0);
    live(&room, 500 * NS_PER_MS);
    double length_s = player_get_status(room.player, room.now).length_s;
    set_timeline(&room, true, length_s - 0.5);
    live(&room, 535 * NS_PER_MS);
    struct mono_time next;
    go_round(&room, &next);
    assert_int_equal(state_of(&room), TRANSPORT_PLAYING);
    live(&room, 30 * NS_PER_MS);
    go_round(&room, &next);
    assert_int_equal(state_of(&room), TRANSPORT_ENDED);
    /* And nothing more is made of it: the board may sleep, once four seconds of its card were seen. */
    uint64_t rendered = player_get_status(room.player, room.now).rendered_frames;
    check_waits(&room, 30, 24, 56);
    live(&room, 3 * NS_PER_S);
    assert_int_equal(player_get_status(room.player, room.now).rendered_frames, rendered);
    check_waits(&room, 3, 1000, 1130);
    leave(&room);
}

/* A download that is slower than the music: all that there is sounds; then two seconds of it are
 * waited for, rather than played bit by bit. */
static void test_a_slow_download_pauses_rather_than_stutters(void **state)
{
    struct room room;
    (void)state;
    enter(&room, MUSIC_DIR "/harbour.mp3", 44100, 1500 * NS_PER_MS);
    set_timeline(&room, true, 0);
    live(&room, 100 * NS_PER_MS);
    int64_t bytes = room.bytes / 16; /* some seconds */
    player_set_track(room.player, room.fd, bytes, room.bytes, room.now);
    set_timeline(&room, true, 0);
    while (!room.player->out_of_bytes)
        live(&room, 100 * NS_PER_MS);
    assert_int_equal(state_of(&room), TRANSPORT_PLAYING); /* what is queued sounds on */
    assert_false(room.player->ran_dry);
    while (!room.player->ran_dry)
        live(&room, 10 * NS_PER_MS);
    live(&room, 100 * NS_PER_MS);
    assert_int_not_equal(state_of(&room), TRANSPORT_PLAYING);
    double wanted_s = player_get_status(room.player, room.now).position_s;
    assert_true(wanted_s > 2);
    player_track_grew(room.player, (int64_t)((double)bytes * (wanted_s + 0.8) / wanted_s), false);
    live(&room, 200 * NS_PER_MS);
    assert_int_not_equal(state_of(&room), TRANSPORT_PLAYING);
    player_track_grew(room.player, (int64_t)((double)bytes * (wanted_s + 4) / wanted_s), false);
    live(&room, 200 * NS_PER_MS);
    assert_int_equal(state_of(&room), TRANSPORT_PLAYING);
    assert_false(room.player->ran_dry);
    leave(&room);
}

/* On a card that keeps what it was given. */
static void enter_with_card(struct room *room, bool cannot_rewind)
{
    enter(room, MUSIC_DIR "/harbour.mp3", 44100, 1500 * NS_PER_MS);
    player_destroy(room->player);
    fake_card_init(&room->card);
    room->card.now = room->now;
    room->card.cannot_rewind = cannot_rewind;
    room->player = player_create(&(struct player_config){
        .output = {.sink = {.device = "fake",
                            .now = room_now,
                            .clock = room,
                            .backend = &fake_card_backend},
                   .remembered_ppm = NAN},
        .drift = {0.2, 5000},
        .idle_release_ns = 3 * NS_PER_S,
        .clock = &room->clock,
    });
}

/* One that gives nothing back. */
static void enter_with_short_queue(struct room *room)
{
    enter_with_card(room, true);
    player_set_track(room->player, room->fd, room->bytes, room->bytes, room->now);
    set_timeline(room, true, 5);
}

/* Its clock is the room's. */
static void live_with_card(struct room *room, int64_t for_ns, double *ret_most_s)
{
    struct mono_time end = mono_add(room->now, for_ns);
    *ret_most_s = 0;
    while (mono_sub(room->now, end) < 0) {
        struct mono_time next = settle(room);
        *ret_most_s = fmax(*ret_most_s, queued_s(room));
        room->now = room->card.now = mono_sub(next, end) < 0 ? next : end;
    }
}

/* What is queued delays every pause; an underrun shows that this board needs more. */
static void test_what_cannot_be_taken_back_is_queued_briefly(void **state)
{
    static const double wanted_s[] = {0.08, 0.16, 0.32, 0.5, 0.5};
    struct room room;
    double most_s;
    (void)state;
    enter_with_short_queue(&room);
    for (size_t i = 0; i < sizeof wanted_s / sizeof *wanted_s; i++) {
        live_with_card(&room, 3 * NS_PER_S, &most_s);
        live_with_card(&room, NS_PER_S, &most_s);
        assert_int_equal(player_get_status(room.player, room.now).state, TRANSPORT_PLAYING);
        if (fabs(most_s - wanted_s[i]) > 0.01)
            fail_msg("%.3f s are queued, not %.3f", most_s, wanted_s[i]);
        assert_int_equal(player_get_status(room.player, room.now).output.xruns, i);
        room.card.broken = SINK_XRUN;
    }
    set_timeline(&room, false, 9);
    live_with_card(&room, NS_PER_S, &most_s);
    live_with_card(&room, NS_PER_S, &most_s);
    assert_true(most_s > 0.4 && most_s <= 0.5); /* as much of silence as the buffer has */
    leave(&room);
    fake_card_end(&room.card);
}

/* However far apart the looks at it are: it is paused, and never runs dry. */
static void test_a_short_silent_queue_does_not_run_dry(void **state)
{
    struct room room;
    double most_s;
    (void)state;
    enter_with_short_queue(&room);
    live_with_card(&room, NS_PER_S, &most_s);
    set_timeline(&room, false, 5);
    live_with_card(&room, 2 * NS_PER_S + NS_PER_S / 2, &most_s); /* then it is let go */
    assert_int_equal(player_get_status(room.player, room.now).output.state, OUTPUT_READY);
    assert_int_equal(player_get_status(room.player, room.now).output.xruns, 0);
    leave(&room);
    fake_card_end(&room.card);
}

static void leave_card(struct room *room)
{
    leave(room);
    fake_card_end(&room->card);
}

static double loudest(const struct room *room, int64_t from, int64_t to)
{
    double most = 0;
    for (int64_t frame = from; frame < to; frame++)
        most = fmax(most, fabs((double)room->card.left[frame % FAKE_CARD_KEPT_FRAMES]));
    return most;
}

/* Nothing plays and the device is closed: it is opened, sounds, and is let go. */
static void test_a_chime_needs_no_music(void **state)
{
    struct room room;
    double most_s;
    (void)state;
    for (int cannot_rewind = 0; cannot_rewind < 2; cannot_rewind++) {
        enter_with_card(&room, cannot_rewind);
        live_with_card(&room, NS_PER_S, &most_s);
        assert_int_equal(room.card.opened, 0);
        assert_false(player_get_status(room.player, room.now).cueing);
        player_chime(room.player);
        assert_true(player_get_status(room.player, room.now).cue_waits);
        live_with_card(&room, 300 * NS_PER_MS, &most_s);
        struct player_status status = player_get_status(room.player, room.now);
        assert_true(!status.cue_waits && status.cueing && !status.clicking);
        assert_int_equal(status.state, TRANSPORT_IDLE);
        live_with_card(&room, NS_PER_S + 200 * NS_PER_MS, &most_s);
        assert_false(player_get_status(room.player, room.now).cueing);
        assert_true(loudest(&room, 0, fake_card_played(&room.card)) > 0.09);
        assert_int_equal(player_get_status(room.player, room.now).output.state, OUTPUT_READY);
        live_with_card(&room, 9 * NS_PER_S, &most_s); /* a silent one is looked at every five */
        assert_int_equal(player_get_status(room.player, room.now).output.state, OUTPUT_CLOSED);
        assert_int_equal(room.card.opened, 1);
        assert_int_equal(room.card.asked_rate_hz, 48000); /* which nearly all have */
        assert_int_equal(player_get_status(room.player, room.now).output.xruns, 0);
        leave_card(&room);
    }
}

static void test_a_chime_waits_for_the_amplifier(void **state)
{
    struct room room;
    double most_s;
    (void)state;
    enter_with_card(&room, false);
    player_chime(room.player);
    player_hold_chime(room.player, true);
    live_with_card(&room, 2 * NS_PER_S, &most_s);
    assert_true(player_get_status(room.player, room.now).cue_waits);
    assert_true(loudest(&room, 0, room.card.written) == 0);
    player_hold_chime(room.player, false);
    live_with_card(&room, 200 * NS_PER_MS, &most_s);
    assert_false(player_get_status(room.player, room.now).cue_waits);
    assert_true(loudest(&room, 0, room.card.written) > 0.09);
    leave_card(&room);
}

/* Whoever asked gives up; the device is not kept for it. */
static void test_a_cue_without_a_device_is_given_up(void **state)
{
    struct room room;
    double most_s;
    (void)state;
    enter_with_card(&room, false);
    room.card.absent = true;
    player_chime(room.player);
    player_set_clicks(room.player, mono_add(room.now, 60 * NS_PER_S), room.now);
    live_with_card(&room, 2 * NS_PER_S, &most_s);
    struct player_status status = player_get_status(room.player, room.now);
    assert_true(status.cue_waits && status.output.error[0]);
    player_end_cues(room.player);
    status = player_get_status(room.player, room.now);
    assert_true(!status.cue_waits && !status.cueing && !status.clicking);
    live_with_card(&room, 9 * NS_PER_S, &most_s);
    assert_false(player_get_status(room.player, room.now).output.wanted);
    leave_card(&room);
}

/* Told again while they sound, they go on; told to end, they have, and may begin again at once. */
static void test_clicks_wait_only_before_the_first(void **state)
{
    struct room room;
    double most_s;
    (void)state;
    enter_with_card(&room, false);
    player_set_clicks(room.player, mono_add(room.now, -1), room.now);
    assert_false(player_get_status(room.player, room.now).cue_waits);
    player_set_clicks(room.player, mono_add(room.now, 60 * NS_PER_S), room.now);
    assert_true(player_get_status(room.player, room.now).cue_waits);
    live_with_card(&room, 2 * NS_PER_S, &most_s);
    assert_false(player_get_status(room.player, room.now).cue_waits);
    player_set_clicks(room.player, mono_add(room.now, 60 * NS_PER_S), room.now);
    assert_false(player_get_status(room.player, room.now).cue_waits);
    player_set_clicks(room.player, room.now, room.now);
    assert_false(player_get_status(room.player, room.now).clicking);
    player_set_clicks(room.player, mono_add(room.now, 60 * NS_PER_S), room.now);
    assert_true(player_get_status(room.player, room.now).cue_waits);
    player_set_clicks(room.player, room.now, room.now);
    assert_false(player_get_status(room.player, room.now).cue_waits);
    leave_card(&room);
}

/* How far the clicks that the card has played since frame `from` are from half seconds of the
 * server's time, as they are heard; how many there are. */
static int check_clicks(const struct room *room, int64_t from, int64_t latency_ns)
{
    const int64_t half_ns = NS_PER_S / 2;
    int64_t played = fake_card_played(&room->card), length = FAKE_CARD_RATE_HZ * 4 / 1000;
    double rate_hz = FAKE_CARD_RATE_HZ * ppm_to_factor(room->card.ppm);
    int clicks = 0;
    for (int64_t frame = from; frame < played - length; frame++) {
        double sum = 0, moment = 0;
        if (loudest(room, frame, frame + 1) < 1e-6)
            continue;
        for (int64_t at = frame; at < frame + length; at++) {
            double sample = (double)room->card.left[at % FAKE_CARD_KEPT_FRAMES];
            sum += sample * sample;
            moment += sample * sample * (double)at;
        }
        int64_t begin_ns = frames_to_ns(moment / sum, rate_hz) - 2 * NS_PER_MS;
        struct mono_time heard = mono_add(room->card.started_at, begin_ns + latency_ns);
        int64_t off_ns = (server_at(heard).ns + half_ns / 2) % half_ns - half_ns / 2;
        if (llabs(off_ns) > 20 * NS_PER_US)
            fail_msg("a click is %lld ns off", (long long)off_ns);
        clicks++;
        frame += length;
    }
    return clicks;
}

/* What the card has played, and the rest of a click that it is in. */
static int64_t played_after_click(const struct room *room)
{
    int64_t frame = fake_card_played(&room->card);
    while (loudest(room, frame - 300, frame) > 0)
        frame++;
    return frame;
}

static void check_clicking(bool cannot_rewind, bool paused, int64_t latency_ns)
{
    struct room room;
    double most_s;
    enter_with_card(&room, cannot_rewind);
    room.card.ppm = 40;
    player_set_latency(room.player, latency_ns);
    if (paused) {
        player_set_track(room.player, room.fd, room.bytes, room.bytes, room.now);
        set_timeline(&room, false, 5);
    }
    player_set_clicks(room.player, mono_add(room.now, 60 * NS_PER_S), room.now);
    live_with_card(&room, 5 * NS_PER_S, &most_s);
    assert_false(player_get_status(room.player, room.now).cue_waits);
    assert_true(player_get_status(room.player, room.now).clicking);
    int64_t from = played_after_click(&room);
    live_with_card(&room, 10 * NS_PER_S, &most_s);
    assert_in_range(check_clicks(&room, from, latency_ns), 19, 21);
    /* Another latency is followed a moment later, whenever it is set; where nothing can be taken
     * back, behind the queue. */
    for (int i = 0; i < 5; i++) {
        latency_ns += 1700 * NS_PER_US;
        player_set_latency(room.player, latency_ns);
        live_with_card(&room, (cannot_rewind ? 1000 : 300) * NS_PER_MS, &most_s);
        from = played_after_click(&room);
        live_with_card(&room, 800 * NS_PER_MS, &most_s);
        assert_in_range(check_clicks(&room, from, latency_ns), 1, 2);
    }
    from = played_after_click(&room);
    live_with_card(&room, 4 * NS_PER_S, &most_s);
    assert_in_range(check_clicks(&room, from, latency_ns), 7, 9);
    /* And they stop by themselves. */
    live_with_card(&room, 42 * NS_PER_S, &most_s);
    assert_false(player_get_status(room.player, room.now).clicking);
    from = room.card.written;
    live_with_card(&room, 3 * NS_PER_S, &most_s);
    assert_true(loudest(&room, from, room.card.written) == 0);
    assert_int_equal(player_get_status(room.player, room.now).output.xruns, 0);
    leave_card(&room);
}

static void test_clicks_are_at_half_seconds_of_the_server(void **state)
{
    static const int64_t latencies_ms[] = {0, 480, -300, 2000};
    (void)state;
    for (size_t i = 0; i < sizeof latencies_ms / sizeof *latencies_ms; i++) {
        check_clicking(false, i % 2, latencies_ms[i] * NS_PER_MS);
        check_clicking(true, i % 2, latencies_ms[i] * NS_PER_MS);
    }
}

/* The server's clock is set back, and it is not waited for until it is as late again. */
static void test_clicks_follow_a_clock_that_is_set_back(void **state)
{
    struct room room;
    double most_s;
    (void)state;
    enter_with_card(&room, false);
    player_set_clicks(room.player, mono_add(room.now, 60 * NS_PER_S), room.now);
    live_with_card(&room, 3 * NS_PER_S, &most_s);
    tell_time(&room, -3 * NS_PER_S);
    live_with_card(&room, 600 * NS_PER_MS, &most_s);
    int64_t from = played_after_click(&room);
    live_with_card(&room, 1500 * NS_PER_MS, &most_s);
    assert_in_range(check_clicks(&room, from, 0), 2, 4);
    leave_card(&room);
}

/* Clicks and a chime over the music move none of it. */
static void test_music_goes_on_under_cues(void **state)
{
    struct room room;
    double most_s;
    (void)state;
    enter_with_card(&room, false);
    player_set_track(room.player, room.fd, room.bytes, room.bytes, room.now);
    set_timeline(&room, true, 5);
    live_with_card(&room, 2 * NS_PER_S, &most_s);
    uint64_t seeks = player_get_status(room.player, room.now).seeks;
    player_set_clicks(room.player, mono_add(room.now, 3 * NS_PER_S), room.now);
    player_chime(room.player);
    for (int i = 0; i < 50; i++) {
        live_with_card(&room, 100 * NS_PER_MS, &most_s);
        struct player_status status = player_get_status(room.player, room.now);
        assert_int_equal(status.state, TRANSPORT_PLAYING);
        assert_true(fabs(status.error_s) < 50e-6);
    }
    assert_int_equal(player_get_status(room.player, room.now).seeks, seeks);
    assert_int_equal(player_get_status(room.player, room.now).output.xruns, 0);
    leave_card(&room);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_no_round_is_long),
        cmocka_unit_test(test_queue_is_filled_without_waiting),
        cmocka_unit_test(test_slow_rounds_do_not_shift_the_start),
        cmocka_unit_test(test_a_start_that_nobody_has_heard_is_made_again),
        cmocka_unit_test(test_what_is_heard_is_put_right_by_rate),
        cmocka_unit_test(test_a_latency_takes_nothing_from_the_queue),
        cmocka_unit_test(test_a_start_is_made_again_a_few_times_only),
        cmocka_unit_test(test_the_pace_is_as_slow_as_can_be),
        cmocka_unit_test(test_there_is_a_last_look_before_a_start),
        cmocka_unit_test(test_what_cannot_be_taken_back_is_queued_briefly),
        cmocka_unit_test(test_a_track_shorter_than_a_second_ends),
        cmocka_unit_test(test_the_next_track_is_opened_before_its_turn),
        cmocka_unit_test(test_each_track_is_told_its_own_loudness),
        cmocka_unit_test(test_a_timeline_is_followed_by_how_far_it_is_off),
        cmocka_unit_test(test_a_track_ends_a_moment_after_its_length),
        cmocka_unit_test(test_a_slow_download_pauses_rather_than_stutters),
        cmocka_unit_test(test_a_short_silent_queue_does_not_run_dry),
        cmocka_unit_test(test_a_chime_needs_no_music),
        cmocka_unit_test(test_a_chime_waits_for_the_amplifier),
        cmocka_unit_test(test_a_cue_without_a_device_is_given_up),
        cmocka_unit_test(test_clicks_wait_only_before_the_first),
        cmocka_unit_test(test_clicks_are_at_half_seconds_of_the_server),
        cmocka_unit_test(test_clicks_follow_a_clock_that_is_set_back),
        cmocka_unit_test(test_music_goes_on_under_cues),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
