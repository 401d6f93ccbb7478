/*
 * The hub's rules without sockets: what is kept, and who is told when.
 */
#include "../../../src/hub/media_internal.h"
#include "../../../src/hub/service.h"
#include "../../../src/hub/store_internal.h"
#include "../cmocka_all.h"
#include "tutti/base/log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define ADDRESS "192.0.2.1"

struct hub {
    char directory[64];
    struct service service;
    char host[STORE_TOKEN_MAX];
    char guest[STORE_TOKEN_MAX];
    char session_id[STORE_ID_MAX];
    char code[STORE_CODE_MAX];
    char told[512]; /* the types of what was announced, in order */
};

static void announce(void *user, const char *session_id, const char *type, cJSON *payload)
{
    struct hub *hub = user;
    size_t used = strlen(hub->told);
    assert_string_equal(session_id, hub->session_id);
    snprintf(hub->told + used, sizeof hub->told - used, "%s ", type);
    cJSON_Delete(payload);
}

static int setup(void **state)
{
    struct store_user host = {.name = "host", .host = true}, guest = {.name = "guest"};
    struct store_session session = {.max_duration_s = -1};
    struct hub *hub = calloc(1, sizeof *hub);
    log_set_level(LOG_ERROR);
    strcpy(hub->directory, "/tmp/tutti-hub-XXXXXX");
    assert_non_null(mkdtemp(hub->directory));
    hub->service.limits = (struct service_limits){.sessions = 2,
                                                  .members = 3,
                                                  .playlist_items = 3,
                                                  .pending_requests = 2,
                                                  .requests_per_minute = 4,
                                                  .failures_per_minute = 3,
                                                  .joins_per_minute = 100,
                                                  .share_percent = 100,
                                                  .waiting_bytes = 1 << 22};
    hub->service.store = store_open(hub->directory);
    hub->service.media =
        media_create(hub->directory, &(struct media_limits){65536, 1 << 24, 0, formats_played()});
    hub->service.announce = announce;
    hub->service.user = hub;
    assert_int_equal(store_add_user(hub->service.store, &host, hub->host), 0);
    strcpy(session.host_id, host.id);
    assert_int_equal(store_add_session(hub->service.store, &session, NULL, ADDRESS), 0);
    strcpy(hub->session_id, session.id);
    strcpy(hub->code, session.code);
    assert_int_equal(store_add_user(hub->service.store, &guest, hub->guest), 0);
    assert_int_equal(store_add_member(hub->service.store, session.id, guest.id, ADDRESS), 0);
    *state = hub;
    return 0;
}

static int teardown(void **state)
{
    struct hub *hub = *state;
    char command[128];
    media_destroy(hub->service.media);
    service_end(&hub->service);
    store_close(hub->service.store);
    snprintf(command, sizeof command, "rm -r '%s'", hub->directory);
    int failed = system(command);
    free(hub);
    return failed;
}

/* Asks for a track by its address elsewhere; the request's id. */
static void ask(struct hub *hub, const char *track_id, char id[STORE_ID_MAX])
{
    char text[256];
    snprintf(text, sizeof text,
             "{\"request_type\":\"add\",\"payload\":{\"track_id\":\"%s\",\"name\":\"A song\","
             "\"media_url\":\"http://elsewhere/a.mp3\"}}",
             track_id);
    cJSON *body = cJSON_Parse(text);
    struct reply reply = service_request(&hub->service, &(struct caller){hub->guest, ADDRESS},
                                         hub->session_id, body);
    assert_int_equal(reply.status, 200);
    snprintf(id, STORE_ID_MAX, "%s", cJSON_GetObjectItem(reply.body, "id")->valuestring);
    cJSON_Delete(reply.body);
    cJSON_Delete(body);
}

static int decide(struct hub *hub, const char *id, bool approve)
{
    struct reply reply =
        service_decide(&hub->service, &(struct caller){hub->host, ADDRESS}, id, approve, NULL);
    cJSON_Delete(reply.body);
    return reply.status;
}

