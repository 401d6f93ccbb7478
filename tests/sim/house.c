/*
 * house.c: see house.h. Events one after another: datagrams that arrive, timers of the groups,
 * Dates, looks at the backend; the speakers' own ticks run beside.
 */
#include "house.h"

#include "../unit/cmocka_all.h"
#include "tutti/base/units.h"

#include <math.h>
#include <string.h>

#define GOLDEN 0.6180339887498949
#define SLEEPY_S 5e-3
#define WAKE_S 70e-6
#define SEND_S 4e-6
#define DATE_BURST 12
#define DATE_BURST_STEP_S 0.11
#define LOOK_S 30e-3
#define LIE_S 0.3
#define REPORT_LIE_S 0.2

static bool is_within(double t, double from_s, double to_s)
{
    return t >= from_s && t < to_s;
}

bool house_is_there(const struct house *house, int index)
{
    const struct house_member *member = &house->members[index];
    return member->began && house->now_s < member->ends_s;
}

static struct mono_time local(const struct house_member *member, double t)
{
    return sim_speaker_local(&member->speaker, t);
}

void house_init(struct house *house, int count, bool echo, bool silent, uint64_t seed)
{
    for (int i = 0; i < house->count; i++)
        sim_speaker_end(&house->members[i].speaker);
    memset(house, 0, sizeof *house);
    sim_random_init(&house->random, seed);
    house->count = count;
    house->date_period_s = seed % 2 ? 1.006 : 0;
    for (int i = 0; i < count; i++) {
        struct house_member *member = &house->members[i];
        struct sim_speaker_config *config = &member->speaker.config;
        config->card.rate_hz = 48000;
        config->card.step_frames = 1;
        config->card.crystal.ppm = sim_uniform(&house->random, -200, 200);
        config->local.ppm = sim_uniform(&house->random, -50, 50);
        config->echo = echo;
        config->silent = silent;
        member->starts_s = sim_uniform(&house->random, 0, 0.5);
        member->ends_s = INFINITY;
        member->look_s = INFINITY;
    }
}

static void begin(struct house *house, int index)
{
    struct house_member *member = &house->members[index];
    struct sim_speaker_config config = member->speaker.config;
    uint64_t id = (uint64_t)(sim_uniform(&house->random, 1, 9e15));
    config.starts_s = member->starts_s;
    config.suspended_from_s = member->frozen_from_s;
    config.suspended_to_s = member->frozen_to_s;
    config.paused = true;
    sim_speaker_init(&member->speaker, &config, id);
    server_clock_connected(&member->speaker.server, local(member, member->starts_s));
    member->speaker.online = true;
    group_init(&member->group, &(struct group_config){id, id * 3}, &member->speaker.server,
               local(member, member->starts_s));
    group_set_wired(&member->group, !member->wireless);
    if (house->no_multicast)
        for (int i = 0; i < house->count; i++)
            if (i != index)
                group_add_peer(&member->group, (group_peer)(i + 1));
    member->look_s = house->played ? member->starts_s + LOOK_S : INFINITY;
    member->next_date_s = member->starts_s + 0.5;
    member->began = true;
}

/* --- datagrams ------------------------------------------------------------------------------- */

static void fly(struct house *house, const struct house_datagram *datagram)
{
    int i = house->flying_count++;
    assert_true(house->flying_count < HOUSE_FLYING_MAX);
    while (i > 0 && house->flying[(i - 1) / 2].at_s > datagram->at_s) {
        house->flying[i] = house->flying[(i - 1) / 2];
        i = (i - 1) / 2;
    }
    house->flying[i] = *datagram;
}

static struct house_datagram land(struct house *house)
{
    struct house_datagram first = house->flying[0];
    struct house_datagram last = house->flying[--house->flying_count];
    int i = 0;
    for (;;) {
        int child = 2 * i + 1;
        if (child + 1 < house->flying_count &&
            house->flying[child + 1].at_s < house->flying[child].at_s)
            child++;
        if (child >= house->flying_count || house->flying[child].at_s >= last.at_s)
            break;
        house->flying[i] = house->flying[child];
        i = child;
    }
    house->flying[i] = last;
    return first;
}

static bool is_cut(const struct house *house, int from, int to, double t)
{
    const struct house_member *a = &house->members[from], *b = &house->members[to];
    bool half = (from < house->count / 2) != (to < house->count / 2);
    return (half && is_within(t, house->parted_from_s, house->parted_to_s)) ||
           is_within(t, a->unplugged_from_s, a->unplugged_to_s) ||
           is_within(t, b->unplugged_from_s, b->unplugged_to_s);
}

