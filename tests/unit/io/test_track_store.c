#include "../../../src/io/track_store_internal.h"
#include "io_test.h"
#include "tutti/base/log.h"
#include "tutti/io/background.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/syscall.h>

#define URL "http://127.0.0.1:8700/static/uploads/a.mp3"
#define MB (1 << 20)

static struct loop *loop;
static struct background *background;
static struct track_store *store;
static char dir[64];
static char cache[100];

static void open_store(int64_t max_bytes)
{
    store = track_store_create(background, cache, max_bytes);
    assert_non_null(store);
}

static bool has_no_jobs(void *user)
{
    (void)user;
    return store->jobs == 0;
}

/* Everything that waits for the disk is done afterwards. */
static void settle(void)
{
    assert_true(io_test_run(loop, has_no_jobs, NULL, IO_TEST_LIMIT_NS));
}

/* As a new process would find it. */
static void restart(int64_t max_bytes)
{
    settle();
    track_store_destroy(store);
    open_store(max_bytes);
}

static int set_up(void **state)
{
    (void)state;
    log_set_level(LOG_ERROR);
    io_test_make_dir(dir);
    snprintf(cache, sizeof cache, "%s/cache", dir);
    loop = loop_create(NULL);
    background = loop ? background_create(loop) : NULL;
    if (!background)
        return -1;
    open_store(100 * MB);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    track_store_destroy(store);
    background_destroy(background);
    loop_destroy(loop);
    io_test_remove_dir(dir);
    return 0;
}

static void append(struct track_file *file, char byte, int64_t bytes)
{
    char buffer[10000];
    memset(buffer, byte, sizeof buffer);
    while (bytes > 0) {
        int64_t now = bytes < (int64_t)sizeof buffer ? bytes : (int64_t)sizeof buffer;
        assert_int_equal(track_file_append(file, buffer, now), 0);
        bytes -= now;
    }
}

static void assert_content(const struct track_file *file, char byte, int64_t bytes)
{
    char buffer[4096];
    assert_int_equal(track_file_bytes(file), bytes);
    for (int64_t at = 0; at < bytes;) {
        ssize_t got = pread(track_file_fd(file), buffer, sizeof buffer, at);
        assert_true(got > 0);
        for (ssize_t i = 0; i < got && at + i < bytes; i++)
            assert_int_equal(buffer[i], byte);
        at += got;
    }
}

static void download(const char *url, char byte, int64_t bytes)
{
    struct track_file *file = track_store_begin(store, url);
    assert_non_null(file);
    track_file_truncate(file);
    append(file, byte, bytes);
    track_file_set_validators(file, "\"tag\"", "then");
    track_file_commit(file);
    track_file_close(file);
}

static bool has(const char *url)
{
    struct track_file *file = track_store_open(store, url);
    track_file_close(file);
    return file != NULL;
}

static const char *url_of(int i)
{
    static char url[4][64];
    static int next;
    char *to = url[next++ % 4];
    snprintf(to, sizeof url[0], "http://127.0.0.1/%d.mp3", i);
    return to;
}

static int count_files(const char *suffix)
{
    int count = 0;
    DIR *files = opendir(cache);
    const struct dirent *entry;
    while (files && (entry = readdir(files))) {
        size_t length = strlen(entry->d_name), wanted = strlen(suffix);
        count += length > wanted && strcmp(entry->d_name + length - wanted, suffix) == 0;
    }
    if (files)
        closedir(files);
    return count;
}

/* --- one track --- */

static void a_committed_track_is_found_at_once_and_later(void **state)
{
    (void)state;
    assert_null(track_store_open(store, URL));
    download(URL, 'a', 123456);
    struct track_file *file = track_store_open(store, URL); /* not synced yet, perhaps */
    assert_non_null(file);
    assert_true(track_file_complete(file));
    assert_content(file, 'a', 123456);
    track_file_close(file);
    restart(100 * MB);
    file = track_store_open(store, URL);
    assert_non_null(file);
    assert_content(file, 'a', 123456);
    assert_string_equal(track_file_etag(file), "\"tag\"");
    assert_string_equal(track_file_last_modified(file), "then");
    track_file_close(file);
    assert_null(track_store_open(store, URL "x"));
    assert_true(track_store_touch(store, URL));
    assert_false(track_store_touch(store, URL "x"));
    assert_int_equal(count_files(".tmp"), 0);
}

static void a_growing_track_can_be_read(void **state)
{
    (void)state;
    struct track_file *file = track_store_begin(store, URL);
    for (int i = 1; i <= 20; i++) {
        append(file, 'g', 5000);
        assert_content(file, 'g', 5000 * i);
    }
    assert_false(track_file_complete(file));
    assert_null(track_store_open(store, URL));
    int fd = track_file_fd(file);
    track_file_commit(file);
    assert_int_equal(track_file_fd(file), fd);
    assert_content(file, 'g', 100000);
    track_file_close(file);
}

