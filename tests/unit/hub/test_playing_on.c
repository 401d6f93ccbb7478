/*
 * The hub's rules and three members on a virtual clock: seeded evenings of commands, given at the
 * turns of tracks, after which everybody is at the same place.
 *
 * The members are the speakers' own replica of a session (core/session), told over links that delay
 * each message differently, but keep their order. All but the last know what a next_state is, and
 * begin with what it says at its moment.
 */
#include "../../../src/hub/hub_clock.h"
#include "../../../src/hub/service.h"
#include "../../../src/hub/store_internal.h"
#include "../cmocka_all.h"
#include "tutti/base/log.h"
#include "tutti/core/playlist.h"
#include "tutti/core/session.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MEMBERS 3
#define ITEMS_MAX 6
#define COMMANDS 12
#define QUEUE_MAX 512
#define ADDRESS "192.0.2.1"
/* The hub's loop is late by up to this, and a message takes up to that. */
#define LOOP_LATE_US 3000
#define LINK_US 40000
#define AGREED_NS (100 * NS_PER_MS)

/* --- the clock, instead of the hub's own --------------------------------------------------- */

static int64_t now_ns;

struct server_time hub_clock_now(void)
{
    return (struct server_time){now_ns};
}

int64_t hub_clock_steady_ns(void)
{
    return now_ns;
}

/* --- a house ------------------------------------------------------------------------------- */

struct message {
    int64_t at_ns;
    char *text;
};

struct member {
    struct session session;
    bool knows_next;
    /* What it began with by itself, when that was due; until it is told a state. */
    bool began;
    struct playback_state with;
    struct message queue[QUEUE_MAX]; /* in their order */
    size_t first, count;
};

struct house {
    char directory[64];
    struct service service;
    char host[STORE_TOKEN_MAX];
    char session_id[STORE_ID_MAX];
    struct member members[MEMBERS];
    unsigned random;
    int64_t turn_ns;
    unsigned told;
    int64_t told_at_ns;      /* the last thing that was told */
    int64_t commanded_at_ns; /* the last command */
    unsigned right, wrong; /* members that began with what was told then, or with something else */
};

static unsigned roll(struct house *house, unsigned sides)
{
    house->random = house->random * 1664525u + 1013904223u;
    return (house->random >> 8) % sides;
}

static void send(struct house *house, struct member *member, const char *text)
{
    assert_true(member->count < QUEUE_MAX);
    int64_t at_ns = now_ns + roll(house, LINK_US) * NS_PER_US;
    if (member->count > 0) {
        int64_t last_ns = member->queue[(member->first + member->count - 1) % QUEUE_MAX].at_ns;
        at_ns = at_ns > last_ns ? at_ns : last_ns;
    }
    member->queue[(member->first + member->count++) % QUEUE_MAX] =
        (struct message){at_ns, strdup(text)};
}

static void announce(void *user, const char *session_id, const char *type, cJSON *payload)
{
    struct house *house = user;
    assert_string_equal(session_id, house->session_id);
    cJSON *root = cJSON_CreateObject();
    cJSON_AddStringToObject(root, "type", type);
    cJSON_AddItemToObject(root, "payload", payload);
    char *text = cJSON_PrintUnformatted(root);
    cJSON_Delete(root);
    bool is_next = strcmp(type, "next_state") == 0;
    for (int i = 0; i < MEMBERS; i++)
        if (!is_next || house->members[i].knows_next)
            send(house, &house->members[i], text);
    house->told += !is_next;
    house->told_at_ns = now_ns;
    free(text);
}

static bool same_state(const struct playback_state *a, const struct playback_state *b)
{
    return strcmp(a->item_id, b->item_id) == 0 && a->playing == b->playing &&
           a->position_ms == b->position_ms && a->updated_at.ns == b->updated_at.ns;
}

/* Was it right to begin with that? A command may have been on its way. */
static void judge(struct house *house, struct member *member, const struct playback_state *told)
{
    if (!member->began)
        return;
    member->began = false;
    if (same_state(told, &member->with)) {
        house->right++;
        return;
    }
    house->wrong++;
    assert_true(member->with.updated_at.ns - house->commanded_at_ns < AGREED_NS);
}