static double power_save_s(struct house *house, struct house_member *to, double t)
{
    if (!house->power_save)
        return 0;
    if (t > to->burst_until_s && sim_uniform(&house->random, 0, 1) < 0.03)
        to->burst_until_s = t + sim_uniform(&house->random, 0, 0.2);
    return fmax(to->burst_until_s - t, 0);
}

static void send_one(struct house *house, int from, int to, bool by_multicast,
                     const struct group_message *message, double t)
{
    struct house_member *receiver = &house->members[to];
    double delay_s = sim_delay(&house->network, &house->random, false);
    if (delay_s < 0 || is_cut(house, from, to, t))
        return;
    delay_s += SEND_S + power_save_s(house, receiver, t);
    if (t + delay_s > receiver->idle_since_s + SLEEPY_S)
        delay_s += WAKE_S * sim_uniform(&house->random, 0.5, 1.5);
    fly(house, &(struct house_datagram){t + delay_s, from, to, by_multicast, *message});
}

static void lie(const struct house_member *member, struct group_message *message, double t)
{
    struct group_word *word = &message->word;
    if (t < member->lies_from_s)
        return;
    if (member->lie == HOUSE_LIES_LINE) {
        word->evidence = GROUP_EVIDENCE_ECHO;
        word->reference = message->sender;
        word->line = (struct group_line){
            .segments = 1,
            .segment = {{{message->sent_at.ns},
                         sim_speaker_server(&member->speaker, t).ns - message->sent_at.ns +
                             s_to_ns(LIE_S),
                         0}},
            .uncertainty_ns = 1000,
        };
    }
    if (member->lie == HOUSE_LIES_REPORT)
        word->heard_at.ns -= s_to_ns(REPORT_LIE_S);
    if (member->lie == HOUSE_LIES_NEWS)
        word->heard_ns += NS_PER_MS;
}

static void send_all(struct house *house, int index, double t)
{
    struct house_member *member = &house->members[index];
    struct group_message message;
    group_peer to;
    while (group_next_send(&member->group, local(member, t), &to, &message)) {
        t += SEND_S * sim_uniform(&house->random, 0.5, 1.5);
        message.sent_at.ns = local(member, t).ns;
        group_sent(&member->group, &message);
        lie(member, &message, t);
        member->sent++;
        member->idle_since_s = t;
        for (int i = 0; i < house->count; i++) {
            bool all = to == GROUP_PEER_ALL && !house->no_multicast;
            if (i != index && house_is_there(house, i) && (all || to == (group_peer)(i + 1)))
                send_one(house, index, i, all, &message, t);
        }
    }
    if (group_take_look(&member->group)) {
        member->looks++;
        member->look_s = t + LOOK_S;
    }
}

static void deliver(struct house *house, const struct house_datagram *datagram)
{
    struct house_member *member = &house->members[datagram->to];
    if (!house_is_there(house, datagram->to) || member->off)
        return;
    /* The kernel stamps what comes while the process is stopped. */
    group_receive(&member->group, (group_peer)(datagram->from + 1), datagram->by_multicast,
                  &datagram->message, local(member, datagram->at_s));
    member->idle_since_s = house->now_s;
    send_all(house, datagram->to, house->now_s);
}

/* --- the backend ----------------------------------------------------------------------------- */

static void ask_date(struct house *house, struct house_member *member, double t)
{
    double there = sim_uniform(&house->random, 0.5e-3, 3e-3);
    double back = sim_uniform(&house->random, 0.5e-3, 3e-3);
    double period_s = house->date_period_s, at = t + there;
    double looked = period_s > 0 ? floor(at / period_s) * period_s : at;
    int64_t date_s = sim_speaker_server(&member->speaker, looked).ns / NS_PER_S;
    server_clock_add_date(&member->speaker.server, local(member, t), local(member, at + back),
                          (struct server_time){date_s * NS_PER_S}, true);
    member->dates++;
    double later =
        member->dates < DATE_BURST ? DATE_BURST_STEP_S : 9.5 + fmod(member->dates * GOLDEN, 1);
    member->next_date_s = t + later;
}

static void know(struct house *house, struct house_member *member, double updated_s,
                 const struct mono_time *arrived)
{
    member->heard_s = updated_s;
    struct timeline timeline = sim_speaker_usual_timeline(true);
    sim_speaker_tell(&member->speaker, house->now_s, &timeline);
    group_heard(&member->group, sim_speaker_server(&member->speaker, updated_s), arrived,
                local(member, house->now_s));
}

