/*
 * test_library.c: what is downloaded in which order, against a server that keeps a list and can be
 * made to wait.
 */
#include "../io/io_test.h"
#include "tutti/base/log.h"
#include "tutti/daemon/library.h"
#include "tutti/io/background.h"
#include "tutti/io/http.h"
#include "tutti/io/track_store.h"

#include <sched.h>
#include <sys/mount.h>

#define MB (1 << 20)

static char dir[64];
static struct io_test_helper server;
static struct loop *loop;
static struct background *background;
static struct http *http;
static struct library *library;

/* What the player was told last. */
static struct {
    int fd;
    int64_t bytes;
    bool complete;
    int files, none;
} told;

static void on_file(void *user, int fd, int64_t available_bytes, int64_t total_bytes)
{
    (void)user;
    /* What it has is not closed before it has the other. */
    assert_true(fd < 0 || told.fd < 0 || fcntl(told.fd, F_GETFD) >= 0);
    told.none += fd < 0;
    told.fd = fd;
    told.bytes = available_bytes;
    told.complete = fd >= 0 && available_bytes == total_bytes;
    told.files += fd >= 0;
}

static void on_growth(void *user, int64_t available_bytes, bool complete)
{
    (void)user;
    assert_true(told.fd >= 0);
    told.bytes = available_bytes;
    told.complete = complete;
}

/* What the player has been given to open ahead. */
static struct {
    int fd;
    int count;
} primed;

static void on_next(void *user, int fd, int64_t bytes)
{
    (void)user;
    assert_true(fd < 0 || bytes > 0);
    primed.fd = fd;
    primed.count++;
}

/* How often the reason why the current track cannot be had has become another. */
static int problems;

static void on_problem(void *user)
{
    (void)user;
    problems++;
}

static const struct library_handlers handlers = {on_file, on_next, on_growth, on_problem};

/* The log, in a file from here on. */
static int own_stderr = -1;

static void keep_log(void)
{
    char path[100];
    snprintf(path, sizeof path, "%s/log", dir);
    int fd = open(path, O_CREAT | O_WRONLY | O_APPEND | O_CLOEXEC, 0600);
    own_stderr = dup(STDERR_FILENO);
    assert_true(fd >= 0 && own_stderr >= 0 && dup2(fd, STDERR_FILENO) >= 0);
    close(fd);
    log_set_level(LOG_WARN);
}

/* How many of its lines have both. */
static int count_lines(const char *one, const char *other)
{
    char path[100], line[4096];
    int count = 0;
    snprintf(path, sizeof path, "%s/log", dir);
    FILE *file = fopen(path, "re");
    assert_non_null(file);
    while (fgets(line, sizeof line, file))
        count += strstr(line, one) && strstr(line, other);
    fclose(file);
    return count;
}

static void open_library(int64_t cache_bytes, bool disk)
{
    char cache[100];
    snprintf(cache, sizeof cache, "%s/cache", dir);
    library_destroy(library);
    memset(&told, 0, sizeof told);
    told.fd = primed.fd = -1;
    struct library_config config = {background, disk ? cache : NULL, cache_bytes, 4 * MB};
    library = library_create(loop, http, &config, &handlers, NULL);
    assert_non_null(library);
}

static int set_up(void **state)
{
    (void)state;
    log_set_level(LOG_ERROR);
    io_test_make_dir(dir);
    const char *const argv[] = {"/usr/bin/python3", HELPERS "/track_server.py", dir, NULL};
    server = io_test_helper_start(argv);
    loop = loop_create(NULL);
    background = background_create(loop);
    http = http_create(loop, &(struct http_config){0});
    library = NULL;
    open_library(100 * MB, true);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    if (own_stderr >= 0) {
        dup2(own_stderr, STDERR_FILENO);
        close(own_stderr);
        own_stderr = -1;
    }
    library_destroy(library);
    http_destroy(http);
    background_destroy(background);
    loop_destroy(loop);
    io_test_helper_stop(&server);
    io_test_remove_dir(dir);
    return 0;
}

