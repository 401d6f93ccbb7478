#include "../../../src/io/http_internal.h"
#include "io_test.h"
#include "tutti/base/log.h"
#include "tutti/io/http.h"

#include <time.h>

static struct loop *loop;
static struct http *http;
static struct io_test_helper server;
static int other_port;
static char dir[64];

/* What became of one call. */
struct seen {
    struct http_call *call;
    bool done, headers, got_data;
    struct http_response response; /* its strings are copied below */
    char error[300], etag[100], last_modified[100], location[300];
    char body[4000];
    size_t body_bytes;
    /* downloads */
    int header_calls;
    size_t data_bytes, largest_chunk, round_bytes, largest_round;
    struct mono_time round_at;
    size_t start; /* where in the pattern the data begin */
    bool as_expected;
    bool refuse_headers, refuse_data, cancel_in_headers, cancel_in_data, start_in_data, slow_data;
};

static unsigned char pattern(size_t i)
{
    return (unsigned char)(i * 7 + (i >> 8));
}

static void keep(struct seen *seen, const struct http_response *response)
{
    seen->response = *response;
    snprintf(seen->error, sizeof seen->error, "%s", response->error);
    snprintf(seen->etag, sizeof seen->etag, "%s", response->etag);
    snprintf(seen->last_modified, sizeof seen->last_modified, "%s", response->last_modified);
    snprintf(seen->location, sizeof seen->location, "%s", response->location);
}

static void on_done(void *user, const struct http_response *response)
{
    struct seen *seen = user;
    assert_false(seen->done);
    seen->done = true;
    keep(seen, response);
    snprintf(seen->body, sizeof seen->body, "%s", response->body ? response->body : "");
    seen->body_bytes = response->body_bytes;
}

static bool on_headers(void *user, const struct http_response *response)
{
    struct seen *seen = user;
    assert_false(seen->done);
    seen->headers = true;
    seen->header_calls++;
    keep(seen, response);
    if (seen->cancel_in_headers)
        http_cancel(seen->call);
    return !seen->refuse_headers;
}

static struct seen inner;
static struct http_call *get(struct seen *seen, const char *path);

static bool on_data(void *user, const void *data, size_t bytes)
{
    struct seen *seen = user;
    const unsigned char *byte = data;
    assert_true(seen->headers && !seen->done);
    if (seen->data_bytes == 0)
        seen->as_expected = true;
    for (size_t i = 0; i < bytes && seen->as_expected; i++)
        seen->as_expected = byte[i] == pattern(seen->start + seen->data_bytes + i);
    seen->data_bytes += bytes;
    seen->got_data = true;
    if (bytes > seen->largest_chunk)
        seen->largest_chunk = bytes;
    bool same_round = seen->round_at.ns == loop_now(loop).ns;
    seen->round_at = loop_now(loop);
    seen->round_bytes = same_round ? seen->round_bytes + bytes : bytes;
    if (seen->round_bytes > seen->largest_round)
        seen->largest_round = seen->round_bytes;
    if (seen->slow_data)
        nanosleep(&(struct timespec){.tv_nsec = 3 * NS_PER_MS}, NULL);
    if (seen->start_in_data && !inner.call)
        assert_non_null(get(&inner, "echo"));
    if (seen->cancel_in_data)
        http_cancel(seen->call);
    return !seen->refuse_data;
}

static const char *url_of(const char *path)
{
    static char url[400];
    snprintf(url, sizeof url, "http://127.0.0.1:%d/%s", server.port, path);
    return url;
}

static struct http_call *start(struct seen *seen, struct http_request request)
{
    memset(seen, 0, sizeof *seen);
    request.on_done = on_done;
    request.user = seen;
    seen->call = http_start(http, &request);
    return seen->call;
}

static struct http_call *get(struct seen *seen, const char *path)
{
    return start(seen, (struct http_request){.method = "GET", .url = url_of(path)});
}

static struct http_call *download(struct seen *seen, struct http_request request)
{
    request.method = "GET";
    request.on_headers = on_headers;
    request.on_data = on_data;
    return start(seen, request);
}

