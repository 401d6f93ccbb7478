#include "io_test.h"
#include "tutti/base/log.h"
#include "tutti/io/background.h"
#include "tutti/io/http.h"
#include "tutti/io/track_upload.h"

#define LARGE_BYTES 3000001

static struct loop *loop;
static struct background *background;
static struct http *http;
static struct io_test_helper server;
static struct track_upload *upload;
static struct http_call *call;
static char dir[64], path[100];

static bool done;
static int status, gives;
static size_t largest_room;
static char error[300], body[1000];

static int set_up(void **state)
{
    (void)state;
    done = false;
    gives = 0;
    largest_room = 0;
    upload = NULL;
    loop = loop_create(NULL);
    background = loop ? background_create(loop) : NULL;
    http = background ? http_create(loop, &(struct http_config){0}) : NULL;
    return http ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    track_upload_destroy(upload);
    http_destroy(http);
    background_destroy(background);
    loop_destroy(loop);
    return 0;
}

/* A file whose bytes tell their place, as the server's pattern. */
static int make_file(size_t bytes)
{
    FILE *file = fopen(path, "wbe");
    assert_non_null(file);
    for (size_t i = 0; i < bytes; i++)
        fputc((int)((i * 7 + (i >> 8)) & 0xff), file);
    assert_int_equal(fclose(file), 0);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    assert_true(fd >= 0);
    return fd;
}

static void more(void *user)
{
    (void)user;
    http_go_on(call);
}

static void make_upload(int fd, int64_t bytes)
{
    upload = track_upload_create(background, fd, bytes,
                                 &(struct track_upload_config){.track_id = "t\"1",
                                                               .name = "\\u0001 \x01 name",
                                                               .filename = "a.mp3",
                                                               .content_type = "audio/mpeg",
                                                               .duration_s = 74.6},
                                 more, NULL);
    assert_non_null(upload);
}

static int64_t give(void *user, char *to, size_t room)
{
    (void)user;
    gives++;
    if (room > largest_room)
        largest_room = room;
    return track_upload_give(upload, to, room);
}

static void on_done(void *user, const struct http_response *response)
{
    (void)user;
    assert_false(done);
    done = true;
    status = response->status;
    snprintf(error, sizeof error, "%s", response->error);
    snprintf(body, sizeof body, "%s", response->body);
}

static void post(const char *where)
{
    char url[200];
    snprintf(url, sizeof url, "http://127.0.0.1:%d/%s", server.port, where);
    call = http_start(http, &(struct http_request){.method = "POST",
                                                   .url = url,
                                                   .token = "t0k3n",
                                                   .on_body = give,
                                                   .body_bytes = track_upload_bytes(upload),
                                                   .fresh_connection = true,
                                                   .on_done = on_done});
    assert_non_null(call);
}

static void a_file_arrives_whole(size_t bytes)
{
    char wanted[64];
    make_upload(make_file(bytes), (int64_t)bytes);
    post("upload");
    assert_comes_true(loop, &done);
    assert_string_equal(error, "");
    assert_int_equal(status, 200);
    snprintf(wanted, sizeof wanted, "\"bytes\": %zu, \"right\": true", bytes);
    if (!strstr(body, wanted))
        fail_msg("%s instead of %s", body, wanted);
    assert_non_null(strstr(body, "\"track_id\": \"t\\\"1\""));
    assert_non_null(strstr(body, "\"name\": \"\\\\u0001 \\u0001 name\""));
    assert_non_null(strstr(body, "\"duration_seconds\": 75"));
    assert_non_null(strstr(body, "\"expect\": \"\""));
    assert_int_equal(track_upload_given(upload), track_upload_bytes(upload));
    assert_int_equal(track_upload_file_given(upload), bytes);
    track_upload_destroy(upload);
    upload = NULL;
    done = false;
}

static void files_of_any_size_arrive_whole(void **state)
{
    (void)state;
    static const size_t sizes[] = {1, 2, 3, 98303, 98304, 98305, 2 * 98304, LARGE_BYTES};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        a_file_arrives_whole(sizes[i]);
    assert_true(gives > 50);
    assert_in_range(largest_room, 1, 65536);
}

static void a_refusal_that_comes_early_is_heard(void **state)
{
    (void)state;
    make_upload(make_file(LARGE_BYTES), LARGE_BYTES);
    post("early");
    assert_comes_true(loop, &done);
    assert_int_equal(status, 413);
    assert_non_null(strstr(body, "too large"));
    assert_true(track_upload_given(upload) < track_upload_bytes(upload));
    assert_in_range(track_upload_file_given(upload), 0, LARGE_BYTES - 1);
}

static void a_file_that_shrinks_ends_it(void **state)
{
    (void)state;
    int fd = make_file(LARGE_BYTES);
    assert_int_equal(truncate(path, 150000), 0);
    make_upload(fd, LARGE_BYTES);
    post("upload");
    assert_comes_true(loop, &done);
    assert_int_equal(status, 0);
    assert_string_equal(error, "what is to be sent cannot be read");
}

static void it_may_be_given_up_at_any_time(void **state)
{
    (void)state;
    for (int wanted = 0; wanted < 6; wanted++) {
        make_upload(make_file(LARGE_BYTES), LARGE_BYTES);
        gives = 0;
        post("upload");
        while (gives < wanted)
            io_test_run(loop, io_test_never, NULL, NS_PER_MS);
        http_cancel(call);
        track_upload_destroy(upload);
        upload = NULL;
        io_test_run(loop, io_test_never, NULL, 2 * NS_PER_MS);
        assert_false(done);
    }
    track_upload_destroy(NULL);
}

static int start_all(void **state)
{
    static const char *const argv[] = {"python3", HELPERS "/http_server.py", NULL};
    (void)state;
    log_set_level(LOG_ERROR);
    io_test_make_dir(dir);
    snprintf(path, sizeof path, "%s/track.mp3", dir);
    server = io_test_helper_start(argv);
    return 0;
}

static int stop_all(void **state)
{
    (void)state;
    io_test_helper_stop(&server);
    io_test_remove_dir(dir);
    return 0;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(files_of_any_size_arrive_whole),
        TEST(a_refusal_that_comes_early_is_heard),
        TEST(a_file_that_shrinks_ends_it),
        TEST(it_may_be_given_up_at_any_time),
    };
    return cmocka_run_group_tests(tests, start_all, stop_all);
}