/* "a/10" becomes an address; NULL "". */
static const char *address(const char *track)
{
    static char texts[8][100];
    static int next;
    char *text = texts[next++ % 8];
    text[0] = '\0';
    if (track)
        snprintf(text, sizeof texts[0], "http://127.0.0.1:%d/%s", server.port, track);
    return text;
}

static void want(const char *current, const char *next, const char *previous)
{
    const char *urls[LIBRARY_WANTED] = {address(current), address(next), address(previous)};
    library_set_wanted(library, urls);
}

static const char *requests(void)
{
    static char text[4096];
    char path[100];
    snprintf(path, sizeof path, "%s/requests", dir);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t got = fd < 0 ? 0 : read(fd, text, sizeof text - 1);
    text[got > 0 ? got : 0] = '\0';
    if (fd >= 0)
        close(fd);
    for (char *c = text; *c; c++)
        *c = *c == '\n' ? ' ' : *c;
    return text;
}

static bool were_requested(void *user)
{
    return strcmp(requests(), user) == 0;
}

/* For what is asked for again and again. */
static bool requests_begin(void *user)
{
    return strncmp(requests(), user, strlen(user)) == 0;
}

/* Exactly these, in this order; and for a while no more. The last may not be answered yet. */
static void expect_requests(const char *list)
{
    if (!io_test_run(loop, were_requested, (char *)(uintptr_t)list, IO_TEST_LIMIT_NS))
        fail_msg("requested: %s", requests());
    io_test_run(loop, io_test_never, NULL, 50 * NS_PER_MS);
    assert_string_equal(requests(), list);
}

/* Whole tracks on the disk, which another process would find. */
static int count_kept(void)
{
    char path[100];
    int count = 0;
    snprintf(path, sizeof path, "%s/cache", dir);
    DIR *files = opendir(path);
    const struct dirent *entry;
    while (files && (entry = readdir(files))) {
        const char *suffix = strchr(entry->d_name, '.');
        count += suffix && strcmp(suffix, ".json") == 0;
    }
    if (files)
        closedir(files);
    return count;
}

static bool are_kept(void *user)
{
    return count_kept() == *(const int *)user;
}

static void expect_kept(int count)
{
    assert_true(io_test_run(loop, are_kept, &count, IO_TEST_LIMIT_NS));
}

/* Whether a file of the cache is as long as that: what has arrived of a track, kept or not. */
static bool has_arrived(void *user)
{
    char path[400];
    bool found = false;
    snprintf(path, sizeof path, "%s/cache", dir);
    DIR *files = opendir(path);
    const struct dirent *entry;
    while (files && !found && (entry = readdir(files))) {
        struct stat status;
        snprintf(path, sizeof path, "%s/cache/%s", dir, entry->d_name);
        found = stat(path, &status) == 0 && status.st_size == *(const int64_t *)user;
    }
    if (files)
        closedir(files);
    return found;
}

/* The first half of a slow one, fetched ahead: of this the player is not told. */
static void expect_half(int64_t bytes)
{
    int64_t half = bytes / 2;
    assert_true(io_test_run(loop, has_arrived, &half, IO_TEST_LIMIT_NS));
}

static bool were_downloaded(void *user)
{
    return library_get_usage(library).downloads == *(const uint64_t *)user;
}

/* So many whole tracks so far. */
static void expect_downloads(uint64_t count)
{
    assert_true(io_test_run(loop, were_downloaded, &count, IO_TEST_LIMIT_NS));
}

static bool have_failed(void *user)
{
    return library_get_usage(library).failures == *(const uint64_t *)user;
}

/* So many calls so far: of one fetched ahead nothing else is told. */
static void expect_failures(uint64_t count)
{
    assert_true(io_test_run(loop, have_failed, &count, IO_TEST_LIMIT_NS));
}

static bool is_problem(void *user)
{
    return strstr(library_error(library), user) != NULL;
}

static void expect_problem(const char *text)
{
    if (!io_test_run(loop, is_problem, (char *)(uintptr_t)text, IO_TEST_LIMIT_NS))
        fail_msg("\"%s\" does not say \"%s\"", library_error(library), text);
}

static void let_go(const char *name)
{
    char path[100];
    snprintf(path, sizeof path, "%s/go-%s", dir, name);
    io_test_write_file(path, "", 0600);
}

