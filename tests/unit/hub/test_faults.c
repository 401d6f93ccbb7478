/*
 * An evening at the hub on a disk that fails: at the first operation, at the second, and so on
 * until none fails any more. Whatever fails: what was acknowledged is there afterwards, nobody is
 * refused who belongs there, and as soon as the disk works, everything does.
 */
#include "../../../src/hub/commands.h"
#include "../../../src/hub/media_internal.h"
#include "../../../src/hub/service.h"
#include "../../../src/hub/store_internal.h"
#include "../cmocka_all.h"
#include "../remove_tree.h"
#include "disk_faults.h"
#include "tutti/base/log.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define ADDRESS "192.0.2.1"
#define TRACK_BYTES 9000
#define ITEMS_MAX 8
/* Far more operations than an evening has. */
#define OPERATIONS_MAX 5000

static char track[TRACK_BYTES];

/* What was acknowledged. */
struct book {
    char host[STORE_TOKEN_MAX], guest[STORE_TOKEN_MAX];
    char session_id[STORE_ID_MAX], code[STORE_CODE_MAX];
    char items[ITEMS_MAX][STORE_ID_MAX]; /* in order */
    int item_count;
    bool order_known; /* false while a change of it failed: it may have happened or not */
    char pending[STORE_ID_MAX], denied[STORE_ID_MAX];
    int64_t position_ms; /* -1: not said yet */
};

struct evening {
    char directory[64];
    struct service service;
    struct book book;
};

static void announce(void *user, const char *session_id, const char *type, cJSON *payload)
{
    (void)user;
    (void)session_id;
    (void)type;
    cJSON_Delete(payload);
}

/* --- the hub's start and end --------------------------------------------------------------- */

static const struct service_limits limits = {
    .sessions = 100,
    .members = 100,
    .playlist_items = 100,
    .pending_requests = 100,
    .requests_per_minute = 100000,
    .failures_per_minute = 100000,
    .joins_per_minute = 100000,
    .share_percent = 100,
    .waiting_bytes = 1 << 24,
};

static void close_hub(struct evening *evening)
{
    media_destroy(evening->service.media);
    service_end(&evening->service);
    store_close(evening->service.store);
    memset(&evening->service, 0, sizeof evening->service);
}

static bool try_open(struct evening *evening)
{
    struct service *service = &evening->service;
    service->limits = limits;
    service->announce = announce;
    service->store = store_open(evening->directory);
    if (service->store)
        service->media = media_create(
            evening->directory, &(struct media_limits){1 << 20, 1 << 24, 0, formats_played()});
    if (!service->media) {
        close_hub(evening);
        return false;
    }
    assert_false(store_is_damaged(service->store));
    service_sweep(service);
    service_tidy(service);
    return true;
}

/* systemd starts a hub again that ends, however often. */
static void open_hub(struct evening *evening)
{
    int tries = 0;
    while (!try_open(evening))
        assert_true(++tries < 1000);
}

static void remove_all(const char *directory)
{
    assert_int_equal(remove_tree(directory), 0);
}

/* --- calls --------------------------------------------------------------------------------- */

static struct caller caller_of(const char *token)
{
    return (struct caller){token, ADDRESS};
}

/* True when it was done. A refusal says that the hub could not, never that one may not. */
static bool done(struct reply *reply)
{
    if (reply->status != 200 && reply->status != 500 && reply->status != 503 &&
        reply->status != 507)
        fail_msg("%d: %s", reply->status, cJSON_GetObjectItem(reply->body, "detail")->valuestring);
    return reply->status == 200;
}

static void take(const struct reply *reply, const char *name, char *to, size_t size)
{
    snprintf(to, size, "%s", cJSON_GetObjectItem(reply->body, name)->valuestring);
}

/* Each step is tried until it is done; the disk fails so many operations, and no more. */
#define UNTIL_DONE(reply, call)                                                                    \
    for (int tries_ = 0;; tries_++) {                                                              \
        assert_true(tries_ < 1000);                                                                \
        (reply) = (call);                                                                          \
        if (done(&(reply)))                                                                        \
            break;                                                                                 \
        cJSON_Delete((reply).body);                                                                \
    }