static int64_t length_of(struct hub *hub)
{
    int64_t length = -1;
    assert_int_equal(store_playlist_length(hub->service.store, hub->session_id, &length), 0);
    return length;
}

static void approval_and_change_are_one(void **state)
{
    struct hub *hub = *state;
    char id[STORE_ID_MAX];
    ask(hub, "t1", id);
    hub->told[0] = '\0';
    assert_int_equal(db_run(hub->service.store->db,
                            "CREATE TRIGGER break BEFORE UPDATE ON requests"
                            " BEGIN SELECT RAISE(ABORT, 'broken on purpose'); END",
                            ""),
                     0);
    log_set_level(LOG_ERROR);
    assert_int_equal(decide(hub, id, true), 500);
    assert_int_equal(length_of(hub), 0);
    assert_string_equal(hub->told, "");

    assert_int_equal(db_run(hub->service.store->db, "DROP TRIGGER break", ""), 0);
    assert_int_equal(decide(hub, id, true), 200);
    assert_int_equal(length_of(hub), 1);
    assert_string_equal(hub->told, "playlist_update playback_state request_update ");
}

static void a_request_is_decided_once(void **state)
{
    struct hub *hub = *state;
    char id[STORE_ID_MAX];
    ask(hub, "t1", id);
    assert_int_equal(decide(hub, id, false), 200);
    assert_int_equal(decide(hub, id, true), 409);
    assert_int_equal(length_of(hub), 0);
}

static void a_refused_approval_stays_pending(void **state)
{
    struct hub *hub = *state;
    char id[STORE_ID_MAX];
    for (int i = 0; i < 3; i++) {
        ask(hub, "t", id);
        assert_int_equal(decide(hub, id, true), 200);
    }
    ask(hub, "t", id);
    hub->told[0] = '\0';
    assert_int_equal(decide(hub, id, true), 413);
    assert_string_equal(hub->told, "");
    assert_int_equal(decide(hub, id, false), 200);
}

static void what_is_of_no_use_any_more_is_forgotten(void **state)
{
    struct hub *hub = *state;
    struct store *store = hub->service.store;
    char first[STORE_ID_MAX], second[STORE_ID_MAX];
    char older[STORE_TOKEN_MAX], newer[STORE_TOKEN_MAX];
    struct store_user user = {.name = "somebody"};
    ask(hub, "t1", first);
    ask(hub, "t2", second);
    assert_int_equal(decide(hub, first, false), 200);
    assert_int_equal(decide(hub, second, false), 200);
    assert_int_equal(store_forget_requests(store, hub->session_id, 1), 0);
    assert_int_equal(decide(hub, first, true), 404);
    assert_int_equal(decide(hub, second, true), 409);

    assert_int_equal(store_add_user(store, &user, older), 0);
    assert_int_equal(store_add_user(store, &user, newer), 0);
    assert_int_equal(store_forget_users(store, 1), 0);
    assert_int_equal(store_find_user(store, older, &user), 0);
    assert_int_equal(store_find_user(store, newer, &user), 1);
    assert_int_equal(store_find_user(store, hub->guest, &user), 1);
    assert_int_equal(store_find_user(store, hub->host, &user), 1);
}

#define DAY_S INT64_C(86400)

/* As if all that was had been so long ago. */
static void let_days_pass(struct hub *hub, int64_t days)
{
    assert_int_equal(db_run(hub->service.store->db,
                            "UPDATE members SET joined_at = joined_at - ?1,"
                            " seen_at = seen_at - ?1",
                            "i", days * DAY_S),
                     0);
}

static int guest_is_member(struct hub *hub)
{
    struct store_user user;
    return service_may_connect(&hub->service, hub->guest, hub->session_id, &user);
}