static bool is_complete(void *user)
{
    (void)user;
    return told.complete;
}

static void expect_track(char byte, int64_t bytes)
{
    assert_true(io_test_run(loop, is_complete, NULL, IO_TEST_LIMIT_NS));
    assert_int_equal(told.bytes, bytes);
    char first = 0, last = 0;
    assert_int_equal(pread(told.fd, &first, 1, 0), 1);
    assert_int_equal(pread(told.fd, &last, 1, bytes - 1), 1);
    assert_int_equal(first, byte);
    assert_int_equal(last, byte);
}

static void the_current_one_then_the_next_then_the_one_before(void **state)
{
    (void)state;
    want("slow-c/100000", "n/100", "p/100");
    expect_requests("slow-c+0 "); /* and nothing beside it */
    let_go("c");
    expect_requests("slow-c+0 n+0 p+0 ");
    expect_track('c', 100000);
    assert_string_equal(library_error(library), "");
}

static void what_is_there_is_not_fetched_again(void **state)
{
    (void)state;
    want("a/100", "b/100", NULL);
    expect_requests("a+0 b+0 ");
    want("b/100", "c/100", "a/100");
    expect_requests("a+0 b+0 c+0 ");
    expect_track('b', 100);
    expect_kept(3);
    want("a/100", "b/100", NULL);
    expect_track('a', 100);
    assert_int_equal(told.files, 3);
    expect_requests("a+0 b+0 c+0 ");
    /* In another life it is compared with the server's, beside its playing. */
    open_library(100 * MB, true);
    want("a/100", "b/100", NULL);
    expect_track('a', 100);
    expect_requests("a+0 b+0 c+0 a= b= ");
    assert_int_equal(told.files, 1);
}

static void the_same_again_changes_nothing(void **state)
{
    (void)state;
    for (int i = 0; i < 3; i++)
        want("a/100", "a/100", "b/100");
    expect_requests("a+0 b+0 ");
    for (int i = 0; i < 3; i++)
        want("a/100", "a/100", "b/100");
    expect_requests("a+0 b+0 ");
    assert_int_equal(told.files, 1);
}

static void another_current_one_interrupts(void **state)
{
    (void)state;
    want("a/100", "slow-b/100000", NULL);
    expect_requests("a+0 slow-b+0 ");
    expect_half(100000);
    want("c/100", "slow-b/100000", "a/100");
    /* What had arrived is not fetched twice. */
    expect_requests("a+0 slow-b+0 c+0 slow-b+50000 ");
    expect_track('c', 100);
    let_go("b");
    want("slow-b/100000", NULL, "c/100");
    expect_track('b', 100000);
}

/* The playlist changes while something is fetched ahead: what comes next now goes first. */
static void a_changed_playlist_is_planned_anew(void **state)
{
    (void)state;
    want("a/100", NULL, "slow-p/100000");
    expect_requests("a+0 slow-p+0 ");
    expect_half(100000);
    want("a/100", "n/100", "slow-p/100000");
    expect_requests("a+0 slow-p+0 n+0 slow-p+50000 ");
    want("a/100", "n/100", NULL); /* not wanted any more, in the middle of it */
    want("a/100", "m/100", "n/100");
    expect_requests("a+0 slow-p+0 n+0 slow-p+50000 m+0 ");
    expect_track('a', 100);
}

static void what_is_fetched_ahead_becomes_current_on_its_way(void **state)
{
    (void)state;
    want("a/100", "slow-b/100000", NULL);
    expect_requests("a+0 slow-b+0 ");
    expect_half(100000);
    want("slow-b/100000", NULL, "a/100");
    assert_true(told.fd >= 0); /* the half that is there can be played */
    assert_int_equal(told.bytes, 50000);
    let_go("b");
    expect_track('b', 100000);
    expect_requests("a+0 slow-b+0 ");
}

static bool is_another_primed(void *user)
{
    return primed.fd >= 0 && primed.fd != *(const int *)user;
}

/* fd: what was primed before; -1: nothing. */
static void expect_another_primed(int fd)
{
    assert_true(io_test_run(loop, is_another_primed, &fd, IO_TEST_LIMIT_NS));
}