static void expect_failure(struct seen *seen, const char *why)
{
    assert_comes_true(loop, &seen->done);
    assert_int_equal(seen->response.status, 0);
    if (!strstr(seen->error, why))
        fail_msg("\"%s\" does not say \"%s\"", seen->error, why);
}

static int set_up(void **state)
{
    (void)state;
    loop = loop_create(NULL);
    http = loop ? http_create(loop, &(struct http_config){0}) : NULL;
    return http ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    http_destroy(http);
    loop_destroy(loop);
    return 0;
}

/* --- JSON calls --- */

static void a_call_carries_what_it_should(void **state)
{
    (void)state;
    struct seen seen;
    assert_non_null(start(&seen, (struct http_request){.method = "PATCH",
                                                       .url = url_of("echo"),
                                                       .token = "0123456789abcdef",
                                                       .json = "{\"a\":\"\xc3\xa9\"}"}));
    assert_comes_true(loop, &seen.done);
    assert_int_equal(seen.response.status, 200);
    assert_string_equal(seen.error, "");
    assert_int_equal(seen.body_bytes, strlen(seen.body));
    assert_non_null(strstr(seen.body, "\"method\": \"PATCH\""));
    assert_non_null(strstr(seen.body, "\"X-User-Token\": \"0123456789abcdef\""));
    assert_non_null(strstr(seen.body, "\"Content-Type\": \"application/json\""));
    assert_non_null(strstr(seen.body, "{\\\"a\\\":\\\"\\u00e9\\\"}"));
    assert_int_equal(seen.response.content_length, (int64_t)seen.body_bytes);
}

static void errors_of_the_backend_keep_status_and_body(void **state)
{
    (void)state;
    struct seen seen;
    get(&seen, "status/422");
    assert_comes_true(loop, &seen.done);
    assert_int_equal(seen.response.status, 422);
    assert_string_equal(seen.body, "<html>so it is</html>");
    get(&seen, "status/500");
    assert_comes_true(loop, &seen.done);
    assert_int_equal(seen.response.status, 500);
}

static void dates_are_read_and_times_are_tight(void **state)
{
    (void)state;
    struct seen seen;
    struct mono_time before = mono_clock_now();
    time_t wall = time(NULL);
    get(&seen, "echo");
    assert_comes_true(loop, &seen.done);
    assert_true(seen.response.has_date);
    assert_in_range(seen.response.date.ns / NS_PER_S, wall - 1, time(NULL));
    assert_memory_equal(seen.response.server, "BaseHTTP", 8);
    assert_true(mono_sub(seen.response.sent_at, before) > 0);
    assert_true(mono_sub(seen.response.received_at, seen.response.sent_at) > 0);
    assert_true(mono_sub(mono_clock_now(), seen.response.received_at) > 0);
    get(&seen, "dateless");
    assert_comes_true(loop, &seen.done);
    assert_int_equal(seen.response.status, 200);
    assert_false(seen.response.has_date);
    get(&seen, "dated"); /* in the year 9999, and with validators that are none */
    assert_comes_true(loop, &seen.done);
    assert_int_equal(seen.response.status, 200);
    assert_false(seen.response.has_date);
    assert_string_equal(seen.etag, "");
    assert_string_equal(seen.last_modified, "");
}

static void connections_are_kept_unless_a_fresh_one_is_wanted(void **state)
{
    (void)state;
    struct seen seen;
    get(&seen, "echo");
    assert_comes_true(loop, &seen.done);
    assert_true(seen.response.fresh_connection);
    get(&seen, "echo");
    assert_comes_true(loop, &seen.done);
    assert_false(seen.response.fresh_connection);
    assert_non_null(strstr(seen.body, "\"nth\": 2"));
    start(&seen,
          (struct http_request){.method = "GET", .url = url_of("echo"), .fresh_connection = true});
    assert_comes_true(loop, &seen.done);
    assert_true(seen.response.fresh_connection);
    assert_non_null(strstr(seen.body, "\"nth\": 1"));
}

static void eof_on_a_kept_connection_is_tried_again(void **state)
{
    (void)state;
    struct seen seen;
    get(&seen, "once");
    assert_comes_true(loop, &seen.done);
    assert_int_equal(seen.response.status, 200);
    start(&seen,
          (struct http_request){.method = "POST", .url = url_of("once"), .json = "{\"x\":1}"});
    assert_comes_true(loop, &seen.done);
    assert_int_equal(seen.response.status, 200);
    assert_true(seen.response.fresh_connection);
}