static void take(struct house *house, struct member *member, const struct message *message)
{
    struct protocol_message parsed;
    char reason[PROTOCOL_REASON_MAX];
    assert_true(protocol_parse(message->text, strlen(message->text), &parsed, reason));
    if (parsed.type == MESSAGE_PLAYBACK_STATE)
        judge(house, member, &parsed.playback);
    struct session_change change =
        session_apply(&member->session, &parsed, -1, (struct mono_time){now_ns});
    playlist_message_finish(&change.dropped);
    protocol_message_finish(&parsed);
}

/* What is announced begins at its moment, whatever the session still says. */
static void begin_next(struct member *member)
{
    struct session *session = &member->session;
    if (session->has_next && session->next.updated_at.ns <= now_ns && !member->began) {
        member->began = true;
        member->with = session->next;
    }
    session_turn(session, (struct server_time){now_ns}, -1, (struct mono_time){now_ns});
}

static void deliver(struct house *house, struct member *member)
{
    begin_next(member);
    while (member->count > 0 && member->queue[member->first].at_ns <= now_ns) {
        take(house, member, &member->queue[member->first]);
        free(member->queue[member->first].text);
        member->first = (member->first + 1) % QUEUE_MAX;
        member->count--;
    }
}

static void take_turns(struct house *house)
{
    assert_int_equal(service_take_turns(&house->service, &house->turn_ns), 0);
}

/* When something happens to it next. */
static int64_t next_of(const struct member *member)
{
    int64_t message_ns = member->count > 0 ? member->queue[member->first].at_ns : INT64_MAX;
    int64_t begins_ns =
        member->session.has_next && !member->began ? member->session.next.updated_at.ns : INT64_MAX;
    return begins_ns > now_ns && begins_ns < message_ns ? begins_ns : message_ns;
}

/* To the next thing that happens, or so far. */
static void pass(struct house *house, int64_t ns)
{
    int64_t until_ns = now_ns + ns;
    while (now_ns < until_ns) {
        int64_t next_ns = until_ns;
        int64_t turn_ns = house->turn_ns;
        if (turn_ns < next_ns)
            next_ns = turn_ns > now_ns ? turn_ns : now_ns + 1;
        for (int i = 0; i < MEMBERS; i++)
            if (next_of(&house->members[i]) < next_ns)
                next_ns = next_of(&house->members[i]);
        now_ns = next_ns > now_ns ? next_ns : now_ns;
        for (int i = 0; i < MEMBERS; i++)
            deliver(house, &house->members[i]);
        if (house->turn_ns <= now_ns) {
            now_ns += roll(house, LOOP_LATE_US) * NS_PER_US;
            take_turns(house);
        }
    }
    for (int i = 0; i < MEMBERS; i++)
        deliver(house, &house->members[i]);
}

static void add_item(struct house *house, int number, double length_s)
{
    struct store_item item = {.duration_s = length_s};
    snprintf(item.track_id, sizeof item.track_id, "t%d", number);
    snprintf(item.name, sizeof item.name, "track %d", number);
    snprintf(item.media_type, sizeof item.media_type, "audio/mpeg");
    assert_int_equal(store_add_item(house->service.store, house->session_id, &item), 0);
}

static int setup(void **state)
{
    struct store_user host = {.name = "host", .host = true};
    struct house *house = calloc(1, sizeof *house);
    log_set_level(LOG_ERROR);
    strcpy(house->directory, "/tmp/tutti-hub-XXXXXX");
    assert_non_null(mkdtemp(house->directory));
    house->service.limits = (struct service_limits){.playlist_items = 100};
    house->service.advance = true;
    house->service.store = store_open(house->directory);
    assert_non_null(house->service.store);
    house->service.media =
        media_create(house->directory, &(struct media_limits){65536, 1 << 24, 0, formats_played()});
    house->service.announce = announce;
    house->service.user = house;
    assert_int_equal(db_run(house->service.store->db, "PRAGMA synchronous = OFF", ""), 0);
    assert_int_equal(store_add_user(house->service.store, &host, house->host), 0);
    now_ns = INT64_C(1700000000) * NS_PER_S;
    *state = house;
    return 0;
}

static int teardown(void **state)
{
    struct house *house = *state;
    char command[128];
    media_destroy(house->service.media);
    service_end(&house->service);
    store_close(house->service.store);
    snprintf(command, sizeof command, "rm -r '%s'", house->directory);
    int failed = system(command);
    free(house);
    return failed;
}