static void the_next_one_is_told_of_when_it_is_whole(void **state)
{
    (void)state;
    want("a/100", "slow-b/100000", NULL);
    expect_requests("a+0 slow-b+0 ");
    assert_int_equal(primed.fd, -1);
    let_go("b");
    expect_another_primed(-1);
    int fd = primed.fd, count = primed.count, none = told.none;
    want("slow-b/100000", "c/100", "a/100"); /* as it was, it is the current one, at once */
    assert_int_equal(told.fd, fd);
    assert_int_equal(told.none, none);
    assert_int_equal(primed.count, count);
    expect_requests("a+0 slow-b+0 c+0 ");
    expect_another_primed(fd);
    assert_int_equal(primed.count, count + 1);
    want("slow-b/100000", "gone-d/1", NULL); /* taken back, before its file is closed */
    assert_int_equal(primed.fd, -1);
}

static void the_current_one_may_come_next_as_well(void **state)
{
    (void)state;
    want("slow-a/100000", "slow-a/100000", NULL);
    expect_requests("slow-a+0 ");
    assert_int_equal(primed.fd, -1);
    let_go("a");
    expect_another_primed(-1);
    assert_int_equal(primed.fd, told.fd);
    int fd = told.fd, files = told.files;
    want("slow-a/100000", "b/100", NULL); /* but once more it is not played */
    expect_requests("slow-a+0 b+0 ");
    expect_another_primed(fd);
    want("slow-a/100000", "slow-a/100000", "b/100");
    assert_int_equal(primed.fd, fd);
    assert_int_equal(told.files, files);
    want("b/100", NULL, "slow-a/100000");
    assert_int_equal(primed.fd, -1);
}

static void one_that_has_changed_is_replaced(void **state)
{
    (void)state;
    want("new-a/1000", "new-b/1000", "portal-c/1000");
    expect_requests("new-a+0 new-b+0 portal-c+0 ");
    expect_kept(3);
    open_library(100 * MB, true);
    let_go("a");
    let_go("b");
    let_go("c");
    want("new-a/1000", "new-b/1000", "portal-c/1000");
    expect_track('a', 1000); /* at once: what is there */
    expect_requests("new-a+0 new-b+0 portal-c+0 new-a= new-b= portal-c= ");
    expect_track('Z', 1000);
    assert_int_equal(told.files, 2);
    want("new-b/1000", "portal-c/1000", "new-a/1000");
    expect_track('Z', 1000);
    want("portal-c/1000", NULL, NULL); /* the page of somebody in between is not it */
    expect_track('c', 1000);
    expect_requests("new-a+0 new-b+0 portal-c+0 new-a= new-b= portal-c= ");
}

static void without_the_server_what_is_there_is_played(void **state)
{
    (void)state;
    want("a/100", NULL, NULL);
    expect_requests("a+0 ");
    expect_kept(1);
    open_library(100 * MB, true);
    const char *url = address("a/100");
    io_test_helper_stop(&server);
    library_set_wanted(library, (const char *const[LIBRARY_WANTED]){url, "", ""});
    expect_track('a', 100);
    io_test_run(loop, io_test_never, NULL, 200 * NS_PER_MS);
    assert_string_equal(library_error(library), "");
    assert_int_equal(library_get_usage(library).failures, 0);
}

/* Whatever becomes of the second half: in the end the file is the server's. */
static void a_broken_download_is_mended(void **state)
{
    (void)state;
    want("half-a/100000", NULL, NULL);
    expect_track('a', 100000);
    expect_requests("half-a+0 half-a+50000 ");
    want("whole-b/100000", NULL, NULL);
    expect_track('b', 100000);
    want("shift-c/100000", NULL, NULL);
    expect_track('c', 100000);
    want("other-d/100000", NULL, NULL);
    expect_track('d', 100000);
    expect_requests("half-a+0 half-a+50000 whole-b+0 whole-b+50000 shift-c+0 shift-c+50000 "
                    "shift-c+0 other-d+0 other-d+50000 other-d+0 ");
}