/* As the WebSocket does not: what joins by one address must not fail by the other. */
static void a_redirect_is_followed_by_downloads_only(void **state)
{
    (void)state;
    struct seen seen;
    char path[100];
    static const char *const methods[] = {"GET", "POST", "PATCH"};
    snprintf(path, sizeof path, "redirect/http://127.0.0.1:%d/echo", other_port);
    download(&seen, (struct http_request){.url = url_of(path)});
    assert_comes_true(loop, &seen.done);
    assert_int_equal(seen.response.status, 200);
    assert_string_equal(seen.location, "");
    for (size_t i = 0; i < sizeof methods / sizeof *methods; i++) {
        start(&seen, (struct http_request){.method = methods[i],
                                           .url = url_of(path),
                                           .json = i > 0 ? "{}" : NULL,
                                           .token = i > 1 ? "0123456789abcdef" : NULL});
        assert_comes_true(loop, &seen.done);
        assert_int_equal(seen.response.status, 302);
        assert_non_null(strstr(seen.location, "/echo"));
    }
}

static void only_http_is_spoken(void **state)
{
    (void)state;
    struct seen seen;
    static const char *const bad[] = {"file:///etc/passwd",  "ftp://127.0.0.1/x",
                                      "/relative",           "",
                                      "gopher://127.0.0.1/", "http://"};
    log_set_level(LOG_ERROR);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_null(start(&seen, (struct http_request){.method = "GET", .url = bad[i]}));
    download(&seen, (struct http_request){.url = url_of("redirect/file:///etc/passwd")});
    expect_failure(&seen, "rotocol");
    assert_null(start(&seen, (struct http_request){.method = "GET",
                                                   .url = url_of("echo"),
                                                   .token = "abc\r\nX-Evil: 1"}));
}

static void answers_are_bounded(void **state)
{
    (void)state;
    struct seen seen;
    start(&seen, (struct http_request){
                     .method = "GET", .url = url_of("zeros/100001"), .max_bytes = 100000});
    expect_failure(&seen, "larger than 100000 bytes");
    start(&seen,
          (struct http_request){.method = "GET", .url = url_of("chunked/1000"), .max_bytes = 4999});
    expect_failure(&seen, "larger than 4999 bytes");
    start(&seen,
          (struct http_request){.method = "GET", .url = url_of("chunked/1000"), .max_bytes = 5000});
    assert_comes_true(loop, &seen.done);
    assert_int_equal(seen.response.status, 200);
    assert_int_equal(seen.body_bytes, 5000);
    get(&seen, "zeros/8388609");
    expect_failure(&seen, "larger than 8388608 bytes");
    static const char *const long_pages[] = {"refusal/500/1000000", "refusal/403/16388",
                                             "refusal/202/8388608"};
    for (size_t i = 0; i < sizeof long_pages / sizeof *long_pages; i++) {
        get(&seen, long_pages[i]);
        assert_comes_true(loop, &seen.done);
        assert_in_range(seen.response.status, 202, 500);
        assert_int_equal(seen.body_bytes, HTTP_OTHER_MAX_BYTES);
        assert_memory_equal(seen.body, "why why", 7);
    }
    get(&seen, "refusal/500/8388612");
    expect_failure(&seen, "larger than 8388608 bytes");
    get(&seen, "endless");
    expect_failure(&seen, "");
}

static void failures_say_what_happened(void **state)
{
    (void)state;
    struct seen seen;
    struct io_test_helper gone = server;
    char url[64];
    const char *const argv[] = {"/usr/bin/python3", HELPERS "/http_server.py", NULL};
    gone = io_test_helper_start(argv);
    io_test_helper_stop(&gone);
    snprintf(url, sizeof url, "http://127.0.0.1:%d/", gone.port);
    start(&seen, (struct http_request){.method = "GET", .url = url});
    expect_failure(&seen, "connect");
    start(&seen, (struct http_request){.method = "GET", .url = "http://no-such-name.invalid/"});
    expect_failure(&seen, "resolve");
    get(&seen, "lie");
    expect_failure(&seen, "transfer closed");
    get(&seen, "garbage");
    expect_failure(&seen, "");
    assert_false(seen.response.tls_failed);
}