void house_command(struct house *house, double late_s, double spread_s, int missed)
{
    double stamped_s = house->now_s;
    house->played = true;
    for (int i = 0; i < house->count; i++) {
        struct house_member *member = &house->members[i];
        double there_s = 3e-3 + late_s + sim_uniform(&house->random, 0, spread_s);
        if (!house_is_there(house, i) || i == missed ||
            is_within(stamped_s, member->unplugged_from_s, member->unplugged_to_s) ||
            is_within(stamped_s, member->frozen_from_s, member->frozen_to_s))
            continue;
        struct mono_time arrived = local(member, stamped_s + there_s);
        server_clock_add_stamp(&member->speaker.server, arrived,
                               sim_speaker_server(&member->speaker, stamped_s));
        know(house, member, stamped_s, &arrived);
        if (!member->off)
            send_all(house, i, house->now_s + there_s);
    }
}

static double last_command_s(const struct house *house)
{
    double last_s = 0;
    for (int i = 0; i < house->count; i++)
        last_s = fmax(last_s, house->members[i].heard_s);
    return last_s;
}

/* --- time passes ----------------------------------------------------------------------------- */

static double thawed_s(const struct house_member *member, double t)
{
    return is_within(t, member->frozen_from_s, member->frozen_to_s) ? member->frozen_to_s : t;
}

static double member_due_s(const struct house *house, int index)
{
    const struct house_member *member = &house->members[index];
    if (!member->began)
        return member->starts_s;
    double due_s = fmin(member->next_date_s, member->look_s);
    if (!member->off)
        due_s = fmin(due_s, sim_speaker_true_s(&member->speaker, group_due(&member->group)));
    return thawed_s(member, fmax(due_s, house->now_s));
}

static void do_due(struct house *house, int index)
{
    struct house_member *member = &house->members[index];
    double t = house->now_s;
    if (member->began)
        sim_speaker_run(&member->speaker, t);
    else
        begin(house, index);
    if (t >= member->next_date_s)
        ask_date(house, member, t);
    if (t >= member->look_s) {
        member->look_s = INFINITY;
        know(house, member, last_command_s(house), NULL);
    }
    if (member->off)
        return;
    group_fired(&member->group, local(member, t));
    send_all(house, index, t);
}

void house_run(struct house *house, double to_s)
{
    for (;;) {
        double next_s = to_s;
        int who = -1;
        for (int i = 0; i < house->count; i++) {
            if (house->now_s >= house->members[i].ends_s)
                continue;
            double due_s = member_due_s(house, i);
            if (due_s < next_s) {
                next_s = due_s;
                who = i;
            }
        }
        if (house->flying_count > 0 && house->flying[0].at_s <= next_s) {
            struct house_datagram datagram = land(house);
            double t = thawed_s(&house->members[datagram.to], datagram.at_s);
            if (t > datagram.at_s) { /* it waits in the socket */
                house->now_s = fmax(house->now_s, datagram.at_s);
                datagram.at_s = t + 1e-6;
                fly(house, &datagram);
                continue;
            }
            house->now_s = fmax(house->now_s, datagram.at_s);
            sim_speaker_run(&house->members[datagram.to].speaker, house->now_s);
            deliver(house, &datagram);
            continue;
        }
        if (who < 0)
            break;
        house->now_s = fmax(house->now_s, next_s + 1e-9);
        do_due(house, who);
    }
    house->now_s = to_s;
    for (int i = 0; i < house->count; i++)
        if (house_is_there(house, i))
            sim_speaker_run(&house->members[i].speaker, to_s);
}

void house_leave(struct house *house, int index)
{
    struct house_member *member = &house->members[index];
    group_leave(&member->group, local(member, house->now_s));
    send_all(house, index, house->now_s);
    member->ends_s = house->now_s;
}

/* --- what is heard --------------------------------------------------------------------------- */

double house_apart_s(const struct house *house, unsigned except)
{
    double least_s = INFINITY, most_s = -INFINITY, error_s;
    int heard = 0;
    for (int i = 0; i < house->count; i++) {
        const struct sim_speaker *speaker = &house->members[i].speaker;
        bool silent = speaker->config.silent;
        if (!house_is_there(house, i) || except >> i & 1u ||
            !(silent ? sim_speaker_clock_error(speaker, house->now_s, &error_s)
                     : sim_speaker_error(speaker, house->now_s, &error_s)))
            continue;
        least_s = fmin(least_s, error_s);
        most_s = fmax(most_s, error_s);
        heard++;
    }
    return heard > 1 ? most_s - least_s : -1;
}

int house_reference(const struct house *house)
{
    int best = -1;
    unsigned most = 0;
    for (int i = 0; i < house->count; i++) {
        unsigned support = 0;
        for (int j = 0; j < house->count; j++)
            support += house_is_there(house, j) &&
                       house->members[j].group.reference == house->members[i].group.config.id;
        if (house_is_there(house, i) && support > most) {
            most = support;
            best = i;
        }
    }
    return best;
}
