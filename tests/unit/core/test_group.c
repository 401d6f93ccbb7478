/*
 * test_group.c: what comes to a group's machine and what goes out of it; how well speakers are
 * together is for tests/sim/sim_group_clock.c.
 */
#include "../cmocka_all.h"
#include "tutti/core/group.h"

#include <stdlib.h>
#include <string.h>

#define PEERS 2
#define TRAVEL_NS (100 * NS_PER_US)

/* Speakers whose clocks differ by hours, on a network without any jitter. */
struct speaker {
    struct server_clock clock;
    struct group group;
    int64_t ahead_ns; /* of true time */
    unsigned sent[GROUP_ANSWER + 1];
};

static struct speaker speakers[PEERS];
static const int64_t SERVER_NS = INT64_C(1790000000) * NS_PER_S;

static struct mono_time local(const struct speaker *speaker, int64_t t_ns)
{
    return (struct mono_time){t_ns + speaker->ahead_ns};
}

static void begin(int index, int64_t t_ns)
{
    struct speaker *speaker = &speakers[index];
    struct group_config config = {.id = 100 + (uint64_t)index, .seed = 7 + (uint64_t)index};
    memset(speaker, 0, sizeof *speaker);
    speaker->ahead_ns = (1 + index) * 3600 * NS_PER_S;
    server_clock_init(&speaker->clock, 200 * NS_PER_MS);
    server_clock_connected(&speaker->clock, local(speaker, t_ns));
    group_init(&speaker->group, &config, &speaker->clock, local(speaker, t_ns));
}

static void hear(int index, int64_t t_ns, int64_t late_ns)
{
    struct speaker *speaker = &speakers[index];
    struct mono_time arrived = local(speaker, t_ns + late_ns);
    struct server_time stamp = {SERVER_NS + t_ns};
    server_clock_add_stamp(&speaker->clock, arrived, stamp);
    group_heard(&speaker->group, stamp, &arrived, arrived);
}

/* What one has to send is there after TRAVEL_NS; what that makes the other send, after twice that.
 */
static void exchange(int from, int64_t t_ns)
{
    struct group_message message;
    group_peer to;
    struct speaker *speaker = &speakers[from];
    bool heard = false;
    while (group_next_send(&speaker->group, local(speaker, t_ns), &to, &message)) {
        message.sent_at.ns = local(speaker, t_ns).ns;
        group_sent(&speaker->group, &message);
        speaker->sent[message.kind]++;
        struct speaker *other = &speakers[1 - from];
        if (other->group.config.id && (to == GROUP_PEER_ALL || to == (group_peer)(2 - from))) {
            group_receive(&other->group, (group_peer)(from + 1), to == GROUP_PEER_ALL, &message,
                          local(other, t_ns + TRAVEL_NS));
            heard = true;
        }
    }
    if (heard)
        exchange(1 - from, t_ns + TRAVEL_NS);
}

static void run(int count, int64_t from_ns, int64_t to_ns)
{
    for (int64_t t_ns = from_ns; t_ns < to_ns; t_ns += 10 * NS_PER_MS)
        for (int i = 0; i < count; i++) {
            struct speaker *speaker = &speakers[i];
            if (!speaker->group.config.id ||
                mono_sub(group_due(&speaker->group), local(speaker, t_ns)) > 0)
                continue;
            group_fired(&speaker->group, local(speaker, t_ns));
            exchange(i, t_ns);
        }
}

static int forget_all(void **state)
{
    (void)state;
    memset(speakers, 0, sizeof speakers);
    return 0;
}

static enum group_role role(int index, int64_t t_ns)
{
    return group_get_status(&speakers[index].group, local(&speakers[index], t_ns)).role;
}

static int64_t apart_ns(int64_t t_ns)
{
    struct server_time first = server_clock_at(&speakers[0].clock, local(&speakers[0], t_ns));
    struct server_time second = server_clock_at(&speakers[1].clock, local(&speakers[1], t_ns));
    return llabs(server_sub(first, second));
}