static void see(struct hub *hub, const char *token, int sockets)
{
    struct store_user user;
    assert_int_equal(store_find_user(hub->service.store, token, &user), 1);
    assert_int_equal(store_see_member(hub->service.store, hub->session_id, user.id, sockets), 0);
}

static void who_is_not_seen_for_a_month_is_forgotten(void **state)
{
    struct hub *hub = *state;
    struct store_user user;
    see(hub, hub->host, 1);
    see(hub, hub->guest, 1);
    see(hub, hub->guest, -1);
    let_days_pass(hub, 29);
    service_tidy(&hub->service);
    assert_int_equal(guest_is_member(hub), 1);
    let_days_pass(hub, 2);
    service_tidy(&hub->service);
    assert_int_equal(guest_is_member(hub), 0);
    assert_int_equal(service_may_connect(&hub->service, hub->host, hub->session_id, &user), 1);
}

/* A speaker that was connected for weeks, and a hub that was killed and starts again. */
static void who_was_connected_is_not_forgotten_by_a_kill(void **state)
{
    struct hub *hub = *state;
    see(hub, hub->guest, 1);
    let_days_pass(hub, 40);
    service_tidy(&hub->service);
    assert_int_equal(guest_is_member(hub), 1);
    assert_int_equal(store_forget_sockets(hub->service.store), 0);
    service_tidy(&hub->service);
    assert_int_equal(guest_is_member(hub), 1);
    let_days_pass(hub, 31);
    service_tidy(&hub->service);
    assert_int_equal(guest_is_member(hub), 0);
}

static void who_only_calls_is_seen_as_well(void **state)
{
    struct hub *hub = *state;
    struct caller guest = {hub->guest, ADDRESS};
    for (int i = 0; i < 3; i++) {
        let_days_pass(hub, 20);
        struct reply reply = service_playlist(&hub->service, &guest, hub->session_id);
        assert_int_equal(reply.status, 200);
        cJSON_Delete(reply.body);
        service_tidy(&hub->service);
    }
    assert_int_equal(guest_is_member(hub), 1);
    let_days_pass(hub, 31);
    service_tidy(&hub->service);
    assert_int_equal(guest_is_member(hub), 0);
}

/* A hub whose clock begins in the past knows better from before. */
static void an_early_clock_makes_nobody_older(void **state)
{
    struct hub *hub = *state;
    see(hub, hub->guest, 1);
    let_days_pass(hub, -50); /* of now, the clock was wrong when this was written, or is now */
    see(hub, hub->guest, -1);
    see(hub, hub->guest, 1);
    assert_int_equal(store_forget_sockets(hub->service.store), 0);
    let_days_pass(hub, 60); /* it is right again */
    service_tidy(&hub->service);
    assert_int_equal(guest_is_member(hub), 1);
}

static int join(struct hub *hub)
{
    cJSON *body = cJSON_Parse("{\"guest_name\":\"somebody\"}");
    struct reply reply =
        service_join(&hub->service, &(struct caller){"", ADDRESS}, hub->code, body);
    cJSON_Delete(reply.body);
    cJSON_Delete(body);
    return reply.status;
}

static void wait_a_minute(struct hub *hub)
{
    assert_int_equal(
        db_run(hub->service.store->db, "UPDATE members SET joined_at = joined_at - 60", ""), 0);
}

/* In a session that others fill. */
static void who_only_calls_makes_no_way(void **state)
{
    struct hub *hub = *state;
    struct caller guest = {hub->guest, ADDRESS};
    struct reply reply = service_playlist(&hub->service, &guest, hub->session_id);
    assert_int_equal(reply.status, 200);
    cJSON_Delete(reply.body);
    wait_a_minute(hub); /* the guest is there for longest */
    assert_int_equal(join(hub), 200);
    assert_int_equal(join(hub), 507);
    wait_a_minute(hub);
    assert_int_equal(join(hub), 200);
    assert_int_equal(guest_is_member(hub), 1);
}