static void slow_ones_are_given_up(void **state)
{
    (void)state;
    struct seen seen;
    start(&seen, (struct http_request){
                     .method = "GET", .url = url_of("stall"), .timeout_ns = 300 * NS_PER_MS});
    expect_failure(&seen, "timed out");
    http_low_speed_s = 1;
    get(&seen, "stall");
    expect_failure(&seen, "too slow");
    http_low_speed_s = 15;
}

/* --- downloads --- */

static void a_download_comes_in_small_chunks(void **state)
{
    (void)state;
    struct seen seen;
    download(&seen, (struct http_request){.url = url_of("bytes/300000"), .max_bytes = 300000});
    assert_comes_true(loop, &seen.done);
    assert_int_equal(seen.response.status, 200);
    assert_int_equal(seen.header_calls, 1);
    assert_int_equal(seen.data_bytes, 300000);
    assert_true(seen.as_expected);
    assert_in_range(seen.largest_chunk, 1, 65536);
    assert_int_equal(seen.response.content_length, 300000);
    assert_string_equal(seen.etag, "\"tag-1\"");
    assert_string_equal(seen.last_modified, "Tue, 03 Nov 2026 10:00:00 GMT");
    assert_null(seen.response.body);
}

static void a_download_resumes_where_the_server_can(void **state)
{
    (void)state;
    struct seen seen;
    struct http_request request = {
        .url = url_of("bytes/100000"), .range_start = 60000, .if_range = "\"tag-1\""};
    download(&seen, request);
    seen.start = 60000;
    assert_comes_true(loop, &seen.done);
    assert_int_equal(seen.response.status, 206);
    assert_int_equal(seen.response.range_start, 60000);
    assert_int_equal(seen.response.content_length, 40000);
    assert_int_equal(seen.data_bytes, 40000);
    assert_true(seen.as_expected);
    request.if_range = "\"another\""; /* it has changed: all of it comes */
    download(&seen, request);
    assert_comes_true(loop, &seen.done);
    assert_int_equal(seen.response.status, 200);
    assert_int_equal(seen.response.range_start, 0);
    assert_int_equal(seen.data_bytes, 100000);
    request.url = url_of("noranges/100000");
    download(&seen, request);
    assert_comes_true(loop, &seen.done);
    assert_int_equal(seen.response.status, 200);
    assert_int_equal(seen.data_bytes, 100000);
}

static void an_unchanged_one_is_not_sent_again(void **state)
{
    (void)state;
    struct seen seen;
    download(&seen,
             (struct http_request){.url = url_of("bytes/100"), .if_none_match = "\"tag-1\""});
    assert_comes_true(loop, &seen.done);
    assert_int_equal(seen.response.status, 304);
    assert_int_equal(seen.header_calls, 1);
    assert_int_equal(seen.data_bytes, 0);
    download(&seen, (struct http_request){.url = url_of("bytes/100"),
                                          .if_modified_since = "Tue, 03 Nov 2026 10:00:00 GMT"});
    assert_comes_true(loop, &seen.done);
    assert_int_equal(seen.response.status, 304);
}

static void the_page_that_explains_an_error_is_no_track(void **state)
{
    (void)state;
    struct seen seen;
    download(&seen, (struct http_request){.url = url_of("status/404")});
    assert_comes_true(loop, &seen.done);
    assert_int_equal(seen.response.status, 404);
    assert_int_equal(seen.data_bytes, 0);
}

static void a_length_that_lies_is_a_failure(void **state)
{
    (void)state;
    struct seen seen;
    download(&seen, (struct http_request){.url = url_of("lie")});
    expect_failure(&seen, "transfer closed");
    assert_int_equal(seen.data_bytes, 10);
}

static void a_track_too_large_does_not_even_begin(void **state)
{
    (void)state;
    struct seen seen;
    download(&seen, (struct http_request){.url = url_of("zeros/4294967396"), .max_bytes = 1000});
    expect_failure(&seen, "larger than 1000 bytes"); /* its size modulo 2^32 would do */
    assert_int_equal(seen.data_bytes, 0);
    download(&seen, (struct http_request){
                        .url = url_of("bytes/1000"), .max_bytes = 950, .range_start = 900});
    expect_failure(&seen, "larger than 950 bytes");
}