static void two_together(void)
{
    begin(0, 0);
    hear(0, NS_PER_S, 3 * NS_PER_MS);
    run(1, NS_PER_S, 3 * NS_PER_S);
    begin(1, 3 * NS_PER_S);
    group_heard(&speakers[1].group, (struct server_time){SERVER_NS + NS_PER_S}, NULL,
                local(&speakers[1], 3 * NS_PER_S)); /* its connection's first state */
    run(2, 3 * NS_PER_S, 10 * NS_PER_S);
}

static void alone_it_says_so_and_changes_nothing(void **state)
{
    (void)state;
    begin(0, 0);
    hear(0, NS_PER_S, 3 * NS_PER_MS);
    run(1, NS_PER_S, 30 * NS_PER_S);
    struct mono_time now = local(&speakers[0], 30 * NS_PER_S);
    assert_int_equal(role(0, 30 * NS_PER_S), GROUP_ALONE);
    assert_int_equal(server_clock_estimate(&speakers[0].clock, now).source, SERVER_CLOCK_STAMPS);
    assert_int_equal(speakers[0].sent[GROUP_PROBE], 0);
    assert_in_range(speakers[0].sent[GROUP_WORD], 3, 20);
}

static void who_comes_later_follows_and_has_the_same_time(void **state)
{
    (void)state;
    two_together();
    assert_int_equal(role(0, 10 * NS_PER_S), GROUP_REFERENCE);
    assert_int_equal(role(1, 10 * NS_PER_S), GROUP_FOLLOWER);
    assert_true(apart_ns(10 * NS_PER_S) < NS_PER_US);
    struct server_clock_estimate clock =
        server_clock_estimate(&speakers[1].clock, local(&speakers[1], 10 * NS_PER_S));
    assert_int_equal(clock.source, SERVER_CLOCK_GROUP);
    assert_true(clock.settled); /* though it has heard nothing itself */
}

static void a_goodbye_is_understood_at_once(void **state)
{
    (void)state;
    two_together();
    group_leave(&speakers[0].group, local(&speakers[0], 10 * NS_PER_S));
    exchange(0, 10 * NS_PER_S);
    assert_int_equal(speakers[1].group.reference, speakers[1].group.config.id);
    int64_t before_ns = server_clock_at(&speakers[1].clock, local(&speakers[1], 10 * NS_PER_S)).ns;
    memset(&speakers[0], 0, sizeof speakers[0]);
    run(2, 10 * NS_PER_S, 70 * NS_PER_S);
    int64_t after_ns = server_clock_at(&speakers[1].clock, local(&speakers[1], 70 * NS_PER_S)).ns;
    assert_true(llabs(after_ns - before_ns - 60 * NS_PER_S) < 10 * NS_PER_MS);
}

/* The next message that a speaker sends of a kind, not delivered. */
static struct group_message intercept(int from, enum group_message_kind kind, int64_t *t_ns)
{
    struct speaker *speaker = &speakers[from];
    struct group_message message;
    group_peer to;
    for (;; *t_ns += 10 * NS_PER_MS) {
        group_fired(&speaker->group, local(speaker, *t_ns));
        while (group_next_send(&speaker->group, local(speaker, *t_ns), &to, &message)) {
            message.sent_at.ns = local(speaker, *t_ns).ns;
            group_sent(&speaker->group, &message);
            if (message.kind == kind)
                return message;
        }
    }
}

static void a_probe_is_answered_once_and_a_replay_is_not(void **state)
{
    (void)state;
    struct group_message message, answer;
    group_peer to;
    unsigned answers = 0;
    int64_t t_ns = 10 * NS_PER_S;
    two_together();
    message = intercept(1, GROUP_PROBE, &t_ns);
    for (int i = 0; i < 3; i++)
        group_receive(&speakers[0].group, 2, false, &message,
                      local(&speakers[0], t_ns + TRAVEL_NS));
    while (group_next_send(&speakers[0].group, local(&speakers[0], t_ns), &to, &answer)) {
        if (answer.kind != GROUP_ANSWER)
            continue;
        answers++;
        assert_int_equal(to, 2);
        assert_int_equal(answer.nonce, message.nonce);
        assert_int_equal(answer.received_at.ns, local(&speakers[0], t_ns + TRAVEL_NS).ns);
    }
    assert_int_equal(answers, 1);
}