static void log_in(struct evening *evening)
{
    struct service *service = &evening->service;
    struct book *book = &evening->book;
    struct reply reply;
    cJSON *login = cJSON_Parse("{\"name\":\"Ada\",\"role\":\"host\",\"host_name\":\"Ada\"}");
    cJSON *join = cJSON_Parse("{\"guest_name\":\"Grace\"}");
    struct caller nobody = caller_of("");
    UNTIL_DONE(reply, service_login(service, &nobody, login));
    take(&reply, "token", book->host, sizeof book->host);
    cJSON_Delete(reply.body);
    struct caller host = caller_of(book->host);
    UNTIL_DONE(reply, service_create_session(service, &host, login));
    take(&reply, "session_id", book->session_id, sizeof book->session_id);
    take(&reply, "code", book->code, sizeof book->code);
    cJSON_Delete(reply.body);
    UNTIL_DONE(reply, service_join(service, &nobody, book->code, join));
    take(&reply, "guest_token", book->guest, sizeof book->guest);
    cJSON_Delete(reply.body);
    cJSON_Delete(login);
    cJSON_Delete(join);
}

static struct reply upload_once(struct evening *evening, const char *token)
{
    struct service *service = &evening->service;
    struct upload_slot slot = {0};
    struct caller caller = caller_of(token);
    int status = 0;
    const char *reason = "";
    struct reply reply = service_begin_upload(service, &caller, evening->book.session_id, &slot);
    if (reply.status != 200)
        return reply;
    struct media_upload *upload = service_open_upload(service, &slot, &status, &reason);
    if (!upload) {
        service_end_upload(service, &slot);
        return reply_error(status, reason);
    }
    cJSON *body = cJSON_Parse("{\"track_id\":\"t\",\"name\":\"A song\",\"media\":"
                              "{\"content_type\":\"audio/mpeg\",\"data\":\"\"}}");
    media_upload_feed(upload, track, sizeof track);
    reply = service_add_item(service, &caller, evening->book.session_id, body, upload);
    media_upload_destroy(upload);
    service_end_upload(service, &slot);
    cJSON_Delete(body);
    return reply;
}

/* A change of the playlist that failed may have been undone or not: only the disk knows. */
static bool note(struct book *book, const struct reply *reply)
{
    if (reply->status != 200)
        book->order_known = false;
    return reply->status == 200;
}

static void add_item(struct evening *evening)
{
    struct book *book = &evening->book;
    for (int tries = 0; tries < 1000; tries++) {
        struct reply reply = upload_once(evening, book->host);
        bool added = done(&reply) && note(book, &reply);
        if (added)
            take(&reply, "id", book->items[book->item_count++], STORE_ID_MAX);
        cJSON_Delete(reply.body);
        if (added)
            return;
    }
    fail();
}

static void ask(struct evening *evening, char id[STORE_ID_MAX])
{
    struct reply reply;
    UNTIL_DONE(reply, upload_once(evening, evening->book.guest));
    take(&reply, "id", id, STORE_ID_MAX);
    cJSON_Delete(reply.body);
}

static void deny(struct evening *evening, const char *id)
{
    struct caller host = caller_of(evening->book.host);
    for (int tries = 0; tries < 1000; tries++) {
        struct reply reply = service_decide(&evening->service, &host, id, false, NULL);
        /* It may have been done by a try of which that was not known. */
        bool over = (tries > 0 && reply.status == 409) || done(&reply);
        cJSON_Delete(reply.body);
        if (over)
            return;
    }
    fail();
}