static struct reply call_settings(struct house *house, const char *text)
{
    cJSON *body = cJSON_Parse(text);
    assert_non_null(body);
    struct reply reply = service_change_settings(
        &house->service, &(struct caller){house->host, ADDRESS}, house->session_id, body);
    cJSON_Delete(body);
    return reply;
}

static int settings(struct house *house, const char *text)
{
    house->commanded_at_ns = now_ns;
    struct reply reply = call_settings(house, text);
    cJSON_Delete(reply.body);
    take_turns(house);
    return reply.status;
}

static int command(struct house *house, const char *text)
{
    house->commanded_at_ns = now_ns;
    cJSON *body = cJSON_Parse(text);
    assert_non_null(body);
    struct reply reply = service_command(&house->service, &(struct caller){house->host, ADDRESS},
                                         house->session_id, body);
    cJSON_Delete(body);
    cJSON_Delete(reply.body);
    take_turns(house);
    return reply.status;
}

/* A session with items of these lengths, the first of which is current. */
static void begin(struct house *house, const double *lengths_s, int count)
{
    struct store_user host;
    struct store_session session = {.max_duration_s = -1};
    assert_int_equal(store_find_user(house->service.store, house->host, &host), 1);
    strcpy(session.host_id, host.id);
    assert_int_equal(store_add_session(house->service.store, &session, NULL, ADDRESS), 0);
    strcpy(house->session_id, session.id);
    for (int i = 0; i < count; i++)
        add_item(house, i, lengths_s[i]);
    for (int i = 0; i < MEMBERS; i++) {
        assert_true(session_init(&house->members[i].session));
        house->members[i].knows_next = i < MEMBERS - 1;
    }
    cJSON *playlist;
    assert_int_equal(service_playlist_json(&house->service, house->session_id, &playlist), 0);
    cJSON *payload = cJSON_CreateObject();
    cJSON_AddItemToObject(payload, "playlist", playlist);
    announce(house, house->session_id, "playlist_update", payload);
    assert_int_equal(command(house, "{\"action\":\"seek\",\"track_id\":\"t0\",\"position_ms\":0}"),
                     200);
    pass(house, AGREED_NS);
}

static void end(struct house *house)
{
    for (int i = 0; i < MEMBERS; i++) {
        struct member *member = &house->members[i];
        for (; member->count > 0; member->count--) {
            free(member->queue[member->first].text);
            member->first = (member->first + 1) % QUEUE_MAX;
        }
        session_finish(&member->session);
        member->began = false;
    }
    assert_int_equal(store_delete_session(house->service.store, house->session_id), 0);
    house->turn_ns = STORE_NEVER;
}

static const struct playlist_item *item_of(struct house *house, int member)
{
    return session_current_item(&house->members[member].session);
}

static double position_s(const struct playback_state *playback)
{
    double since_s = ns_to_s(now_ns - playback->updated_at.ns);
    return playback->position_ms / 1e3 + (playback->playing ? since_s : 0);
}

/* What the hub itself says. */
static void ask_hub(struct house *house, struct protocol_message *ret)
{
    cJSON *root = cJSON_CreateObject(), *payload;
    char reason[PROTOCOL_REASON_MAX];
    assert_int_equal(service_playback_json(&house->service, house->session_id, &payload), 0);
    cJSON_AddStringToObject(root, "type", "playback_state");
    cJSON_AddItemToObject(root, "payload", payload);
    char *text = cJSON_PrintUnformatted(root);
    assert_true(protocol_parse(text, strlen(text), ret, reason));
    cJSON_Delete(root);
    free(text);
}

static void check_agreement(struct house *house)
{
    struct protocol_message truth;
    ask_hub(house, &truth);
    const struct playback_state *hub = &truth.playback;
    for (int i = 0; i < MEMBERS; i++) {
        const struct playback_state *here = &house->members[i].session.playback;
        const struct playlist_item *item = item_of(house, i);
        assert_non_null(item);
        assert_string_equal(item->id, hub->item_id);
        assert_int_equal(here->playing, hub->playing);
        assert_true(fabs(position_s(here) - position_s(hub)) < 1e-3);
        /* Nobody plays what is over. */
        assert_true(!here->playing || position_s(here) < 60 + 1);
    }
}

/* --- plain cases --------------------------------------------------------------------------- */

