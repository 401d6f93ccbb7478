/*
 * library_keeper.c: see library_keeper.h. The index is written by a connection of the thread's own.
 */
#include "library_keeper.h"

#include "hub_clock.h"
#include "library_scan.h"
#include "library_uploads.h"
#include "library_watch.h"
#include "tutti/base/log.h"
#include "tutti/base/units.h"
#include "tutti/io/thread.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#define PATH_BYTES 1024
/* A file that is being copied changes many times: it is looked at when it was left alone. */
#define QUIET_MS 1000
/* But where there is no rest, as in a copy of thousands, what is there so far is looked at. */
#define RESTLESS_NS (5 * NS_PER_S)
/* What tells nothing by itself is looked through so often. */
#define LOOK_AGAIN_MS (15 * 60 * 1000)
/* How long the thread is waited for that waits for a disk. */
#define PATIENCE_S 10
/* Folders; each costs the kernel a kilobyte. */
#define WATCHES_MAX 16384
#define DIRECTORIES_TEXT_MAX 4096

struct library_keeper {
    char index_path[PATH_BYTES];
    char hub_path[PATH_BYTES];
    char text[DIRECTORIES_TEXT_MAX]; /* of the directories, cut at their ends */
    const char *directories[LIBRARY_DIRECTORIES_MAX + 1];
    int64_t tracks_max;
    library_read_fn read;
    void *read_user;
    struct covers *covers;

    pthread_t thread;
    int wake; /* eventfd */
    atomic_bool stop;
    atomic_bool usable;
    atomic_bool complete;
    atomic_bool again;   /* everything is to be looked at */
    atomic_bool uploads; /* those are */
};

/* --- directories --------------------------------------------------------------------------- */

/* Cuts the text; NULL at the end. -1: they are no such list. */
static int split(char *text, const char *ret[LIBRARY_DIRECTORIES_MAX + 1])
{
    int count = 0;
    for (char *next = text; next;) {
        char *path = next + strspn(next, " ");
        next = strchr(path, ',');
        if (next)
            *next++ = '\0';
        size_t length = strlen(path);
        while (length > 1 && (path[length - 1] == ' ' || path[length - 1] == '/'))
            path[--length] = '\0';
        if (!*path)
            continue;
        if (path[0] != '/' || length >= 2 * LIBRARY_TEXT_MAX || count == LIBRARY_DIRECTORIES_MAX)
            return -1;
        ret[count++] = path;
    }
    ret[count] = NULL;
    return count;
}

bool library_are_directories(const char *text)
{
    char copy[DIRECTORIES_TEXT_MAX];
    const char *directories[LIBRARY_DIRECTORIES_MAX + 1];
    snprintf(copy, sizeof copy, "%s", text);
    return split(copy, directories) >= 0;
}

/* --- the thread that scans ----------------------------------------------------------------- */

struct scanner {
    struct library_keeper *keeper;
    struct library_index *index;
    struct library_watch *watch;
    struct library_scan scan;
    bool unwatched; /* some folder is not watched */
    bool said_so;
};

static void entered(void *user, int64_t folder, const char *root, const char *path, int fd)
{
    struct scanner *scanner = user;
    (void)folder;
    if (!scanner->watch || !library_watch_add(scanner->watch, root, path, fd))
        scanner->unwatched = true;
}

static void say_how_it_went(const struct library_scan *scan, const char *root, int result)
{
    int64_t tracks = 0;
    if (result == -ECANCELED)
        return;
    if (result == -ENODATA)
        log_warn("library: %s is empty: perhaps its disk is not mounted; what is known of it stays",
                 root);
    else if (result < 0)
        log_warn("library: %s cannot be read: %s; what is known of it stays", root,
                 strerror(-result));
    else if (scan->changed > 0 && library_index_count(scan->index, root, &tracks) == 0)
        log_info("library: %s: %lld tracks", root, (long long)tracks);
    if (scan->unread > 0)
        log_warn("library: %s: %lld files and folders cannot be read", root,
                 (long long)scan->unread);
    if (scan->left_out > 0)
        log_warn("library: %s: %lld files or folders are left out: nested more than %d deep, or "
                 "more than [library] tracks",
                 root, (long long)scan->left_out, LIBRARY_DEPTH_MAX);
}

static void begin(struct scanner *scanner)
{
    struct library_scan *scan = &scanner->scan;
    scan->changed = scan->refused = scan->unread = scan->left_out = 0;
}

static void scan_all(struct scanner *scanner)
{
    struct library_keeper *keeper = scanner->keeper;
    scanner->unwatched = false;
    if (library_scan_forget_others(&scanner->scan, keeper->directories) < 0)
        log_warn("library: directories of before cannot be forgotten now");
    for (const char *const *root = keeper->directories; *root && !keeper->stop; root++) {
        begin(scanner);
        int result = library_scan_root(&scanner->scan, *root);
        scanner->unwatched = scanner->unwatched || result < 0;
        say_how_it_went(&scanner->scan, *root, result);
    }
    if (scanner->unwatched && !scanner->said_so && !keeper->stop) {
        log_info("library: not every folder can be watched for changes (too many, or on a network "
                 "share): all is looked through every 15 minutes");
        scanner->said_so = true;
    }
    if (!keeper->stop)
        keeper->complete = true;
}