/* They cannot be sent back, so they vouch for nothing. */
static void odd_validators_do_not_end_a_download(void **state)
{
    (void)state;
    want("odd-a/100000", NULL, NULL);
    expect_track('a', 100000);
    expect_requests("odd-a+0 odd-a+0 ");
}

/* A part is not the whole: what is missing is asked for. */
static void answers_with_parts_are_put_together(void **state)
{
    (void)state;
    want("parts-a/200000", NULL, NULL);
    expect_track('a', 200000);
    expect_requests("parts-a+0 parts-a+70000 parts-a+140000 ");
    want("bare-b/200000", NULL, NULL);
    expect_track('b', 200000);
    want("chunk-c/140000", NULL, NULL);
    expect_track('c', 140000);
    expect_requests("parts-a+0 parts-a+70000 parts-a+140000 bare-b+0 bare-b+70000 bare-b+140000 "
                    "chunk-c+0 chunk-c+70000 ");
    want("loose-d/200000", NULL, NULL); /* of which nobody can know when it is whole */
    expect_track('d', 200000);
    want("forgetful-e/200000", NULL, NULL);
    expect_track('e', 200000);
}

/* What never fits together is never whole, and is not asked for in a hurry. */
static void parts_that_do_not_fit_are_no_track(void **state)
{
    (void)state;
    want("grown-a/200000", NULL, NULL);
    expect_problem("a part that does not fit");
    assert_false(io_test_run(loop, is_complete, NULL, 3 * NS_PER_S));
    want("crumb-b/30000", NULL, NULL);
    expect_problem("only a part of it");
    assert_false(io_test_run(loop, is_complete, NULL, 2 * NS_PER_S));
    want("parts-c/5000000", NULL, NULL);
    expect_problem("larger than track_max_mb");
    assert_false(io_test_run(loop, is_complete, NULL, NS_PER_S));
    int requests_made = 0;
    for (const char *c = requests(); *c; c++)
        requests_made += *c == '+';
    assert_in_range(requests_made, 5, 30);
}

/* It is retried more and more slowly, and what is there of it can be played. */
static void one_that_promises_too_much_is_never_whole(void **state)
{
    (void)state;
    want("lies-a/100000", "b/100", NULL);
    assert_true(io_test_run(loop, requests_begin, (char[]){"lies-a+0 b+0 lies-a+10000 "},
                            IO_TEST_LIMIT_NS));
    assert_int_equal(told.bytes, 10000);
    assert_false(told.complete);
    assert_non_null(strstr(library_error(library), "bytes remaining"));
}

static void a_missing_track_does_not_hold_up_the_rest(void **state)
{
    (void)state;
    want("gone-a/1", "n/100", "gone-p/1");
    expect_requests("gone-a+0 n+0 gone-p+0 "); /* a 404 is not asked for again */
    assert_non_null(strstr(library_error(library), "404"));
    assert_int_equal(told.fd, -1);
    want("n/100", NULL, NULL);
    expect_track('n', 100);
    assert_string_equal(library_error(library), "");
}

static void one_that_will_be_there_later_is_asked_for_again(void **state)
{
    (void)state;
    want("later-a/100", "n/100", NULL);
    assert_true(io_test_run(loop, requests_begin, (char[]){"later-a+0 n+0 "}, IO_TEST_LIMIT_NS));
    assert_non_null(strstr(library_error(library), "503"));
    let_go("a");
    expect_track('a', 100);
    assert_string_equal(library_error(library), "");
}

static void other_addresses_are_refused(void **state)
{
    (void)state;
    const char *urls[LIBRARY_WANTED] = {"file:///etc/passwd", address("n/100"),
                                        "ftp://127.0.0.1/x"};
    library_set_wanted(library, urls);
    expect_requests("n+0 ");
    assert_non_null(strstr(library_error(library), "not at an http"));
    urls[0] = "http://user:secret@127.0.0.1/x";
    library_set_wanted(library, urls);
    assert_non_null(strstr(library_error(library), "user:password@"));
    urls[0] = "http://127.0.0.1:70000/x";
    library_set_wanted(library, urls);
    assert_non_null(strstr(library_error(library), "a port that cannot be"));
    assert_int_equal(told.fd, -1);
}