static void the_receiver_may_break_it_off(void **state)
{
    (void)state;
    struct seen seen;
    download(&seen, (struct http_request){.url = url_of("bytes/100000")});
    seen.refuse_headers = true;
    expect_failure(&seen, "broken off");
    assert_int_equal(seen.data_bytes, 0);
    download(&seen, (struct http_request){.url = url_of("bytes/100000")});
    seen.refuse_data = true;
    expect_failure(&seen, "broken off");
    download(&seen, (struct http_request){.url = url_of("bytes/0")}); /* no data at all */
    seen.refuse_headers = true;
    expect_failure(&seen, "broken off");
}

/* --- calling while being called --- */

static void a_cancelled_call_is_silent(void **state)
{
    (void)state;
    struct seen seen, after;
    for (int i = 0; i < 3; i++) {
        download(&seen, (struct http_request){.url = url_of("bytes/300000")});
        seen.cancel_in_headers = i == 0;
        seen.cancel_in_data = i == 1;
        if (i == 2)
            http_cancel(seen.call);
        else
            assert_comes_true(loop, &seen.headers);
        get(&after, "echo");
        assert_comes_true(loop, &after.done);
        assert_false(io_test_run(loop, io_test_never, NULL, 20 * NS_PER_MS));
        assert_false(seen.done);
        assert_true(seen.data_bytes <= seen.largest_chunk);
        assert_int_equal(seen.header_calls, i < 2);
    }
    http_cancel(NULL);
}

static void a_call_may_start_another(void **state)
{
    (void)state;
    struct seen seen;
    memset(&inner, 0, sizeof inner);
    download(&seen, (struct http_request){.url = url_of("bytes/300000")});
    seen.start_in_data = true;
    assert_comes_true(loop, &seen.done);
    assert_comes_true(loop, &inner.done);
    assert_int_equal(inner.response.status, 200);
    assert_true(seen.as_expected);
}

static bool destroy_on_headers(void *user, const struct http_response *response)
{
    (void)response;
    *(bool *)user = true;
    http_destroy(http);
    return true;
}

static bool never_called(void *user, const void *data, size_t bytes)
{
    (void)user;
    (void)data;
    (void)bytes;
    fail_msg("called after http_destroy()");
    return false;
}

static void destroy_on_done(void *user, const struct http_response *response)
{
    (void)response;
    *(bool *)user = true;
    http_destroy(http);
}

static void everything_may_be_destroyed_in_a_callback(void **state)
{
    (void)state;
    bool reached = false;
    struct http_request request = {.method = "GET",
                                   .url = url_of("bytes/300000"),
                                   .on_headers = destroy_on_headers,
                                   .on_data = never_called,
                                   .on_done = destroy_on_done,
                                   .user = &reached};
    http_start(http, &request);
    assert_comes_true(loop, &reached);
    assert_false(io_test_run(loop, io_test_never, NULL, 20 * NS_PER_MS));
    for (int i = 0; i < 2; i++) {
        reached = false;
        http = http_create(loop, &(struct http_config){0});
        request.on_headers = NULL;
        request.on_data = NULL;
        http_start(http, &request);
        http_start(http, &request);
        assert_comes_true(loop, &reached);
        assert_false(io_test_run(loop, io_test_never, NULL, 20 * NS_PER_MS));
    }
    http = http_create(loop, &(struct http_config){0});
    get(&inner, "stall");
    http_destroy(http); /* with one under way */
    http = NULL;
}

/* Cancelling must not disturb curl's own sense of time. */
static void a_cancelled_call_leaves_the_others_timeouts_alone(void **state)
{
    (void)state;
    struct seen stalled, cancelled;
    start(&stalled, (struct http_request){
                        .method = "GET", .url = url_of("stall"), .timeout_ns = NS_PER_S / 2});
    get(&cancelled, "stall");
    assert_false(io_test_run(loop, io_test_never, NULL, 100 * NS_PER_MS));
    http_cancel(cancelled.call);
    expect_failure(&stalled, "timed out");
}