static void move_last_to_front(struct evening *evening)
{
    struct book *book = &evening->book;
    struct caller host = caller_of(book->host);
    char last[STORE_ID_MAX];
    struct reply reply;
    cJSON *body = cJSON_Parse("{\"new_position\":0}");
    strcpy(last, book->items[book->item_count - 1]);
    UNTIL_DONE(reply, service_move_item(&evening->service, &host, book->session_id, last, body));
    memmove(book->items[1], book->items[0], (size_t)(book->item_count - 1) * STORE_ID_MAX);
    strcpy(book->items[0], last);
    cJSON_Delete(reply.body);
    cJSON_Delete(body);
}

static void remove_first(struct evening *evening)
{
    struct book *book = &evening->book;
    struct caller host = caller_of(book->host);
    for (int tries = 0; tries < 1000; tries++) {
        struct reply reply =
            service_remove_item(&evening->service, &host, book->session_id, book->items[0]);
        bool over = (tries > 0 && reply.status == 404) || done(&reply);
        cJSON_Delete(reply.body);
        if (!over)
            continue;
        book->item_count--;
        memmove(book->items[0], book->items[1], (size_t)book->item_count * STORE_ID_MAX);
        return;
    }
    fail();
}

static void seek(struct evening *evening, int64_t position_ms)
{
    struct caller host = caller_of(evening->book.host);
    struct reply reply;
    cJSON *body = cJSON_CreateObject();
    cJSON_AddNumberToObject(body, "position_ms", (double)position_ms);
    UNTIL_DONE(reply, service_playback(&evening->service, &host, evening->book.session_id, body));
    evening->book.position_ms = position_ms;
    cJSON_Delete(reply.body);
    cJSON_Delete(body);
}

static void play_evening(struct evening *evening)
{
    struct book *book = &evening->book;
    *book = (struct book){.order_known = true, .position_ms = -1};
    open_hub(evening);
    log_in(evening);
    add_item(evening);
    add_item(evening);
    seek(evening, 1000);
    ask(evening, book->denied);
    deny(evening, book->denied);
    close_hub(evening);
    open_hub(evening);
    ask(evening, book->pending);
    add_item(evening);
    move_last_to_front(evening);
    remove_first(evening);
    seek(evening, 2000);
    close_hub(evening);
}

/* --- what must be there -------------------------------------------------------------------- */

static bool has_file(const struct evening *evening, const char *path)
{
    char full[256];
    snprintf(full, sizeof full, "%s/%s", evening->directory, path);
    return access(full, R_OK) == 0;
}

struct seen {
    const struct evening *evening;
    const struct book *book;
    int acknowledged; /* of the book's, in their order */
    int all;
};

static void see_item(void *user, const struct store_item *item)
{
    struct seen *seen = user;
    const struct book *book = seen->book;
    assert_int_equal(item->position, seen->all++);
    assert_true(has_file(seen->evening, item->media_path));
    if (seen->acknowledged < book->item_count &&
        strcmp(item->id, book->items[seen->acknowledged]) == 0)
        seen->acknowledged++;
}

static void check_requests(struct evening *evening)
{
    struct store_request request;
    assert_int_equal(store_request(evening->service.store, evening->book.pending, &request), 1);
    assert_string_equal(request.status, "pending");
    assert_true(has_file(evening, request.media_path));
    store_request_end(&request);
    assert_int_equal(store_request(evening->service.store, evening->book.denied, &request), 1);
    assert_string_equal(request.status, "denied");
    store_request_end(&request);
}

static void check_evening(struct evening *evening)
{
    struct book *book = &evening->book;
    struct seen seen = {.evening = evening, .book = book};
    struct store_user user;
    struct store_playback playback;
    struct reply reply;
    open_hub(evening);
    struct store *store = evening->service.store;
    assert_int_equal(db_exists(store->db,
                               "SELECT 1 FROM pragma_integrity_check()"
                               " WHERE integrity_check <> 'ok'",
                               ""),
                     0);
    assert_int_equal(service_may_connect(&evening->service, book->host, book->session_id, &user),
                     1);
    assert_int_equal(service_may_connect(&evening->service, book->guest, book->session_id, &user),
                     1);
    assert_int_equal(store_each_item(store, book->session_id, see_item, &seen), 0);
    assert_int_equal(seen.acknowledged, book->item_count);
    if (book->order_known)
        assert_int_equal(seen.all, book->item_count);
    check_requests(evening);
    assert_int_equal(store_get_playback(store, book->session_id, &playback), 1);
    assert_int_equal(playback.position_ms, book->position_ms);
    /* And everything works. */
    reply = upload_once(evening, book->host);
    assert_int_equal(reply.status, 200);
    cJSON_Delete(reply.body);
    seek(evening, 3000);
    close_hub(evening);
}