static void it_goes_on_where_the_last_one_ended(void **state)
{
    struct house *house = *state;
    struct protocol_message before, after;
    begin(house, (double[]){3.0001, 4, 5}, 3);
    command(house, "{\"action\":\"play\",\"position_ms\":0}");
    ask_hub(house, &before);
    pass(house, 3100 * NS_PER_MS);
    ask_hub(house, &after);
    assert_string_equal(after.playback.track_id, "t1");
    assert_int_equal(after.playback.position_ms, 0);
    /* To the microsecond that can be told. */
    assert_in_range(after.playback.updated_at.ns - before.playback.updated_at.ns,
                    3000100 * NS_PER_US - 1000, 3000100 * NS_PER_US + 1000);
    pass(house, 4 * NS_PER_S);
    pass(house, 6 * NS_PER_S);
    ask_hub(house, &after);
    assert_string_equal(after.playback.track_id, "t2");
    assert_false(after.playback.playing);
    assert_int_equal(after.playback.position_ms, 5000);
    check_agreement(house);
    end(house);
}

static void it_repeats_as_told(void **state)
{
    struct house *house = *state;
    begin(house, (double[]){2, 2}, 2);
    assert_int_equal(settings(house, "{\"repeat\":\"one\"}"), 200);
    command(house, "{\"action\":\"play\",\"position_ms\":0}");
    pass(house, 5 * NS_PER_S);
    assert_string_equal(item_of(house, 0)->track_id, "t0");
    assert_int_equal(settings(house, "{\"repeat\":\"all\"}"), 200);
    pass(house, 2 * NS_PER_S);
    assert_string_equal(item_of(house, 0)->track_id, "t1");
    pass(house, 2 * NS_PER_S);
    assert_string_equal(item_of(house, 0)->track_id, "t0");
    assert_int_equal(settings(house, "{\"advance\":false}"), 200);
    pass(house, 40 * NS_PER_S);
    assert_string_equal(item_of(house, 0)->track_id, "t0");
    check_agreement(house);
    end(house);
}

/* A, A, B by item, where the track's id alone would never come to B. */
static void items_with_the_same_track_are_each_played(void **state)
{
    struct house *house = *state;
    begin(house, (double[]){2, 2}, 2);
    assert_int_equal(db_run(house->service.store->db,
                            "UPDATE items SET track_id = 't0' WHERE session_id = ?", "s",
                            house->session_id),
                     0);
    add_item(house, 2, 2);
    command(house, "{\"action\":\"play\",\"position_ms\":0}");
    pass(house, 4500 * NS_PER_MS);
    struct protocol_message now;
    ask_hub(house, &now);
    assert_string_equal(now.playback.track_id, "t2");
    end(house);
}

static void a_skip_names_where_it_comes_from(void **state)
{
    struct house *house = *state;
    char text[256], first[PROTOCOL_ID_MAX], second[PROTOCOL_ID_MAX];
    struct protocol_message now, before;
    begin(house, (double[]){2, 30}, 2);
    strcpy(first, item_of(house, 0)->id);
    command(house, "{\"action\":\"play\",\"position_ms\":0}");
    pass(house, 2050 * NS_PER_MS);
    ask_hub(house, &before);
    strcpy(second, before.playback.item_id);
    assert_string_not_equal(second, first);
    /* Meant for the track that has just ended: what has begun goes on. */
    snprintf(text, sizeof text, "{\"action\":\"skip_next\",\"item_id\":\"%s\"}", first);
    assert_int_equal(command(house, text), 200);
    ask_hub(house, &now);
    assert_int_equal(now.playback.updated_at.ns, before.playback.updated_at.ns);
    /* There is none after the last. */
    snprintf(text, sizeof text, "{\"action\":\"skip_next\",\"item_id\":\"%s\"}", second);
    assert_int_equal(command(house, text), 409);
    /* Who says nothing of an item gets what the contract says. */
    assert_int_equal(command(house, "{\"action\":\"skip_next\"}"), 200);
    ask_hub(house, &now);
    assert_string_equal(now.playback.item_id, second);
    assert_int_equal(now.playback.position_ms, 0);
    end(house);
}