static void an_interrupted_download_is_resumed(void **state)
{
    (void)state;
    struct track_file *file = track_store_begin(store, URL);
    append(file, 'p', 30000);
    track_file_set_validators(file, "\"v1\"", "");
    track_file_close(file);
    restart(100 * MB);
    assert_null(track_store_open(store, URL)); /* it is no track */
    assert_int_equal(track_store_usage(store).partial, 1);
    file = track_store_begin(store, URL);
    assert_content(file, 'p', 30000);
    assert_string_equal(track_file_etag(file), "\"v1\"");
    append(file, 'p', 20000);
    track_file_commit(file);
    track_file_close(file);
    settle();
    assert_int_equal(track_store_usage(store).partial, 0);
    assert_int_equal(track_store_usage(store).tracks, 1);
    file = track_store_open(store, URL);
    assert_content(file, 'p', 50000);
    track_file_close(file);
    assert_int_equal(count_files(".part") + count_files(".part.json") + count_files(".tmp"), 0);
}

static void one_without_validators_is_thrown_away(void **state)
{
    (void)state;
    struct track_file *file = track_store_begin(store, URL);
    append(file, 'p', 30000);
    track_file_close(file);
    restart(100 * MB);
    file = track_store_begin(store, URL);
    assert_int_equal(track_file_bytes(file), 0);
    track_file_set_validators(file, "\"v1\"", "");
    append(file, 'p', 100);
    track_file_truncate(file); /* and truncating forgets them */
    append(file, 'p', 100);
    track_file_close(file);
    settle();
    assert_int_equal(count_files(".part"), 0);
}

static void a_changed_track_replaces_the_old_one(void **state)
{
    (void)state;
    download(URL, 'o', 5000);
    settle();
    struct track_file *old = track_store_open(store, URL);
    download(URL, 'n', 7000);
    download(URL, 'm', 8000);       /* before the one before is synced, perhaps */
    assert_content(old, 'o', 5000); /* whoever plays it plays on */
    track_file_close(old);
    restart(100 * MB);
    struct track_file *file = track_store_open(store, URL);
    assert_content(file, 'm', 8000);
    track_file_close(file);
    assert_int_equal(track_store_usage(store).tracks, 1);
}

/* --- damage --- */

static void edit_files(const char *suffix, void (*edit)(const char *path))
{
    DIR *files = opendir(cache);
    const struct dirent *entry;
    int edited = 0;
    while ((entry = readdir(files))) {
        char path[400];
        size_t length = strlen(entry->d_name), wanted = strlen(suffix);
        if (length < wanted || strcmp(entry->d_name + length - wanted, suffix) != 0)
            continue;
        snprintf(path, sizeof path, "%s/%s", cache, entry->d_name);
        edit(path);
        edited++;
    }
    closedir(files);
    assert_true(edited > 0);
}

static void use_in_2400(const char *path)
{
    const struct timespec times[2] = {{.tv_sec = INT64_C(13569465600)}, {.tv_nsec = UTIME_OMIT}};
    assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
}

/* On a disk that was written by a clock gone wrong: it does not fit into nanoseconds. */
static void a_last_use_far_in_the_future_is_none(void **state)
{
    (void)state;
    download(url_of(1), 'a', 2 * MB);
    settle();
    edit_files(".track", use_in_2400);
    restart(100 * MB);
    download(url_of(2), 'b', 2 * MB);
    restart(3 * MB); /* room for one */
    settle();
    assert_false(has(url_of(1)));
    assert_true(has(url_of(2)));
}

static void put_odd_validators(const char *path)
{
    char text[600] = "";
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t got = read(fd, text, sizeof text - 1);
    close(fd);
    assert_true(got > 0);
    char *etag = strstr(text, "v1"), *modified = strstr(text, "then");
    assert_true(etag && modified);
    memcpy(etag, "\\b", 2);
    memcpy(modified, "a\\rb", 4);
    io_test_write_file(path, text, 0644);
}

/* What cannot be sent back to the server vouches for nothing. */
static void a_validator_that_is_no_header_is_none(void **state)
{
    (void)state;
    struct track_file *file = track_store_begin(store, URL);
    append(file, 'p', 30000);
    track_file_set_validators(file, "\"v1\"", "then");
    track_file_close(file);
    settle();
    edit_files(".part.json", put_odd_validators);
    restart(100 * MB);
    file = track_store_begin(store, URL);
    assert_string_equal(track_file_etag(file), "");
    assert_string_equal(track_file_last_modified(file), "");
    track_file_close(file);
}

static void shorten(const char *path)
{
    assert_int_equal(truncate(path, 100), 0);
}

static void lengthen(const char *path)
{
    assert_int_equal(truncate(path, 10000), 0);
}