static void one_that_is_too_large_is_not_fetched(void **state)
{
    (void)state;
    want("a/5000000", "n/100", NULL);
    expect_requests("a+0 n+0 ");
    assert_non_null(strstr(library_error(library), "larger than"));
}

static void one_refused_ahead_is_asked_for_again_as_the_current_one(void **state)
{
    (void)state;
    want("a/100", "lost-n/100", "gone-p/1");
    expect_requests("a+0 lost-n+0 gone-p+0 ");
    assert_string_equal(library_error(library), "");
    let_go("n"); /* it is there by now */
    want("lost-n/100", NULL, "a/100");
    expect_track('n', 100);
    expect_requests("a+0 lost-n+0 gone-p+0 lost-n+0 ");
}

/* Whatever the reason, and also when the one before had the same. */
static void each_track_that_cannot_be_had_is_said_once(void **state)
{
    (void)state;
    static const char *const none[LIBRARY_WANTED - 1] = {"", ""};
    keep_log();
    want("gone-a/1", "gone-b/1", NULL);
    expect_requests("gone-a+0 gone-b+0 ");
    expect_failures(2);
    want("gone-b/1", NULL, "gone-a/1");
    expect_requests("gone-a+0 gone-b+0 gone-b+0 ");
    expect_problem("404");
    want("n/100", "c/5000000", NULL);
    expect_requests("gone-a+0 gone-b+0 gone-b+0 n+0 c+0 ");
    expect_failures(4);
    want("c/5000000", NULL, NULL);
    expect_requests("gone-a+0 gone-b+0 gone-b+0 n+0 c+0 c+0 ");
    expect_problem("larger than");
    const char *urls[LIBRARY_WANTED] = {address("n/100"), "ftp://127.0.0.1/d", ""};
    library_set_wanted(library, urls);
    urls[0] = urls[1], urls[1] = none[0];
    library_set_wanted(library, urls);
    io_test_run(loop, io_test_never, NULL, 50 * NS_PER_MS);
    assert_non_null(strstr(library_error(library), "not at an http"));
    assert_int_equal(count_lines("gone-a", "HTTP 404"), 1);
    assert_int_equal(count_lines("gone-b", "HTTP 404"), 1);
    assert_int_equal(count_lines("/c/5000000", "larger than"), 1);
    assert_int_equal(count_lines("ftp://127.0.0.1/d", "not at an http"), 1);
    assert_true(problems >= 4);
}

static void do_nothing(void *job)
{
    (void)job;
}

static void raise_flag(void *job)
{
    *(bool *)job = true;
}

/* What was asked of the disk is done, in its order; and what was asked for when that was done. */
static void expect_disk_work_done(void)
{
    for (int round = 0; round < 2; round++) {
        static bool reached;
        reached = false;
        background_run(background, do_nothing, raise_flag, &reached);
        assert_comes_true(loop, &reached);
    }
}

static bool is_stored(const char *track)
{
    char path[100];
    snprintf(path, sizeof path, "%s/cache", dir);
    struct track_store *store = track_store_create(background, path, 100 * MB);
    struct track_file *file = track_store_open(store, address(track));
    bool stored = file != NULL;
    track_file_close(file);
    track_store_destroy(store);
    return stored;
}

static void what_plays_or_comes_next_is_not_evicted(void **state)
{
    (void)state;
    open_library(3 * MB, true);
    want("a/1000000", "b/1000000", NULL);
    expect_requests("a+0 b+0 ");
    want("b/1000000", "c/1000000", "a/1000000");
    expect_requests("a+0 b+0 c+0 ");
    want("c/1000000", "d/1000000", "b/1000000"); /* four do not fit: the unpinned one goes */
    expect_requests("a+0 b+0 c+0 d+0 ");
    expect_downloads(4);
    expect_disk_work_done();
    assert_true(is_stored("b/1000000"));
    assert_true(is_stored("c/1000000"));
    assert_true(is_stored("d/1000000"));
    assert_false(is_stored("a/1000000"));
}