/* --- faults -------------------------------------------------------------------------------- */

static void begin(struct evening *evening)
{
    memset(evening, 0, sizeof *evening);
    strcpy(evening->directory, "/dev/shm/tutti-faults-XXXXXX");
    if (!mkdtemp(evening->directory)) {
        strcpy(evening->directory, "/tmp/tutti-faults-XXXXXX");
        assert_non_null(mkdtemp(evening->directory));
    }
}

/* At every operation in turn, until an evening goes by without a fault. step: 1 is each. */
static void at_every_operation(int count, bool full, int step)
{
    struct evening evening;
    bool failed = true;
    int first = 1;
    for (; failed && first < OPERATIONS_MAX; first += step) {
        begin(&evening);
        disk_faults_plan(first, count, full);
        play_evening(&evening);
        failed = disk_faults_end();
        check_evening(&evening);
        remove_all(evening.directory);
    }
    assert_false(failed);
    assert_true(first > 100); /* there were faults at all */
}

static int step_of_suite(void)
{
    return getenv("TUTTI_THOROUGH") ? 1 : 29;
}

static void one_error_at_every_operation(void **state)
{
    (void)state;
    at_every_operation(1, false, step_of_suite());
}

static void a_disk_that_fails_for_a_while(void **state)
{
    (void)state;
    at_every_operation(25, false, step_of_suite());
}

static void one_full_disk_at_every_operation(void **state)
{
    (void)state;
    at_every_operation(1, true, step_of_suite());
}

static void a_disk_that_is_full_for_a_while(void **state)
{
    (void)state;
    at_every_operation(25, true, step_of_suite());
}

/* --- damage -------------------------------------------------------------------------------- */

static int count_files(const struct evening *evening)
{
    char path[256];
    int count = 0;
    const struct dirent *entry;
    snprintf(path, sizeof path, "%s/uploads", evening->directory);
    DIR *directory = opendir(path);
    assert_non_null(directory);
    while ((entry = readdir(directory)))
        count += entry->d_name[0] != '.';
    closedir(directory);
    return count;
}

static void database_path(const struct evening *evening, char path[256])
{
    snprintf(path, 256, "%s/hub.sqlite", evening->directory);
}

struct page {
    int64_t number;
    char of[64]; /* the table or index that it is of */
    bool is_index, is_schema;
};

static int list_pages(const struct evening *evening, struct page pages[64])
{
    char path[256];
    sqlite3 *db;
    int count = 0, result;
    database_path(evening, path);
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    struct db_rows rows = db_query(
        db,
        "SELECT pageno, name, name IN (SELECT name FROM sqlite_master WHERE type = 'index')"
        " FROM dbstat WHERE pageno > 1 ORDER BY pageno",
        "");
    while ((result = db_next(&rows)) == 1 && count < 64) {
        pages[count].number = db_int(&rows, 0);
        db_copy(&rows, 1, pages[count].of, sizeof pages[count].of);
        pages[count].is_schema = strcmp(pages[count].of, "sqlite_schema") == 0 ||
                                 strcmp(pages[count].of, "sqlite_master") == 0;
        pages[count++].is_index = db_int(&rows, 2) != 0;
    }
    assert_int_equal(result, 0);
    sqlite3_close(db);
    return count;
}