static void a_shuffled_round_has_each_once_and_walks_back(void **state)
{
    struct house *house = *state;
    for (int round = 0; round < 50; round++) {
        char seen[ITEMS_MAX][PROTOCOL_ID_MAX];
        double lengths[ITEMS_MAX] = {2, 2, 2, 2, 2, 2};
        begin(house, lengths, ITEMS_MAX);
        assert_int_equal(settings(house, "{\"shuffle\":true}"), 200);
        for (int i = 0; i < ITEMS_MAX; i++) {
            struct protocol_message now;
            ask_hub(house, &now);
            strcpy(seen[i], now.playback.item_id);
            for (int j = 0; j < i; j++)
                assert_string_not_equal(seen[i], seen[j]);
            command(house, "{\"action\":\"skip_next\"}");
        }
        for (int i = ITEMS_MAX - 1; i > 0; i--) {
            struct protocol_message now;
            ask_hub(house, &now);
            assert_string_equal(now.playback.item_id, seen[i]);
            command(house, "{\"action\":\"skip_prev\"}");
        }
        end(house);
    }
}

static void wrong_settings_change_nothing(void **state)
{
    static const char *const wrong[] = {"{}",
                                        "{\"repeat\":\"twice\"}",
                                        "{\"repeat\":1}",
                                        "{\"shuffle\":\"yes\"}",
                                        "{\"advance\":null}",
                                        "{\"volume\":3}",
                                        "{\"shuffle\":true,\"repeat\":\"never\"}"};
    struct house *house = *state;
    struct store_rules rules;
    begin(house, (double[]){2}, 1);
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        assert_int_equal(settings(house, wrong[i]), 422);
    assert_int_equal(store_get_rules(house->service.store, house->session_id, &rules), 1);
    assert_int_equal(rules.advance, -1);
    assert_int_equal(rules.repeat, REPEAT_OFF);
    assert_false(rules.shuffle);
    end(house);
}

/* --- what is told before ------------------------------------------------------------------- */

static const struct session *session_of(const struct house *house, int member)
{
    return &house->members[member].session;
}

static void what_starts_is_told_before_and_then_again(void **state)
{
    struct house *house = *state;
    begin(house, (double[]){30.00025, 20}, 2);
    command(house, "{\"action\":\"play\",\"position_ms\":0}");
    pass(house, 14 * NS_PER_S);
    assert_false(session_of(house, 0)->has_next);
    pass(house, 2 * NS_PER_S);
    assert_true(session_of(house, 0)->has_next);
    assert_false(session_of(house, MEMBERS - 1)->has_next);
    struct playback_state next = session_of(house, 0)->next;
    assert_string_equal(next.track_id, "t1");
    pass(house, 15 * NS_PER_S);
    assert_true(same_state(&session_of(house, 0)->playback, &next));
    assert_true(same_state(&session_of(house, MEMBERS - 1)->playback, &next));
    assert_int_equal(house->right, MEMBERS - 1);
    /* And nothing after the last. */
    pass(house, 10 * NS_PER_S);
    assert_false(session_of(house, 0)->has_next);
    end(house);
}

static int move(struct house *house, const char *item_id, int to)
{
    cJSON *body = cJSON_CreateObject();
    cJSON_AddNumberToObject(body, "new_position", to);
    struct reply reply = service_move_item(&house->service, &(struct caller){house->host, ADDRESS},
                                           house->session_id, item_id, body);
    cJSON_Delete(reply.body);
    cJSON_Delete(body);
    house->commanded_at_ns = now_ns;
    take_turns(house);
    return reply.status;
}

static void another_that_follows_is_told_at_once(void **state)
{
    struct house *house = *state;
    begin(house, (double[]){10, 10, 10}, 3);
    command(house, "{\"action\":\"play\",\"position_ms\":0}");
    pass(house, AGREED_NS);
    assert_string_equal(session_next_item(session_of(house, 0))->track_id, "t1");
    assert_int_equal(move(house, session_of(house, 0)->playlist.items[2].id, 1), 200);
    pass(house, AGREED_NS);
    assert_string_equal(session_next_item(session_of(house, 0))->track_id, "t2");
    assert_int_equal(settings(house, "{\"repeat\":\"one\"}"), 200);
    pass(house, AGREED_NS);
    assert_string_equal(session_next_item(session_of(house, 0))->track_id, "t0");
    assert_int_equal(settings(house, "{\"advance\":false}"), 200);
    pass(house, AGREED_NS);
    assert_false(session_of(house, 0)->has_next);
    assert_int_equal(settings(house, "{\"advance\":true,\"repeat\":\"off\"}"), 200);
    pass(house, AGREED_NS);
    assert_true(session_of(house, 0)->has_next);
    command(house, "{\"action\":\"pause\"}");
    pass(house, AGREED_NS);
    assert_false(session_of(house, 0)->has_next);
    end(house);
}