/* --- TLS --- */

static char tls_url[64];

/* A server with this certificate, and us trusting that authority. */
static struct io_test_helper start_tls(const char *certificate, const char *ca, const char *path)
{
    char cert_path[128], ca_path[128];
    snprintf(cert_path, sizeof cert_path, "%s/%s.pem", dir, certificate);
    snprintf(ca_path, sizeof ca_path, "%s/%s.pem", dir, ca ? ca : "");
    const char *const argv[] = {"/usr/bin/python3", HELPERS "/http_server.py", cert_path, NULL};
    struct io_test_helper tls = io_test_helper_start(argv);
    http_destroy(http);
    http = http_create(loop, &(struct http_config){.ca_file = ca ? ca_path : NULL});
    snprintf(tls_url, sizeof tls_url, "https://localhost:%d/%s", tls.port, path);
    return tls;
}

static void call_tls(struct seen *seen, const char *certificate, const char *ca)
{
    struct io_test_helper tls = start_tls(certificate, ca, "echo");
    start(seen, (struct http_request){.method = "GET", .url = tls_url});
    assert_comes_true(loop, &seen->done);
    io_test_helper_stop(&tls);
}

static void expect_tls_failure(const char *certificate, const char *ca, const char *why)
{
    struct seen seen;
    call_tls(&seen, certificate, ca);
    assert_true(seen.response.tls_failed);
    expect_failure(&seen, why);
}

static void tls_is_verified(void **state)
{
    (void)state;
    struct seen seen;
    call_tls(&seen, "good", "ca");
    assert_int_equal(seen.response.status, 200);
    assert_false(seen.response.tls_failed);
    expect_tls_failure("good", NULL, "unable to get local issuer certificate");
    expect_tls_failure("expired", "ca", "expired");
    expect_tls_failure("future", "ca", "not yet valid");
    expect_tls_failure("wronghost", "ca", "no alternative certificate subject name matches");
    expect_tls_failure("selfsigned", "ca", "self-signed");
}

/* --- the loop meanwhile --- */

#define TICK_NS (5 * NS_PER_MS)
#define LATE_NS (10 * NS_PER_MS)

/* How long the loop keeps a timer waiting, in its own working time: that another process has the
 * processor in between is not its fault. */
static struct {
    struct loop_timer *timer;
    int64_t worked_ns;
    int ticks, late;
    int64_t worst_ns;
} ticker;

static int64_t working_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (int64_t)now.tv_sec * NS_PER_S + now.tv_nsec;
}

static void tick(void *user, struct mono_time now)
{
    (void)user;
    int64_t late_ns = working_ns() - ticker.worked_ns - TICK_NS;
    ticker.ticks++;
    if (late_ns > LATE_NS)
        ticker.late++;
    if (late_ns > ticker.worst_ns)
        ticker.worst_ns = late_ns;
    ticker.worked_ns = working_ns();
    loop_timer_set(ticker.timer, mono_add(now, TICK_NS));
}

static void one_round_takes_no_more_than_its_share(void **state)
{
    (void)state;
    struct seen seen;
    download(&seen, (struct http_request){.url = url_of("zeros/60000000")});
    assert_comes_true(loop, &seen.done);
    assert_int_equal(seen.response.status, 200);
    assert_int_equal(seen.data_bytes, 60000000);
    print_message("at most %zu bytes in one round\n", seen.largest_round);
    assert_in_range(seen.largest_round, 1, 262144 + 16384);
}

/* A disk that makes every piece wait. */
static void a_slow_receiver_gets_one_piece_in_a_round(void **state)
{
    (void)state;
    struct seen seen;
    download(&seen, (struct http_request){.url = url_of("zeros/1000000")});
    seen.slow_data = true;
    assert_comes_true(loop, &seen.done);
    assert_int_equal(seen.response.status, 200);
    assert_int_equal(seen.data_bytes, 1000000);
    assert_int_equal(seen.largest_round, seen.largest_chunk);
}