static void spoil(const char *path)
{
    io_test_write_file(path, "{\"url\":", 0644);
}

static void delete (const char *path)
{
    assert_int_equal(unlink(path), 0);
}

static void torn_files_are_never_used(void **state)
{
    (void)state;
    static const struct {
        const char *suffix;
        void (*edit)(const char *path);
    } damages[] = {{".track", shorten},
                   {".track", lengthen},
                   {".json", spoil},
                   {".json", delete},
                   {".track", delete}};
    for (size_t i = 0; i < sizeof damages / sizeof *damages; i++) {
        download(URL, 'a', 5000);
        settle();
        assert_true(has(URL));
        edit_files(damages[i].suffix, damages[i].edit);
        restart(100 * MB);
        assert_false(has(URL));
    }
    download(URL, 'a', 5000);
    settle();
    assert_true(has(URL)); /* and a new download mends everything */
}

static void a_beginning_counts_only_as_far_as_it_was_synced(void **state)
{
    (void)state;
    struct track_file *file = track_store_begin(store, URL);
    append(file, 'p', 5000);
    track_file_set_validators(file, "\"v\"", "");
    track_file_close(file);
    settle();
    edit_files(".part", lengthen);
    file = track_store_begin(store, URL);
    assert_content(file, 'p', 5000);
    track_file_close(file);
    settle();
    edit_files(".part", shorten);
    file = track_store_begin(store, URL);
    assert_int_equal(track_file_bytes(file), 0);
    track_file_close(file);
}