/* The hub's process hangs at the end of a track: the others have gone on, and it finds them. */
static void who_went_on_alone_is_where_the_hub_says(void **state)
{
    struct house *house = *state;
    begin(house, (double[]){5, 60}, 2);
    command(house, "{\"action\":\"play\",\"position_ms\":0}");
    pass(house, 4 * NS_PER_S);
    house->turn_ns = now_ns + 4 * NS_PER_S;
    pass(house, 3900 * NS_PER_MS);
    assert_string_equal(item_of(house, 0)->track_id, "t1");
    assert_string_equal(item_of(house, MEMBERS - 1)->track_id, "t0");
    struct playback_state alone = session_of(house, 0)->playback;
    pass(house, 200 * NS_PER_MS);
    assert_true(same_state(&session_of(house, 0)->playback, &alone));
    check_agreement(house);
    end(house);
}

/* --- the hub was away ---------------------------------------------------------------------- */

static void be_away(struct house *house, int64_t ns, enum service_resume how)
{
    assert_int_equal(service_stay_alive(&house->service), 0);
    house->service.told_turn_ns = 0;
    now_ns += ns;
    assert_int_equal(service_resume(&house->service, how), 0);
    assert_int_equal(service_plan_all(&house->service), 0);
    take_turns(house);
    pass(house, AGREED_NS);
}

static void a_short_absence_changes_nothing(void **state)
{
    struct house *house = *state;
    struct protocol_message before, after;
    begin(house, (double[]){50, 50}, 2);
    command(house, "{\"action\":\"play\",\"position_ms\":0}");
    pass(house, 5 * NS_PER_S);
    ask_hub(house, &before);
    be_away(house, 20 * NS_PER_S, RESUME_AUTO);
    ask_hub(house, &after);
    assert_int_equal(after.playback.updated_at.ns, before.playback.updated_at.ns);
    pass(house, 26 * NS_PER_S);
    assert_string_equal(item_of(house, 0)->track_id, "t1");
    end(house);
}

/* Where the members are who went on by what they had been told. */
static void a_turn_in_a_short_absence_was_told_before(void **state)
{
    struct house *house = *state;
    begin(house, (double[]){5, 50}, 2);
    command(house, "{\"action\":\"play\",\"position_ms\":0}");
    pass(house, 4 * NS_PER_S);
    struct playback_state next = session_of(house, 0)->next;
    be_away(house, 6 * NS_PER_S, RESUME_AUTO);
    assert_true(same_state(&session_of(house, 0)->playback, &next));
    check_agreement(house);
    end(house);
}

static void a_long_absence_pauses_where_it_was(void **state)
{
    struct house *house = *state;
    begin(house, (double[]){50, 50}, 2);
    command(house, "{\"action\":\"play\",\"position_ms\":0}");
    pass(house, 5 * NS_PER_S);
    be_away(house, 3600 * NS_PER_S, RESUME_AUTO);
    const struct playback_state *playback = &house->members[0].session.playback;
    assert_false(playback->playing);
    assert_string_equal(item_of(house, 0)->track_id, "t0");
    assert_in_range((int)playback->position_ms, 4900, 5300);
    check_agreement(house);
    end(house);
}

static void or_plays_on_where_that_is_wanted(void **state)
{
    struct house *house = *state;
    begin(house, (double[]){50, 50}, 2);
    command(house, "{\"action\":\"play\",\"position_ms\":0}");
    pass(house, 5 * NS_PER_S);
    be_away(house, 3600 * NS_PER_S, RESUME_PLAYING);
    const struct playback_state *playback = &house->members[0].session.playback;
    assert_true(playback->playing);
    assert_string_equal(item_of(house, 0)->track_id, "t0");
    assert_in_range((int)playback->position_ms, 4900, 5300);
    check_agreement(house);
    end(house);
}

/* --- evenings ------------------------------------------------------------------------------ */