/* What TLS has read already makes no socket readable when the next round comes. */
static void rounds_go_on_under_tls(void **state)
{
    (void)state;
    struct seen seen;
    struct io_test_helper tls = start_tls("good", "ca", "zeros/20000000");
    download(&seen, (struct http_request){.url = tls_url});
    assert_comes_true(loop, &seen.done);
    io_test_helper_stop(&tls);
    assert_int_equal(seen.response.status, 200);
    assert_int_equal(seen.data_bytes, 20000000);
    assert_in_range(seen.largest_round, 1, 262144 + 16384);
}

static void a_large_download_leaves_the_loop_its_rhythm(void **state)
{
    (void)state;
    io_test_not_emulated();
    struct seen seen;
    memset(&ticker, 0, sizeof ticker);
    ticker.timer = loop_timer_create(loop, tick, NULL);
    ticker.worked_ns = working_ns();
    loop_timer_set_in(ticker.timer, TICK_NS);
    loop_reset_longest_stall(loop);
    while (ticker.ticks < 40) { /* one may be over in 20 ms */
        download(&seen, (struct http_request){.url = url_of("zeros/60000000")});
        assert_comes_true(loop, &seen.done);
        assert_int_equal(seen.data_bytes, 60000000);
    }
    loop_timer_destroy(ticker.timer);
    print_message("%d ticks of 5 ms, worst %.2f ms late, longest stall %.2f ms\n", ticker.ticks,
                  ns_to_ms(ticker.worst_ns), ns_to_ms(loop_longest_stall_ns(loop)));
    /* A virtual machine's clock counts what its host takes away, too; for once, that is. */
    assert_true(ticker.late * 10 <= ticker.ticks);
}

static void no_descriptor_is_left(void **state)
{
    (void)state;
    int before = dup(0);
    close(before);
    for (int i = 0; i < 5; i++) {
        struct seen seen, stalled;
        http_destroy(http);
        http = http_create(loop, &(struct http_config){0});
        get(&stalled, "stall");
        get(&seen, "echo");
        assert_comes_true(loop, &seen.done);
    }
    http_destroy(http);
    http = NULL;
    assert_false(io_test_run(loop, io_test_never, NULL, 10 * NS_PER_MS));
    int after = dup(0);
    close(after);
    assert_in_range(after, 0, before);
}

static int start_all(void **state)
{
    (void)state;
    char command[300];
    const char *const argv[] = {"/usr/bin/python3", HELPERS "/http_server.py", NULL};
    io_test_make_dir(dir);
    snprintf(command, sizeof command, HELPERS "/make_certs.sh %s >/dev/null 2>&1", dir);
    if (system(command) != 0)
        return -1;
    server = io_test_helper_start(argv);
    return fscanf(server.output, "%d%*c", &other_port) == 1 ? 0 : -1;
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
        TEST(a_call_carries_what_it_should),
        TEST(errors_of_the_backend_keep_status_and_body),
        TEST(dates_are_read_and_times_are_tight),
        TEST(connections_are_kept_unless_a_fresh_one_is_wanted),
        TEST(eof_on_a_kept_connection_is_tried_again),
        TEST(a_redirect_is_followed_by_downloads_only),
        TEST(only_http_is_spoken),
        TEST(answers_are_bounded),
        TEST(failures_say_what_happened),
        TEST(slow_ones_are_given_up),
        TEST(a_download_comes_in_small_chunks),
        TEST(a_download_resumes_where_the_server_can),
        TEST(an_unchanged_one_is_not_sent_again),
        TEST(the_page_that_explains_an_error_is_no_track),
        TEST(a_length_that_lies_is_a_failure),
        TEST(a_track_too_large_does_not_even_begin),
        TEST(the_receiver_may_break_it_off),
        TEST(a_cancelled_call_is_silent),
        TEST(a_call_may_start_another),
        TEST(everything_may_be_destroyed_in_a_callback),
        TEST(a_cancelled_call_leaves_the_others_timeouts_alone),
        TEST(tls_is_verified),
        TEST(one_round_takes_no_more_than_its_share),
        TEST(a_slow_receiver_gets_one_piece_in_a_round),
        TEST(rounds_go_on_under_tls),
        TEST(a_large_download_leaves_the_loop_its_rhythm),
        TEST(no_descriptor_is_left),
    };
    return cmocka_run_group_tests(tests, start_all, stop_all);
}