/* An answer to nothing that was asked, or from someone else than was asked, is no measurement. */
static void answers_to_no_question_move_nothing(void **state)
{
    (void)state;
    int64_t t_ns = 10 * NS_PER_S;
    two_together();
    struct group_message probe = intercept(1, GROUP_PROBE, &t_ns);
    struct peer_clock before = speakers[1].group.measures[speakers[1].group.in_force].clock;
    struct group_message answer = {
        .kind = GROUP_ANSWER,
        .sender = 100,
        .counter = UINT64_MAX - 1,
        .nonce = probe.nonce + 1,
        .sent_at = {local(&speakers[0], t_ns).ns + NS_PER_S},
        .received_at = {local(&speakers[0], t_ns).ns + NS_PER_S},
    };
    answer.word = (struct group_word){.reference = 100, .next_ms = 2000};
    group_receive(&speakers[1].group, 1, false, &answer, local(&speakers[1], t_ns + TRAVEL_NS));
    answer.sender = 999;
    answer.nonce = probe.nonce;
    group_receive(&speakers[1].group, 9, false, &answer, local(&speakers[1], t_ns + TRAVEL_NS));
    const struct peer_clock *after = &speakers[1].group.measures[speakers[1].group.in_force].clock;
    assert_int_equal(after->echoes.count, before.echoes.count);
    assert_int_equal(after->fit.offset_ns, before.fit.offset_ns);
}

/* However many claim to be there, and however many ask: nothing grows, and words stay rare. */
static void a_crowd_is_bounded(void **state)
{
    (void)state;
    begin(0, 0);
    unsigned sent = 0;
    group_peer to;
    struct group_message message;
    for (unsigned i = 0; i < 10000; i++) {
        struct mono_time now = local(&speakers[0], i * NS_PER_MS / 10);
        struct group_message probe = {
            .kind = i % 2 ? GROUP_PROBE : GROUP_WORD,
            .sender = 1000 + i,
            .counter = 1,
            .nonce = i,
            .word = {.next_ms = 100000, .heard_ns = (int64_t)i},
        };
        group_receive(&speakers[0].group, 3, i % 3 == 0, &probe, now);
    }
    while (group_next_send(&speakers[0].group, local(&speakers[0], NS_PER_S), &to, &message))
        sent++;
    assert_int_equal(group_get_status(&speakers[0].group, local(&speakers[0], NS_PER_S)).members,
                     1 + GROUP_MEMBERS_MAX);
    assert_true(sent <= GROUP_ANSWERS_MAX + 1 + GROUP_MEMBERS_MAX);
}

static void who_missed_a_state_is_told_to_look_once(void **state)
{
    (void)state;
    two_together();
    hear(0, 20 * NS_PER_S, 3 * NS_PER_MS);
    exchange(0, 20 * NS_PER_S + 3 * NS_PER_MS);
    run(2, 20 * NS_PER_S + 10 * NS_PER_MS, 21 * NS_PER_S);
    assert_true(group_take_look(&speakers[1].group));
    assert_false(group_take_look(&speakers[1].group));
    run(2, 21 * NS_PER_S, 39 * NS_PER_S); /* it looked in vain: not again so soon */
    assert_false(group_take_look(&speakers[1].group));
    assert_false(group_take_look(&speakers[0].group));
}

static void other_playlists_make_both_look(void **state)
{
    (void)state;
    two_together();
    for (int i = 0; i < 2; i++) {
        hear(i, 20 * NS_PER_S, 3 * NS_PER_MS);
        group_set_playlist(&speakers[i].group, 5, local(&speakers[i], 20 * NS_PER_S));
    }
    run(2, 20 * NS_PER_S + 10 * NS_PER_MS, 30 * NS_PER_S);
    assert_false(group_take_look(&speakers[0].group) || group_take_look(&speakers[1].group));
    group_set_playlist(&speakers[0].group, 6, local(&speakers[0], 30 * NS_PER_S));
    run(2, 30 * NS_PER_S, 33 * NS_PER_S);
    assert_true(group_take_look(&speakers[1].group));
}