static void scan_changed(struct scanner *scanner)
{
    char path[LIBRARY_PATH_MAX];
    const char *root;
    while (!scanner->keeper->stop && library_watch_next(scanner->watch, &root, path, sizeof path)) {
        begin(scanner);
        int result = library_scan_folder(&scanner->scan, root, path);
        if (result == -ENOENT || result == -ENOTDIR)
            continue; /* it has gone; what it was in tells */
        say_how_it_went(&scanner->scan, root, result);
    }
}

static void sync_uploads(struct scanner *scanner)
{
    struct library_keeper *keeper = scanner->keeper;
    if (library_uploads_sync(scanner->index, keeper->hub_path) < 0)
        log_warn("library: what was uploaded cannot be looked through now");
}

/* True: it happened before the time was over. */
static bool wait_for(int fd, int other_fd, int timeout_ms)
{
    struct pollfd fds[] = {{.fd = fd, .events = POLLIN}, {.fd = other_fd, .events = POLLIN}};
    return poll(fds, 2, timeout_ms) > 0;
}

static void take_wake(struct library_keeper *keeper)
{
    uint64_t value;
    ssize_t got = read(keeper->wake, &value, sizeof value);
    (void)got; /* nothing there is fine */
}

/* Until it has been quiet, or for long enough; what is asked for from elsewhere does not wait. */
static void gather_changes(struct scanner *scanner)
{
    struct library_keeper *keeper = scanner->keeper;
    int64_t until = hub_clock_steady_ns() + RESTLESS_NS;
    do {
        take_wake(keeper);
        if (!library_watch_read(scanner->watch))
            keeper->again = true;
    } while (!keeper->stop && !keeper->uploads && hub_clock_steady_ns() < until &&
             wait_for(library_watch_fd(scanner->watch), keeper->wake, QUIET_MS));
}

static void look_round(struct scanner *scanner)
{
    struct library_keeper *keeper = scanner->keeper;
    int watch_fd = scanner->watch ? library_watch_fd(scanner->watch) : -1;
    bool told = keeper->uploads ||
                wait_for(watch_fd, keeper->wake, scanner->unwatched ? LOOK_AGAIN_MS : -1);
    take_wake(keeper);
    if (keeper->stop)
        return;
    if (keeper->uploads) {
        keeper->uploads = false;
        sync_uploads(scanner);
    }
    if (scanner->watch)
        gather_changes(scanner);
    if (keeper->again || !told) {
        keeper->again = false;
        scan_all(scanner);
    } else if (scanner->watch) {
        scan_changed(scanner);
    }
}

static void *keep_up(void *user)
{
    struct library_keeper *keeper = user;
    struct scanner scanner = {.keeper = keeper};
    scanner.index = library_index_create(keeper->index_path);
    if (!scanner.index)
        return NULL;
    scanner.watch = library_watch_create(WATCHES_MAX);
    scanner.scan = (struct library_scan){.index = scanner.index,
                                         .read = keeper->read,
                                         .read_user = keeper->read_user,
                                         .tracks_max = keeper->tracks_max,
                                         .covers = keeper->covers,
                                         .stop = &keeper->stop,
                                         .entered = entered,
                                         .user = &scanner};
    keeper->usable = true;
    sync_uploads(&scanner);
    scan_all(&scanner);
    while (!keeper->stop)
        look_round(&scanner);
    library_watch_destroy(scanner.watch);
    library_index_close(scanner.index);
    return NULL;
}

static void wake_thread(struct library_keeper *keeper)
{
    uint64_t one = 1;
    ssize_t written = write(keeper->wake, &one, sizeof one);
    (void)written; /* an eventfd takes more than anybody asks for */
}

/* --- its life ------------------------------------------------------------------------------ */

static void release(struct library_keeper *keeper)
{
    if (keeper->wake >= 0)
        close(keeper->wake);
    free(keeper);
}

struct library_keeper *library_keeper_start(const struct library_keeper_config *config)
{
    struct library_keeper *keeper = calloc(1, sizeof *keeper);
    if (!keeper)
        return NULL;
    snprintf(keeper->index_path, sizeof keeper->index_path, "%s", config->index_path);
    snprintf(keeper->hub_path, sizeof keeper->hub_path, "%s", config->hub_path);
    snprintf(keeper->text, sizeof keeper->text, "%s", config->directories);
    keeper->tracks_max = config->tracks_max;
    keeper->read = config->read;
    keeper->read_user = config->read_user;
    keeper->covers = config->covers;
    keeper->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (split(keeper->text, keeper->directories) >= 0 && keeper->wake >= 0 &&
        thread_start(&keeper->thread, keep_up, keeper))
        return keeper;
    release(keeper);
    return NULL;
}

bool library_keeper_stop(struct library_keeper *keeper)
{
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += PATIENCE_S;
    keeper->stop = true;
    wake_thread(keeper);
    if (pthread_timedjoin_np(keeper->thread, NULL, &until) != 0)
        return false;
    release(keeper);
    return true;
}

void library_keeper_uploads_changed(struct library_keeper *keeper)
{
    keeper->uploads = true;
    wake_thread(keeper);
}

bool library_keeper_is_usable(const struct library_keeper *keeper)
{
    return keeper->usable;
}

bool library_keeper_is_complete(const struct library_keeper *keeper)
{
    return keeper->complete;
}
