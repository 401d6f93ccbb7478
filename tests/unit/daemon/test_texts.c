#include "../../../src/daemon/json_pool.h"
#include "../../../src/daemon/texts.h"
#include "../io/io_test.h"
#include "tutti/core/playlist.h"
#include "tutti/io/background.h"

#include <cjson/cJSON.h>
#include <errno.h>
#include <pthread.h>

#define COUNT 3000

static struct loop *loop;
static struct background *reader;
static int done_count, last_number;
static struct playlist_message kept;

static bool no_threads; /* as on a machine that has as many as it may have */

int __real_pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*run)(void *),
                          void *argument);
int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*run)(void *),
                          void *argument);

int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*run)(void *),
                          void *argument)
{
    return no_threads ? EAGAIN : __real_pthread_create(thread, attributes, run, argument);
}

static int set_up(void **state)
{
    (void)state;
    no_threads = false;
    json_pool_start();
    loop = loop_create(NULL);
    reader = loop ? background_create(loop) : NULL;
    done_count = last_number = 0;
    return reader ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    texts_forget_playlist(reader, &kept);
    background_destroy(reader);
    loop_destroy(loop);
    return 0;
}

static char *long_playlist(size_t *ret_bytes)
{
    size_t room = COUNT * 64 + 64, at = 0;
    char *text = malloc(room);
    assert_non_null(text);
    at += (size_t)snprintf(text, room, "[");
    for (int i = 0; i < COUNT; i++)
        at += (size_t)snprintf(text + at, room - at, "%s{\"id\":\"%d\",\"track_id\":\"t%d\"}",
                               i > 0 ? "," : "", i, i % 7);
    at += (size_t)snprintf(text + at, room - at, "]");
    *ret_bytes = at;
    return text;
}

static bool all_done(void *user)
{
    return done_count == *(int *)user;
}

static void wait_for(int count)
{
    assert_true(io_test_run(loop, all_done, &count, IO_TEST_LIMIT_NS));
}

static void keep(void *user, struct text *text, struct parsed *parsed)
{
    (void)user;
    (void)text;
    assert_true(parsed->good);
    assert_int_equal(parsed->received.ns, 42);
    kept = parsed->playlist;
    parsed->playlist = (struct playlist_message){0};
    done_count++;
}

static void a_long_text_is_parsed_beside_the_loop(void **state)
{
    (void)state;
    struct text_source source = {.kind = TEXT_PLAYLIST, .received = {42}};
    source.text = long_playlist(&source.bytes);
    assert_non_null(texts_parse(reader, &source, keep, NULL));
    assert_int_equal(done_count, 0);
    wait_for(1);
    assert_int_equal(kept.count, COUNT);
    assert_string_equal(playlist_find(&kept, "2999")->track_id, "t3");
    assert_int_equal(playlist_count_track(&kept, "t0"), 429);
    struct playlist_message shared = playlist_share(&kept);
    texts_forget_playlist(reader, &kept);
    assert_string_equal(shared.items[1].id, "1"); /* somebody else has it */
    texts_forget_playlist(reader, &shared);
}

static void note_session(void *user, struct text *text, struct parsed *parsed)
{
    (void)user;
    (void)text;
    assert_true(parsed->good);
    assert_string_equal(parsed->session.session_id, "s1");
    assert_string_equal(parsed->session.token, "t1");
    done_count++;
}

/* The full backend tells the whole playlist to whoever joins. */
static void so_is_the_answer_to_joining(void **state)
{
    (void)state;
    size_t bytes;
    char *playlist = long_playlist(&bytes), *text;
    int length =
        asprintf(&text, "{\"session_id\":\"s1\",\"guest_token\":\"t1\",\"playlist\":%s}", playlist);
    free(playlist);
    struct text_source source = {.kind = TEXT_JOINED, .text = text, .bytes = (size_t)length};
    assert_non_null(texts_parse(reader, &source, note_session, NULL));
    assert_int_equal(done_count, 0);
    wait_for(1);
}

static pthread_t read_by;

/* The last item's id, and the whole. */
static void read_last(const cJSON *root, const char *key, struct link_said *ret)
{
    const cJSON *last = cJSON_GetArrayItem(root, cJSON_GetArraySize(root) - 1);
    snprintf(ret->id, sizeof ret->id, "%s",
             cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(last, key)));
    link_say(ret, root);
    read_by = pthread_self();
}