static void guess(int index, int64_t t_ns, int64_t off_ns)
{
    struct speaker *speaker = &speakers[index];
    struct server_time date = {SERVER_NS + t_ns + off_ns};
    server_clock_add_date(&speaker->clock, local(speaker, t_ns - NS_PER_MS), local(speaker, t_ns),
                          date, true);
}

/* The first stamp of all moves the line by what was guessed wrong, just after a word. */
static void who_is_told_to_play_begins_by_the_line_that_it_makes(void **state)
{
    (void)state;
    begin(0, 0);
    begin(1, 0);
    guess(0, 10 * NS_PER_MS, -300 * NS_PER_MS);
    guess(1, 10 * NS_PER_MS, -400 * NS_PER_MS);
    int64_t t_ns = 3 * NS_PER_S;
    run(2, 20 * NS_PER_MS, t_ns);
    int reference = role(0, t_ns) == GROUP_REFERENCE ? 0 : 1;
    assert_int_equal(role(reference, t_ns), GROUP_REFERENCE);
    assert_int_equal(role(1 - reference, t_ns), GROUP_FOLLOWER);
    unsigned words = speakers[reference].sent[GROUP_WORD];
    while (speakers[reference].sent[GROUP_WORD] == words) {
        run(2, t_ns, t_ns + 10 * NS_PER_MS);
        t_ns += 10 * NS_PER_MS;
    }
    t_ns += 20 * NS_PER_MS;
    int64_t before_ns = server_clock_at(&speakers[1].clock, local(&speakers[1], t_ns)).ns;
    hear(1 - reference, t_ns, NS_PER_MS); /* who follows first: the reference is still as it was */
    exchange(1 - reference, t_ns + NS_PER_MS);
    hear(reference, t_ns, 3 * NS_PER_MS);
    exchange(reference, t_ns + 3 * NS_PER_MS);
    run(2, t_ns + 5 * NS_PER_MS, t_ns + 15 * NS_PER_MS);
    assert_true(llabs(server_clock_at(&speakers[1].clock, local(&speakers[1], t_ns)).ns -
                      before_ns) > 50 * NS_PER_MS);
    assert_true(apart_ns(t_ns + 15 * NS_PER_MS) < 100 * NS_PER_US);
}

static void a_stamp_that_came_earlier_to_another_is_evidence(void **state)
{
    (void)state;
    two_together();
    hear(0, 20 * NS_PER_S, 60 * NS_PER_MS); /* late here */
    hear(1, 20 * NS_PER_S, 1 * NS_PER_MS);
    struct mono_time now = local(&speakers[0], 20 * NS_PER_S + 60 * NS_PER_MS);
    int64_t before_ns = server_clock_own(&speakers[0].clock, now).low_ns;
    run(2, 20 * NS_PER_S + 60 * NS_PER_MS, 23 * NS_PER_S);
    now = local(&speakers[0], 23 * NS_PER_S);
    int64_t gained_ns = server_clock_own(&speakers[0].clock, now).low_ns - before_ns;
    assert_in_range(gained_ns, 1 * NS_PER_MS, 60 * NS_PER_MS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(alone_it_says_so_and_changes_nothing, forget_all),
        cmocka_unit_test_setup(who_comes_later_follows_and_has_the_same_time, forget_all),
        cmocka_unit_test_setup(a_goodbye_is_understood_at_once, forget_all),
        cmocka_unit_test_setup(a_probe_is_answered_once_and_a_replay_is_not, forget_all),
        cmocka_unit_test_setup(answers_to_no_question_move_nothing, forget_all),
        cmocka_unit_test_setup(a_crowd_is_bounded, forget_all),
        cmocka_unit_test_setup(who_missed_a_state_is_told_to_look_once, forget_all),
        cmocka_unit_test_setup(other_playlists_make_both_look, forget_all),
        cmocka_unit_test_setup(who_is_told_to_play_begins_by_the_line_that_it_makes, forget_all),
        cmocka_unit_test_setup(a_stamp_that_came_earlier_to_another_is_evidence, forget_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