static void damage(const struct evening *evening, int64_t number)
{
    char path[256], rubbish[4096];
    database_path(evening, path);
    memset(rubbish, 0xa5, sizeof rubbish);
    FILE *file = fopen(path, "r+");
    assert_non_null(file);
    assert_int_equal(fseek(file, (long)((number - 1) * 4096), SEEK_SET), 0);
    assert_int_equal(fwrite(rubbish, sizeof rubbish, 1, file), 1);
    fclose(file);
}

static void check_damaged(struct evening *evening, int files)
{
    struct book *book = &evening->book;
    struct service *service = &evening->service;
    struct caller host = caller_of(book->host), guest = caller_of(book->guest);
    cJSON *body = cJSON_Parse("{\"position_ms\":5,\"guest_name\":\"x\"}");
    service->limits = limits;
    service->announce = announce;
    service->store = store_open(evening->directory);
    assert_non_null(service->store);
    assert_true(store_is_damaged(service->store));
    service->media = media_create(evening->directory,
                                  &(struct media_limits){1 << 20, 1 << 24, 0, formats_played()});
    service_sweep(service);
    service_tidy(service);
    struct reply replies[] = {
        service_session(service, &host, book->session_id),
        service_playlist(service, &guest, book->session_id),
        service_requests(service, &guest, book->session_id),
        service_playback(service, &host, book->session_id, body),
        service_join(service, &guest, book->code, body),
        service_decide(service, &host, book->pending, false, body),
        service_remove_item(service, &host, book->session_id, book->items[0]),
    };
    for (size_t i = 0; i < sizeof replies / sizeof *replies; i++) {
        bool was_done = done(&replies[i]);
        assert_true(i < 3 || !was_done); /* nothing is changed */
        cJSON_Delete(replies[i].body);
    }
    cJSON_Delete(body);
    close_hub(evening);
    assert_int_equal(count_files(evening), files);
}

static int repair(const struct evening *evening)
{
    static struct hub_settings settings;
    char word[] = "repair";
    char *words[] = {word};
    snprintf(settings.data.directory, sizeof settings.data.directory, "%s", evening->directory);
    return commands_run(&settings, true, 1, words);
}

static void any_page_may_be_damaged(void **state)
{
    struct evening evening;
    struct page pages[64];
    int count = 1;
    (void)state;
    log_set_level(LOG_ERROR);
    for (int i = 0; i < count; i++) {
        begin(&evening);
        play_evening(&evening);
        count = list_pages(&evening, pages);
        assert_true(count > 12);
        int files = count_files(&evening);
        damage(&evening, pages[i].number);
        check_damaged(&evening, files);
        /* Where it does not say any more what is in it, a backup has to be restored. */
        assert_int_equal(repair(&evening), pages[i].is_schema);
        if (pages[i].is_index)
            check_evening(&evening); /* nothing is lost */
        if (!pages[i].is_schema) {
            open_hub(&evening);
            close_hub(&evening);
        }
        remove_all(evening.directory);
    }
}

/* --- the order of things ------------------------------------------------------------------- */

static int syncs_at_row, syncs_before;

static void on_row(void *user, int change, const char *database, const char *table,
                   sqlite3_int64 row)
{
    (void)user;
    (void)database;
    (void)row;
    if (change == SQLITE_INSERT && strcmp(table, "items") == 0)
        syncs_at_row = disk_faults_syncs();
}

/* After a power cut no row names a track that the disk does not have: the file, then its name. */
static void a_track_is_on_the_disk_before_its_row(void **state)
{
    struct evening evening;
    (void)state;
    begin(&evening);
    evening.book = (struct book){.order_known = true, .position_ms = -1};
    open_hub(&evening);
    log_in(&evening);
    sqlite3_update_hook(evening.service.store->db, on_row, NULL);
    syncs_before = disk_faults_syncs();
    add_item(&evening);
    assert_true(syncs_at_row >= syncs_before + 2);
    close_hub(&evening);
    remove_all(evening.directory);
}