static void a_session_in_which_nobody_was_goes_after_a_day(void **state)
{
    struct hub *hub = *state;
    struct store *store = hub->service.store;
    struct store_user host = {.name = "another", .host = true};
    struct store_session empty = {.max_duration_s = -1}, used = empty, other;
    struct store_item item = {
        .track_id = "t", .name = "n", .media_url = "http://x/", .media_type = "t"};
    char token[STORE_TOKEN_MAX];
    assert_int_equal(store_add_user(store, &host, token), 0);
    strcpy(empty.host_id, host.id);
    strcpy(used.host_id, host.id);
    assert_int_equal(store_add_session(store, &empty, NULL, ADDRESS), 0);
    assert_int_equal(store_add_session(store, &used, NULL, ADDRESS), 0);
    assert_int_equal(store_add_item(store, used.id, &item), 0);
    service_tidy(&hub->service);
    assert_int_equal(store_session(store, empty.id, &other), 1);
    let_days_pass(hub, 2);
    service_tidy(&hub->service);
    assert_int_equal(store_session(store, empty.id, &other), 0);
    assert_int_equal(store_session(store, used.id, &other), 1);
    assert_int_equal(store_session(store, hub->session_id, &other), 1);
}

static void put_aside(struct hub *hub, int64_t days_ago, char path[256])
{
    snprintf(path, 256, "%s/quarantine/%lld-%lld.mp3", hub->directory,
             (long long)(time(NULL) - days_ago * DAY_S), (long long)days_ago);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fclose(file);
}

static void what_was_put_aside_goes_after_a_month(void **state)
{
    struct hub *hub = *state;
    char older[256], newer[256];
    put_aside(hub, 31, older);
    put_aside(hub, 29, newer);
    service_tidy(&hub->service);
    assert_int_equal(access(older, F_OK), -1);
    assert_int_equal(access(newer, F_OK), 0);
}

/* Emptied beside us while we write: it stays small, and all of it is there afterwards. */
static void the_log_of_the_database_stays_small(void **state)
{
    struct hub *hub = *state;
    struct store *store = hub->service.store;
    struct store_playback playback = {.updated_at = "2026-01-31T12:34:56.123456Z"};
    char wal[128];
    struct stat status;
    store_stay_swift(store);
    for (int i = 0; i < 10 * CHECKPOINT_PAGES; i++) {
        playback.position_ms = i;
        assert_int_equal(store_set_playback(store, hub->session_id, &playback), 0);
    }
    snprintf(wal, sizeof wal, "%s/hub.sqlite-wal", hub->directory);
    assert_int_equal(stat(wal, &status), 0);
    assert_true(status.st_size < (off_t)9 * CHECKPOINT_PAGES * 4200);
    assert_int_equal(store_get_playback(store, hub->session_id, &playback), 1);
    assert_int_equal(playback.position_ms, 10 * CHECKPOINT_PAGES - 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(approval_and_change_are_one, setup, teardown),
        cmocka_unit_test_setup_teardown(a_request_is_decided_once, setup, teardown),
        cmocka_unit_test_setup_teardown(a_refused_approval_stays_pending, setup, teardown),
        cmocka_unit_test_setup_teardown(what_is_of_no_use_any_more_is_forgotten, setup, teardown),
        cmocka_unit_test_setup_teardown(who_is_not_seen_for_a_month_is_forgotten, setup, teardown),
        cmocka_unit_test_setup_teardown(who_was_connected_is_not_forgotten_by_a_kill, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(who_only_calls_is_seen_as_well, setup, teardown),
        cmocka_unit_test_setup_teardown(an_early_clock_makes_nobody_older, setup, teardown),
        cmocka_unit_test_setup_teardown(who_only_calls_makes_no_way, setup, teardown),
        cmocka_unit_test_setup_teardown(a_session_in_which_nobody_was_goes_after_a_day, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(what_was_put_aside_goes_after_a_month, setup, teardown),
        cmocka_unit_test_setup_teardown(the_log_of_the_database_stays_small, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