static char *kept_text;

static void keep_text(void *user, struct text *text, struct parsed *parsed)
{
    (void)text;
    assert_true(parsed->good);
    assert_string_equal(parsed->said.id, "2999");
    if (user)
        kept_text = link_said_take(&parsed->said);
    done_count++;
}

/* What a hub answers, too: read there, by whoever wants something of it. */
static void an_answer_is_read_beside_the_loop(void **state)
{
    (void)state;
    for (int keeps = 0; keeps < 2; keeps++) {
        struct text_source source = {.kind = TEXT_ANSWER, .read = read_last, .key = "id"};
        source.text = long_playlist(&source.bytes);
        assert_non_null(texts_parse(reader, &source, keep_text, keeps ? &source : NULL));
        assert_int_equal(done_count, keeps);
        wait_for(keeps + 1);
        assert_false(pthread_equal(read_by, pthread_self()));
    }
    size_t bytes;
    char *wanted = long_playlist(&bytes);
    assert_string_equal(kept_text, wanted);
    free(wanted);
    free(kept_text);
}

static void number(void *user, struct text *text, struct parsed *parsed)
{
    (void)text;
    assert_true(parsed->good);
    assert_int_equal(parsed->message.type, MESSAGE_UNKNOWN);
    assert_int_equal((int)(intptr_t)user, last_number + 1);
    last_number++;
    done_count++;
}

static struct text *parse_message(const char *text, int nth)
{
    struct text_source source = {.kind = TEXT_MESSAGE, .text = strdup(text), .bytes = strlen(text)};
    return texts_parse(reader, &source, number, (void *)(intptr_t)nth);
}

static void texts_keep_their_order(void **state)
{
    (void)state;
    for (int i = 1; i <= 50; i++)
        parse_message("{\"type\":\"x\",\"payload\":{}}", i);
    wait_for(50);
}

static void what_is_cancelled_is_not_told(void **state)
{
    (void)state;
    texts_cancel(parse_message("{\"type\":\"x\",\"payload\":{}}", 99));
    texts_cancel(NULL);
    parse_message("{\"type\":\"x\",\"payload\":{}}", 1);
    wait_for(1);
}

static void refuse(void *user, struct text *text, struct parsed *parsed)
{
    (void)user;
    (void)text;
    assert_false(parsed->good);
    assert_true(parsed->reason[0]);
    done_count++;
}

static void what_is_no_json_is_refused(void **state)
{
    (void)state;
    static const char *const odd[] = {"", "[", "[[[[", "{\"a\":[1,2,", "\"", "[1,2]x"};
    for (int kind = TEXT_MESSAGE; kind <= TEXT_JOINED; kind++)
        for (size_t i = 0; i < 5; i++)
            texts_parse(reader,
                        &(struct text_source){.kind = (enum text_kind)kind,
                                              .text = strdup(odd[i]),
                                              .bytes = strlen(odd[i]),
                                              .read = read_last},
                        refuse, NULL);
    wait_for(25);
}

/* Nothing long is parsed in the loop, and nobody is handed what is gone. */
static void without_a_thread_nothing_is_begun(void **state)
{
    (void)state;
    struct text_source source = {.kind = TEXT_PLAYLIST, .received = {42}};
    source.text = long_playlist(&source.bytes);
    no_threads = true;
    assert_null(texts_parse(reader, &source, keep, NULL));
    assert_int_equal(done_count, 0);
    no_threads = false;
    source.text = long_playlist(&source.bytes);
    assert_non_null(texts_parse(reader, &source, keep, NULL)); /* once there is one again */
    wait_for(1);
}

static void leaving_forgets_what_waits(void **state)
{
    (void)state;
    for (int i = 0; i < 20; i++)
        texts_cancel(parse_message("{\"type\":\"x\",\"payload\":{}}", i));
    struct playlist_message empty = {0};
    texts_forget_playlist(reader, &empty);
    texts_forget(reader, strdup("memory"));
    texts_forget(reader, NULL);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_long_text_is_parsed_beside_the_loop), TEST(so_is_the_answer_to_joining),
        TEST(an_answer_is_read_beside_the_loop),     TEST(texts_keep_their_order),
        TEST(what_is_cancelled_is_not_told),         TEST(what_is_no_json_is_refused),
        TEST(without_a_thread_nothing_is_begun),     TEST(leaving_forgets_what_waits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