static void name_item(struct house *house, char *to, size_t size)
{
    const struct playlist_message *playlist = &house->members[0].session.playlist;
    snprintf(to, size, "%s", playlist->items[roll(house, (unsigned)playlist->count)].id);
}

static void do_something(struct house *house)
{
    static const char *const repeats[] = {"off", "one", "all"};
    char text[256], id[PROTOCOL_ID_MAX];
    switch (roll(house, 9)) {
    case 0:
        command(house, "{\"action\":\"pause\"}");
        break;
    case 1:
    case 2:
        command(house, "{\"action\":\"play\"}");
        break;
    case 3:
        snprintf(text, sizeof text, "{\"action\":\"seek\",\"position_ms\":%u}", roll(house, 6000));
        command(house, text);
        break;
    case 4:
        command(house, "{\"action\":\"skip_next\"}");
        break;
    case 5:
        name_item(house, id, sizeof id);
        snprintf(text, sizeof text, "{\"action\":\"skip_%s\",\"item_id\":\"%s\"}",
                 roll(house, 2) ? "next" : "prev", id);
        command(house, text);
        break;
    case 6:
        name_item(house, id, sizeof id);
        snprintf(text, sizeof text, "{\"action\":\"play\",\"item_id\":\"%s\",\"position_ms\":%u}",
                 id, roll(house, 3000));
        command(house, text);
        break;
    case 7:
        snprintf(text, sizeof text, "{\"repeat\":\"%s\",\"shuffle\":%s}", repeats[roll(house, 3)],
                 roll(house, 2) ? "true" : "false");
        settings(house, text);
        break;
    default:
        name_item(house, id, sizeof id);
        move(house, id, 0);
        break;
    }
}

/* Just before, at or just after the end of the current track, or anywhere. */
static int64_t until_something(struct house *house)
{
    int64_t to_turn_ns = house->turn_ns == STORE_NEVER ? 0 : house->turn_ns - now_ns;
    if (to_turn_ns > 0 && roll(house, 3))
        return to_turn_ns - 20 * NS_PER_MS + roll(house, 40000) * NS_PER_US;
    return roll(house, 1500) * NS_PER_MS;
}

static void play_evening(struct house *house, unsigned seed)
{
    double lengths[ITEMS_MAX];
    house->random = seed * 2654435761u + 1;
    int count = 1 + (int)roll(house, ITEMS_MAX);
    for (int i = 0; i < count; i++)
        lengths[i] = 0.3 + roll(house, 5000) / 1e3;
    begin(house, lengths, count);
    for (int i = 0; i < COMMANDS; i++) {
        int64_t wait_ns = until_something(house);
        if (wait_ns > 0)
            pass(house, wait_ns);
        do_something(house);
    }
    pass(house, AGREED_NS);
    while (now_ns - house->told_at_ns < AGREED_NS) /* a track has just ended by itself */
        pass(house, AGREED_NS);
    check_agreement(house);
    end(house);
}

static void everybody_agrees_after_every_evening(void **state)
{
    struct house *house = *state;
    unsigned evenings = getenv("TUTTI_MANY") ? 10000 : 1000;
    for (unsigned seed = 0; seed < evenings; seed++)
        play_evening(house, seed);
    assert_true(house->told > evenings * COMMANDS / 2);
    assert_true(house->right > evenings / 2);
    assert_true(house->wrong < house->right); /* commands are given just then */
}

#define HOUSE_TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        HOUSE_TEST(it_goes_on_where_the_last_one_ended),
        HOUSE_TEST(it_repeats_as_told),
        HOUSE_TEST(items_with_the_same_track_are_each_played),
        HOUSE_TEST(a_skip_names_where_it_comes_from),
        HOUSE_TEST(a_shuffled_round_has_each_once_and_walks_back),
        HOUSE_TEST(wrong_settings_change_nothing),
        HOUSE_TEST(what_starts_is_told_before_and_then_again),
        HOUSE_TEST(another_that_follows_is_told_at_once),
        HOUSE_TEST(who_went_on_alone_is_where_the_hub_says),
        HOUSE_TEST(a_short_absence_changes_nothing),
        HOUSE_TEST(a_turn_in_a_short_absence_was_told_before),
        HOUSE_TEST(a_long_absence_pauses_where_it_was),
        HOUSE_TEST(or_plays_on_where_that_is_wanted),
        HOUSE_TEST(everybody_agrees_after_every_evening),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