static void crash_while_downloading(void)
{
    pid_t child = fork();
    if (child == 0) {
        struct track_file *file = track_store_begin(store, URL);
        track_file_set_validators(file, "\"v\"", "");
        _exit(file && track_file_append(file, "torn", 4) == 0 ? 0 : 1);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

static void a_crash_leaves_nothing_behind(void **state)
{
    (void)state;
    struct track_file *mine = track_store_begin(store, url_of(1));
    append(mine, 'm', 10);
    crash_while_downloading();
    assert_int_equal(count_files(".tmp"), 2);
    struct track_store *other = track_store_create(background, cache, MB); /* of another speaker */
    assert_int_equal(count_files(".tmp"), 1);                              /* which spares ours */
    track_store_destroy(other);
    append(mine, 'm', 10);
    track_file_commit(mine);
    track_file_close(mine);
    settle();
    assert_true(has(url_of(1)));
    assert_false(has(URL));
}

/* --- room --- */

static void the_least_used_make_room(void **state)
{
    (void)state;
    restart(5000);
    for (int i = 0; i < 5; i++)
        download(url_of(i), 'a', 1000);
    settle();
    assert_int_equal(track_store_usage(store).tracks, 5);
    assert_true(track_store_touch(store, url_of(0))); /* 1 is the oldest now */
    download(url_of(5), 'a', 1000);
    settle(); /* the removal follows the sync */
    assert_false(has(url_of(1)));
    assert_true(has(url_of(0)));
    assert_int_equal(track_store_usage(store).bytes, 5000);
    assert_int_equal(count_files(".track"), 5);
    assert_int_equal(count_files(".json"), 5);
}

/* As when somebody else has filled the disk: not all of them in one callback. */
static void thousands_make_room_a_few_at_a_time(void **state)
{
    (void)state;
    char hash[TRACK_HASH_TEXT];
    for (int i = 0; i < 3000; i++) {
        snprintf(hash, sizeof hash, "%064d", i);
        struct track_entry *entry = track_index_add(store, hash);
        entry->bytes = 1000;
        entry->used = i;
    }
    store->max_bytes = 1000000;
    track_index_evict(store, true);
    assert_in_range(store->jobs, 1, 8);
    settle();
    assert_int_equal(store->count, 1000);
    assert_null(track_index_find(store, "0", false));
    assert_non_null(track_index_find(store, hash, false));
    store->max_bytes = 100 * MB;
}

static void date_to_2100(const char *path)
{
    const struct timespec times[2] = {{.tv_sec = 4102444800}, {.tv_nsec = UTIME_OMIT}};
    assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
}

static void the_order_of_use_survives_a_restart_and_a_wrong_clock(void **state)
{
    (void)state;
    for (int i = 0; i < 5; i++)
        download(url_of(i), 'a', 1000);
    settle();
    edit_files(".track", date_to_2100); /* used before the clock was set right */
    restart(100 * MB);
    for (int i = 4; i >= 0; i--)
        assert_true(track_store_touch(store, url_of(i)));
    restart(3000);
    settle();
    assert_true(has(url_of(0)) && has(url_of(1)) && has(url_of(2)));
    assert_false(has(url_of(3)) || has(url_of(4)));
}

static void what_is_pinned_stays(void **state)
{
    (void)state;
    restart(3000);
    const char *const pinned[] = {"http://127.0.0.1/0.mp3", "http://127.0.0.1/9.mp3", NULL};
    track_store_set_pinned(store, pinned);
    for (int i = 0; i < 8; i++) {
        download(url_of(i), 'a', 1000);
        settle();
        assert_true(has(url_of(0)));
        assert_in_range(track_store_usage(store).bytes, 0, 3000);
    }
    track_store_set_pinned(store, (const char *const[]){NULL});
    assert_true(has(url_of(6)) && has(url_of(7)));
    download(url_of(8), 'a', 2500);
    settle();
    assert_false(has(url_of(0)));
}

static void beginnings_make_room_too(void **state)
{
    (void)state;
    restart(3000);
    struct track_file *file = track_store_begin(store, URL);
    append(file, 'p', 2000);
    track_file_set_validators(file, "\"v\"", "");
    track_file_close(file);
    settle();
    download(url_of(1), 'a', 2000);
    settle();
    assert_int_equal(track_store_usage(store).partial, 0);
    assert_int_equal(count_files(".part") + count_files(".part.json"), 0);
    assert_true(has(url_of(1)));
}

static int listed;

static void note_listed(void *user, const char *url, int64_t bytes)
{
    (void)user;
    assert_non_null(strstr(url, "http://127.0.0.1/"));
    assert_int_equal(bytes, 100);
    listed++;
}

static void tracks_are_listed(void **state)
{
    (void)state;
    for (int i = 0; i < 10; i++)
        download(url_of(i), 'a', 100);
    settle();
    track_store_list(store, note_listed, NULL);
    assert_int_equal(listed, 10);
}

static void foreign_files_are_left_alone(void **state)
{
    (void)state;
    char path[140];
    snprintf(path, sizeof path, "%s/README.track", cache);
    io_test_write_file(path, "mine", 0644);
    restart(0);
    download(URL, 'a', 1000);
    settle();
    assert_int_equal(access(path, F_OK), 0);
    assert_false(has(URL));
}

/* --- memory --- */

static void memory_serves_without_a_directory(void **state)
{
    (void)state;
    track_store_destroy(store);
    store = track_store_create(background, NULL, 3000);
    assert_false(track_store_usage(store).on_disk);
    for (int i = 0; i < 4; i++)
        download(url_of(i), (char)('a' + i), 1000);
    assert_false(has(url_of(0)));
    for (int i = 1; i < 4; i++) {
        struct track_file *file = track_store_open(store, url_of(i));
        assert_content(file, (char)('a' + i), 1000);
        track_file_close(file);
    }
    struct track_file *file = track_store_begin(store, URL);
    append(file, 'x', 100);
    track_file_set_validators(file, "\"v\"", "");
    track_file_close(file); /* in memory, a beginning is not kept */
    file = track_store_begin(store, URL);
    assert_int_equal(track_file_bytes(file), 0);
    track_file_close(file);
}

static void a_directory_that_cannot_be_is_replaced_by_memory(void **state)
{
    (void)state;
    track_store_destroy(store);
    store = track_store_create(background, "/proc/nowhere/cache", 100 * MB);
    assert_non_null(store);
    assert_false(track_store_usage(store).on_disk);
    download(URL, 'a', 1000);
    assert_true(has(URL));
}

static void a_directory_removed_in_between_does_no_harm(void **state)
{
    (void)state;
    struct track_file *file = track_store_begin(store, URL);
    append(file, 'a', 1000);
    io_test_remove_dir(cache);
    append(file, 'a', 1000);
    assert_content(file, 'a', 2000);
    track_file_commit(file);
    track_file_close(file);
    settle();
    restart(100 * MB); /* minutes later, or after a restart */
    download(URL, 'b', 1000);
    restart(100 * MB);
    assert_true(has(URL));
}

/* A small disk, in a mount namespace of our own; false where that is not allowed. */
static bool mount_disk(const char *options)
{
    static bool unshared;
    if (!unshared &&
        (unshare(CLONE_NEWNS) < 0 || mount("none", "/", "none", MS_REC | MS_PRIVATE, NULL) < 0))
        return false;
    unshared = true;
    return mount("tmpfs", cache, "tmpfs", 0, options) == 0;
}

static void a_full_disk_makes_way_to_memory(void **state)
{
    (void)state;
    track_store_destroy(store);
    if (!mount_disk("size=1m")) {
        open_store(MB);
        print_message("no mount namespaces here\n");
        skip();
    }
    open_store(100 * MB);
    struct track_file *file = track_store_begin(store, URL);
    int fd = track_file_fd(file);
    append(file, 'f', 3 * MB);
    assert_int_equal(track_file_fd(file), fd);
    assert_content(file, 'f', 3 * MB); /* what was on disk moved along */
    assert_false(track_store_usage(store).on_disk);
    track_file_commit(file);
    track_file_close(file);
    assert_true(has(URL));
    settle();
    assert_int_equal(count_files(".tmp"), 0);
    restart(100 * MB);
    file = track_store_begin(store, URL);
    append(file, 'f', 1000);
    assert_int_equal(count_files(".tmp"), 1);
    track_file_expect(file, MB / 2); /* it fits */
    assert_int_equal(count_files(".tmp"), 1);
    track_file_expect(file, 3 * MB); /* it will not: moved before it is large */
    settle();
    assert_int_equal(count_files(".tmp"), 0);
    append(file, 'f', 3 * MB - 1000);
    assert_content(file, 'f', 3 * MB);
    track_file_close(file);
    settle();
    track_store_destroy(store);
    assert_int_equal(mount("tmpfs", cache, "tmpfs", MS_REMOUNT | MS_RDONLY, ""), 0);
    open_store(100 * MB);
    download(URL, 'r', 2000); /* read-only: memory at once */
    assert_true(has(URL));
    assert_false(track_store_usage(store).on_disk);
    assert_int_equal(umount(cache), 0);
}

/* --- how much a callback copies --- */

static pthread_t loop_thread;
static bool counts;
static int64_t written_in_loop;

/* Ours instead of libc's: what the loop's thread writes is counted. */
ssize_t pwrite(int fd, const void *from, size_t bytes, off_t at)
{
    if (counts && pthread_equal(pthread_self(), loop_thread))
        written_in_loop += (int64_t)bytes;
    return syscall(SYS_pwrite64, fd, from, bytes, at);
}

ssize_t pwrite64(int fd, const void *from, size_t bytes, off_t at)
{
    return pwrite(fd, from, bytes, at);
}

static int unlinked_in_loop, cut_in_loop;

/* A large file's blocks are given back by whoever removes or cuts it. */
int unlink(const char *path)
{
    if (counts && pthread_equal(pthread_self(), loop_thread))
        unlinked_in_loop++;
    return (int)syscall(SYS_unlinkat, AT_FDCWD, path, 0);
}

int ftruncate(int fd, off_t bytes)
{
    if (counts && pthread_equal(pthread_self(), loop_thread))
        cut_in_loop++;
    return (int)syscall(SYS_ftruncate, fd, bytes);
}

int ftruncate64(int fd, off_t bytes)
{
    return ftruncate(fd, bytes);
}

static ino_t watched;
static int closed_in_loop, closed_beside;

/* Likewise: who closes a certain file. */
int close(int fd)
{
    struct stat status;
    if (counts && watched && fstat(fd, &status) == 0 && status.st_ino == watched) {
        if (pthread_equal(pthread_self(), loop_thread))
            closed_in_loop++;
        else
            closed_beside++;
    }
    return (int)syscall(SYS_close, fd);
}

/* The most that one call has written, beyond what it was given; until it moves. */
static int64_t fill_until_it_moves(struct track_file *file)
{
    char piece[16384];
    int64_t most = 0;
    memset(piece, 'm', sizeof piece);
    while (!track_file_is_moving(file) && track_file_bytes(file) < 64 * MB) {
        written_in_loop = 0;
        assert_int_equal(track_file_append(file, piece, sizeof piece), 0);
        if (written_in_loop - (int64_t)sizeof piece > most)
            most = written_in_loop - (int64_t)sizeof piece;
    }
    return most;
}

static void note_moved(void *user)
{
    *(bool *)user = true;
}

static struct track_file *begin_on_disk(const char *size)
{
    track_store_destroy(store);
    store = NULL;
    mkdir(cache, 0755);
    if (!mount_disk(size)) {
        open_store(MB);
        print_message("no mount namespaces here\n");
        skip();
    }
    open_store(100 * MB);
    loop_thread = pthread_self();
    counts = true;
    struct track_file *file = track_store_begin(store, URL);
    assert_non_null(file);
    track_file_set_validators(file, "\"v\"", "");
    return file;
}

static struct track_file *begin_on_small_disk(void)
{
    return begin_on_disk("size=24m");
}

static void leave_small_disk(void)
{
    counts = false;
    settle();
    track_store_destroy(store);
    assert_int_equal(umount(cache), 0);
    open_store(100 * MB);
}

static void a_large_track_moves_beside_the_loop(void **state)
{
    (void)state;
    struct track_file *file = begin_on_small_disk();
    bool moved = false;
    track_file_when_moved(file, note_moved, &moved);
    int64_t most = fill_until_it_moves(file);
    int64_t there = track_file_bytes(file);
    assert_true(track_file_is_moving(file));
    assert_true(there >= 20 * MB);
    assert_true(most <= MB);
    assert_content(file, 'm', there); /* to be read all the time */
    assert_int_equal(track_file_append(file, "mmmm", 4), 0);
    written_in_loop = 0;
    assert_comes_true(loop, &moved);
    assert_true(written_in_loop <= MB);
    assert_false(track_file_is_moving(file));
    assert_int_equal(track_file_bytes(file), there + 16384 + 4); /* with what was held */
    append(file, 'm', 100);
    assert_content(file, 'm', there + 16384 + 104);
    assert_int_equal(count_files(".tmp"), 0);
    track_file_commit(file);
    track_file_close(file);
    assert_true(has(URL));
    leave_small_disk();
}

/* Hundreds of megabytes take tens of milliseconds to be given back. */
static void the_memory_of_a_large_track_is_given_back_beside_the_loop(void **state)
{
    (void)state;
    struct stat status;
    track_store_destroy(store);
    store = track_store_create(background, NULL, 10 * MB);
    loop_thread = pthread_self();
    struct track_file *file = track_store_begin(store, URL);
    append(file, 'm', 8 * MB);
    assert_int_equal(fstat(track_file_fd(file), &status), 0);
    watched = status.st_ino;
    closed_in_loop = closed_beside = 0;
    counts = true;
    track_file_commit(file);
    track_file_close(file);
    download(url_of(1), 'n', 8 * MB); /* for which the other must go */
    settle();
    counts = false;
    watched = 0;
    assert_false(has(URL));
    assert_int_equal(closed_in_loop, 0);
    assert_int_equal(closed_beside, 2); /* the file's, and the store's */
}

static bool does_not_move(void *user)
{
    return !track_file_is_moving(user);
}

/* As a download does: it waits while the file moves. */
static void append_in_turn(struct track_file *file, char byte, int64_t bytes)
{
    for (; bytes > 0; bytes -= 10000) {
        append(file, byte, bytes < 10000 ? bytes : 10000);
        assert_true(io_test_run(loop, does_not_move, file, IO_TEST_LIMIT_NS));
    }
}

static void expect_on_disk(const char *url, char byte, int64_t bytes)
{
    struct track_file *file = track_store_open(store, url);
    assert_non_null(file);
    assert_content(file, byte, bytes);
    track_file_close(file);
    assert_true(track_store_usage(store).on_disk);
}

/* Large enough to leave the reserve alone; then something else comes and takes all but so much. */
static struct track_file *begin_on_crowded_disk(int64_t left)
{
    char path[140];
    struct track_file *file = begin_on_disk("size=96m");
    track_store_set_pinned(store, (const char *const[]){URL, url_of(3), NULL});
    for (int i = 0; i < 4; i++)
        download(url_of(i), 'o', 5 * MB);
    settle();
    snprintf(path, sizeof path, "%s/else", cache);
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
    assert_int_equal(posix_fallocate(fd, 0, track_index_free_bytes(store) - left), 0);
    close(fd);
    return file;
}

static void on_a_full_disk_others_go_beside_the_loop(void **state)
{
    (void)state;
    for (int told = 0; told < 2; told++) {
        struct track_file *file = begin_on_crowded_disk(5 * MB);
        unlinked_in_loop = cut_in_loop = 0;
        if (told) {
            assert_int_equal(track_file_expect(file, 9 * MB), 0);
            assert_true(track_file_is_moving(file));
            assert_int_equal(track_file_expect(file, 9 * MB), 0); /* by another call */
            assert_true(io_test_run(loop, does_not_move, file, IO_TEST_LIMIT_NS));
            assert_false(has(url_of(0)));
        }
        append_in_turn(file, 'n', 9 * MB);
        assert_false(has(url_of(0)));
        assert_true(has(url_of(1)) && has(url_of(3)));
        assert_content(file, 'n', 9 * MB);
        assert_true(track_store_usage(store).on_disk);
        track_file_commit(file);
        track_file_close(file);
        settle();
        expect_on_disk(URL, 'n', 9 * MB);
        assert_int_equal(unlinked_in_loop, 0);
        assert_int_equal(cut_in_loop, 0);
        leave_small_disk();
    }
}

/* It goes on in memory, with what was held; what is pinned stays. */
static void where_that_does_not_help_memory_serves(void **state)
{
    (void)state;
    for (int told = 0; told < 2; told++) {
        struct track_file *file = begin_on_crowded_disk(5 * MB);
        if (told)
            assert_int_equal(track_file_expect(file, 40 * MB), 0);
        append_in_turn(file, 'n', 40 * MB);
        assert_content(file, 'n', 40 * MB);
        assert_false(track_store_usage(store).on_disk);
        assert_false(has(url_of(0)) || has(url_of(1)) || has(url_of(2)));
        assert_true(has(url_of(3)));
        track_file_close(file);
        leave_small_disk();
    }
}

static void room_that_is_made_may_be_left(void **state)
{
    (void)state;
    for (int emptied = 0; emptied < 2; emptied++) {
        struct track_file *file = begin_on_crowded_disk(5 * MB);
        append(file, 'n', MB);
        assert_int_equal(track_file_expect(file, 9 * MB), 0);
        assert_true(track_file_is_moving(file));
        append(file, 'n', 1000);
        if (emptied) {
            track_file_truncate(file); /* and it stays on the disk */
            assert_false(track_file_is_moving(file));
            append(file, 'm', 1000);
            assert_content(file, 'm', 1000);
            track_file_set_validators(file, "\"v\"", "");
        }
        track_file_close(file);
        settle();
        assert_int_equal(count_files(".part"), 1);
        leave_small_disk();
    }
}

/* A beginning that is longer than what vouches for it is cut when it is kept. */
static void what_was_taken_over_is_cut_beside_the_loop(void **state)
{
    (void)state;
    struct track_file *file = track_store_begin(store, URL);
    append(file, 'p', 5000);
    track_file_set_validators(file, "\"v\"", "");
    track_file_close(file);
    settle();
    edit_files(".part", lengthen);
    loop_thread = pthread_self();
    unlinked_in_loop = cut_in_loop = 0;
    counts = true;
    file = track_store_begin(store, URL);
    assert_content(file, 'p', 5000);
    append(file, 'p', 100);
    track_file_commit(file);
    track_file_close(file);
    settle();
    counts = false;
    assert_int_equal(unlinked_in_loop, 0);
    assert_int_equal(cut_in_loop, 0);
    restart(100 * MB);
    expect_on_disk(URL, 'p', 5100);
}

static void a_track_that_moves_may_be_emptied(void **state)
{
    (void)state;
    struct track_file *file = begin_on_small_disk();
    fill_until_it_moves(file);
    track_file_truncate(file);
    assert_false(track_file_is_moving(file));
    assert_int_equal(track_file_bytes(file), 0);
    append(file, 'n', 1000);
    settle();
    assert_content(file, 'n', 1000);
    track_file_close(file);
    leave_small_disk();
}

static void a_track_that_moves_may_be_closed(void **state)
{
    (void)state;
    struct track_file *file = begin_on_small_disk();
    fill_until_it_moves(file);
    track_file_close(file); /* a beginning, on the disk */
    settle();
    file = track_store_begin(store, URL);
    assert_int_equal(track_file_bytes(file), 0); /* in memory: the disk has failed */
    track_file_close(file);
    assert_int_equal(count_files(".tmp"), 0);
    leave_small_disk();
}

static int fill_to_the_end(struct track_file *file, int64_t most)
{
    static char piece[16384];
    int result = 0;
    while (result == 0 && track_file_bytes(file) < most)
        result = track_file_append(file, piece, sizeof piece);
    return result;
}

/* --- how much of the memory tracks may take --- */

static void a_growing_track_keeps_to_the_memory_of_tracks(void **state)
{
    (void)state;
    track_store_destroy(store);
    store = track_store_create(background, NULL, 10 * MB);
    download(url_of(1), 'a', 6 * MB);
    struct track_file *file = track_store_begin(store, URL);
    assert_int_equal(track_file_expect(file, 11 * MB), -ENOSPC);
    assert_true(has(url_of(1))); /* nothing goes for what cannot be */
    track_file_call_ended(file);
    assert_int_equal(fill_to_the_end(file, 20 * MB), -ENOSPC);
    assert_in_range(track_file_bytes(file), 10 * MB - 16384, 10 * MB);
    assert_false(has(url_of(1))); /* it made room */
    assert_int_equal(track_file_append(file, "x", 0), 0);
    track_file_truncate(file);
    append(file, 'b', 5 * MB);
    assert_content(file, 'b', 5 * MB);
    track_file_commit(file);
    track_file_close(file);
    assert_true(has(URL));
    assert_int_equal(store->growing_bytes, 0);
}

static void what_is_pinned_leaves_a_share_to_the_current_track(void **state)
{
    (void)state;
    track_store_destroy(store);
    store = track_store_create(background, NULL, 10 * MB);
    download("http://127.0.0.1/next", 'n', 6 * MB);
    track_store_set_pinned(store, (const char *const[]){URL, "http://127.0.0.1/next", NULL});
    struct track_file *other = track_store_begin(store, url_of(2));
    assert_int_equal(track_file_expect(other, 5 * MB), -ENOSPC);
    track_file_close(other);
    struct track_file *file = track_store_begin(store, URL);
    assert_int_equal(track_file_expect(file, 9 * MB), 0);
    append(file, 'c', 9 * MB);
    assert_true(has("http://127.0.0.1/next"));
    track_file_close(file);
}

static void a_full_disk_moves_no_more_into_memory_than_that(void **state)
{
    (void)state;
    struct track_file *file = begin_on_small_disk();
    store->max_memory_bytes = 8 * MB;
    assert_int_equal(fill_to_the_end(file, 64 * MB), -ENOSPC);
    assert_false(track_file_is_moving(file));
    assert_true(track_file_bytes(file) >= 20 * MB); /* what has arrived stays */
    assert_int_equal(count_files(".tmp"), 1);
    int64_t there = track_file_bytes(file);
    track_file_call_ended(file);
    assert_int_equal(track_file_expect(file, 64 * MB), -ENOSPC);
    assert_int_equal(track_file_bytes(file), there);
    track_file_close(file);
    settle();
    assert_int_equal(count_files(".part"), 1);
    leave_small_disk();
}

/* Its blocks are given back beside the loop, and whoever reads the file keeps its number. */
static void a_large_track_is_emptied_beside_the_loop(void **state)
{
    (void)state;
    for (int in_memory = 0; in_memory < 2; in_memory++) {
        struct stat before, after;
        track_store_destroy(store);
        store = track_store_create(background, in_memory ? NULL : cache, 100 * MB);
        struct track_file *file = track_store_begin(store, URL);
        int fd = track_file_fd(file);
        append(file, 'l', 8 * MB);
        assert_int_equal(fstat(fd, &before), 0);
        track_file_truncate(file);
        assert_int_equal(fstat(fd, &after), 0);
        assert_int_not_equal(before.st_ino, after.st_ino);
        assert_int_equal(track_file_fd(file), fd);
        assert_int_equal(store->jobs, in_memory ? 1 : 2); /* which close and remove it */
        append(file, 'n', 1000);
        assert_content(file, 'n', 1000);
        settle();
        assert_int_equal(count_files(".tmp"), in_memory ? 0 : 1);
        track_file_commit(file);
        track_file_close(file);
        settle();
        assert_true(has(URL));
    }
}

/* --- limits of ours --- */

static void download_many(int count, int64_t limit)
{
    for (int i = 0; i < count; i++) {
        download(url_of(i), 'a', 100);
        if (i % 50 == 0)
            settle();
    }
    settle();
    assert_in_range(track_store_usage(store).bytes, 1, limit);
}

static void thousands_of_tracks_leak_nothing(void **state)
{
    (void)state;
    int before = dup(0);
    close(before);
    restart(2000);
    download_many(300, 2000);
    assert_in_range(count_files(".track"), 1, 20);
    assert_in_range(count_files(".json"), 1, 20);
    track_store_destroy(store);
    store = track_store_create(background, NULL, 2000);
    download_many(10000, 2000);
    track_store_destroy(store);
    open_store(2000);
    int after = dup(0);
    close(after);
    assert_int_equal(after, before);
}

static void jobs_may_outlive_the_store(void **state)
{
    (void)state;
    for (int i = 0; i < 20; i++)
        download(url_of(i), 'a', 1000);
    track_store_destroy(store);
    background_destroy(background);
    background = background_create(loop);
    open_store(100 * MB);
    for (int i = 0; i < 20; i++)
        assert_true(has(url_of(i)));
    track_store_destroy(NULL);
    track_file_close(NULL);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_committed_track_is_found_at_once_and_later),
        TEST(a_growing_track_can_be_read),
        TEST(an_interrupted_download_is_resumed),
        TEST(one_without_validators_is_thrown_away),
        TEST(a_changed_track_replaces_the_old_one),
        TEST(a_last_use_far_in_the_future_is_none),
        TEST(a_validator_that_is_no_header_is_none),
        TEST(torn_files_are_never_used),
        TEST(a_beginning_counts_only_as_far_as_it_was_synced),
        TEST(a_crash_leaves_nothing_behind),
        TEST(the_least_used_make_room),
        TEST(thousands_make_room_a_few_at_a_time),
        TEST(the_order_of_use_survives_a_restart_and_a_wrong_clock),
        TEST(what_is_pinned_stays),
        TEST(beginnings_make_room_too),
        TEST(tracks_are_listed),
        TEST(foreign_files_are_left_alone),
        TEST(memory_serves_without_a_directory),
        TEST(a_directory_that_cannot_be_is_replaced_by_memory),
        TEST(a_directory_removed_in_between_does_no_harm),
        TEST(a_full_disk_makes_way_to_memory),
        TEST(a_large_track_moves_beside_the_loop),
        TEST(the_memory_of_a_large_track_is_given_back_beside_the_loop),
        TEST(on_a_full_disk_others_go_beside_the_loop),
        TEST(where_that_does_not_help_memory_serves),
        TEST(room_that_is_made_may_be_left),
        TEST(what_was_taken_over_is_cut_beside_the_loop),
        TEST(a_track_that_moves_may_be_emptied),
        TEST(a_track_that_moves_may_be_closed),
        TEST(a_growing_track_keeps_to_the_memory_of_tracks),
        TEST(what_is_pinned_leaves_a_share_to_the_current_track),
        TEST(a_full_disk_moves_no_more_into_memory_than_that),
        TEST(a_large_track_is_emptied_beside_the_loop),
        TEST(thousands_of_tracks_leak_nothing),
        TEST(jobs_may_outlive_the_store),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