static void in_memory_neither(void **state)
{
    (void)state;
    open_library(2 * MB, false);
    want("a/1000000", "b/1000000", NULL);
    expect_requests("a+0 b+0 ");
    want("b/1000000", "c/1000000", "a/1000000"); /* all three are wanted: too much, and kept */
    expect_requests("a+0 b+0 c+0 ");
    want("a/1000000", "b/1000000", "c/1000000");
    expect_track('a', 1000000);
    expect_requests("a+0 b+0 c+0 ");
}

/* --- a disk that is full --- */

/* Of six megabytes, in a mount namespace of our own; false where that is not allowed. */
static bool mount_small_disk(const char *path)
{
    static bool unshared;
    mkdir(path, 0755);
    if (!unshared &&
        (unshare(CLONE_NEWNS) < 0 || mount("none", "/", "none", MS_REC | MS_PRIVATE, NULL) < 0))
        return false;
    unshared = true;
    return mount("tmpfs", path, "tmpfs", 0, "size=6m") == 0;
}

static void fill_disk(const char *path)
{
    static const char zeros[4096];
    char filler[140];
    snprintf(filler, sizeof filler, "%s/filler", path);
    int fd = open(filler, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    while (write(fd, zeros, sizeof zeros) > 0) {
    }
    close(fd);
}

static bool half_is_there(void *user)
{
    return told.bytes >= *(int64_t *)user / 2;
}

/* Two megabytes are there when it fills up: more than is copied at once. */
static void goes_on_in_memory(const char *track)
{
    char cache[100];
    int64_t bytes = 4000000;
    snprintf(cache, sizeof cache, "%s/cache", dir);
    library_destroy(library);
    library = NULL;
    if (!mount_small_disk(cache)) {
        print_message("no mount namespaces here\n");
        skip();
    }
    open_library(100 * MB, true);
    want(track, NULL, NULL);
    assert_true(io_test_run(loop, half_is_there, &bytes, IO_TEST_LIMIT_NS));
    fill_disk(cache);
    let_go("s");
    expect_track('s', bytes);
    library_destroy(library);
    library = NULL;
    io_test_run(loop, io_test_never, NULL, 10 * NS_PER_MS);
    assert_int_equal(umount2(cache, MNT_DETACH), 0);
}

static void a_disk_that_fills_up_moves_the_track_to_memory(void **state)
{
    (void)state;
    goes_on_in_memory("slow-s/4000000");
    assert_string_equal(requests(), "slow-s+0 "); /* in one go: it only waited */
}

static void a_beginning_on_a_full_disk_is_resumed_in_memory(void **state)
{
    (void)state;
    goes_on_in_memory("half-s/4000000");
    assert_string_equal(requests(), "half-s+0 half-s+2000000 ");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_current_one_then_the_next_then_the_one_before),
        TEST(what_is_there_is_not_fetched_again),
        TEST(the_same_again_changes_nothing),
        TEST(another_current_one_interrupts),
        TEST(a_changed_playlist_is_planned_anew),
        TEST(what_is_fetched_ahead_becomes_current_on_its_way),
        TEST(the_next_one_is_told_of_when_it_is_whole),
        TEST(the_current_one_may_come_next_as_well),
        TEST(one_that_has_changed_is_replaced),
        TEST(without_the_server_what_is_there_is_played),
        TEST(a_broken_download_is_mended),
        TEST(odd_validators_do_not_end_a_download),
        TEST(answers_with_parts_are_put_together),
        TEST(parts_that_do_not_fit_are_no_track),
        TEST(one_that_promises_too_much_is_never_whole),
        TEST(a_missing_track_does_not_hold_up_the_rest),
        TEST(one_that_will_be_there_later_is_asked_for_again),
        TEST(other_addresses_are_refused),
        TEST(one_that_is_too_large_is_not_fetched),
        TEST(one_refused_ahead_is_asked_for_again_as_the_current_one),
        TEST(each_track_that_cannot_be_had_is_said_once),
        TEST(what_plays_or_comes_next_is_not_evicted),
        TEST(in_memory_neither),
        TEST(a_disk_that_fills_up_moves_the_track_to_memory),
        TEST(a_beginning_on_a_full_disk_is_resumed_in_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