/* Damage that is seen while the hub runs: from then on nothing is decided by what can be read. */
static void damage_in_mid_run_decides_nothing(void **state)
{
    struct evening evening;
    struct page pages[64];
    int count = 1, seen = 0;
    (void)state;
    for (int i = 0; i < count; i++) {
        begin(&evening);
        play_evening(&evening);
        count = list_pages(&evening, pages);
        int files = count_files(&evening);
        open_hub(&evening);
        struct service *service = &evening.service;
        struct caller host = caller_of(evening.book.host);
        damage(&evening, pages[i].number);
        sqlite3_db_release_memory(service->store->db);
        struct reply replies[] = {
            service_playlist(service, &host, evening.book.session_id),
            service_requests(service, &host, evening.book.session_id),
        };
        for (size_t j = 0; j < sizeof replies / sizeof *replies; j++) {
            done(&replies[j]);
            cJSON_Delete(replies[j].body);
        }
        seen += store_is_damaged(service->store);
        service_sweep(service);
        service_tidy(service);
        assert_int_equal(count_files(&evening), files);
        close_hub(&evening);
        remove_all(evening.directory);
    }
    assert_true(seen > 3);
}

static void a_database_that_is_no_more_deletes_nothing(void **state)
{
    struct evening evening;
    char path[256], aside[300];
    (void)state;
    begin(&evening);
    play_evening(&evening);
    int files = count_files(&evening);
    database_path(&evening, path);
    damage(&evening, 1);
    evening.service.store = store_open(evening.directory);
    assert_true(store_is_damaged(evening.service.store));
    evening.service.media = media_create(
        evening.directory, &(struct media_limits){1 << 20, 1 << 24, 0, formats_played()});
    service_sweep(&evening.service);
    service_tidy(&evening.service);
    close_hub(&evening);
    assert_int_equal(count_files(&evening), files);
    /* Moved away, there is a new one, which knows none of the tracks: they are put aside. */
    snprintf(aside, sizeof aside, "%s.aside", path);
    assert_int_equal(rename(path, aside), 0);
    open_hub(&evening);
    close_hub(&evening);
    assert_int_equal(count_files(&evening), 0);
    remove_all(evening.directory);

    begin(&evening);
    play_evening(&evening);
    database_path(&evening, path);
    snprintf(aside, sizeof aside, "%s.aside", path);
    assert_int_equal(rename(path, aside), 0);
    open_hub(&evening);
    close_hub(&evening);
    assert_int_equal(rename(aside, path), 0);
    check_evening(&evening); /* the right one is back, and so are they */
    remove_all(evening.directory);
}

static int read_track(void **state)
{
    (void)state;
    FILE *file = fopen(TEST_MUSIC_DIR "/pier.mp3", "rb");
    if (!file || fread(track, sizeof track, 1, file) != 1)
        return -1;
    fclose(file);
    disk_faults_install();
    log_set_level(LOG_ERROR);
    /* Thousands of errors are to be logged here, and none is of interest; what cmocka says is. */
    int kept = dup(STDERR_FILENO);
    int nowhere = open("/dev/null", O_WRONLY);
    FILE *failures = kept < 0 ? NULL : fdopen(kept, "w");
    if (!failures || nowhere < 0 || dup2(nowhere, STDERR_FILENO) < 0)
        return -1;
    close(nowhere);
    setvbuf(failures, NULL, _IONBF, 0);
    stderr = failures;
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_error_at_every_operation),
        cmocka_unit_test(a_disk_that_fails_for_a_while),
        cmocka_unit_test(one_full_disk_at_every_operation),
        cmocka_unit_test(a_disk_that_is_full_for_a_while),
        cmocka_unit_test(any_page_may_be_damaged),
        cmocka_unit_test(a_track_is_on_the_disk_before_its_row),
        cmocka_unit_test(damage_in_mid_run_decides_nothing),
        cmocka_unit_test(a_database_that_is_no_more_deletes_nothing),
    };
    return cmocka_run_group_tests(tests, read_track, NULL);
}
