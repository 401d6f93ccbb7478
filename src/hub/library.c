/*
 * library.c: see library.h. The thread that scans writes the index by a connection of its own; the
 * loop and the thread that searches read it by theirs.
 */
#include "library.h"

#include "hub_clock.h"
#include "library_file.h"
#include "library_scan.h"
#include "library_uploads.h"
#include "library_watch.h"
#include "tutti/base/log.h"
#include "tutti/base/units.h"
#include "tutti/io/background.h"
#include "wire.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#define INDEX_FILE "library.sqlite"
#define HUB_FILE "hub.sqlite"
#define PATH_BYTES 1024
/* A file that is being copied changes many times: it is looked at when it was left alone. */
#define QUIET_MS 1000
/* But where there is no rest, as in a copy of thousands, what is there so far is looked at. */
#define RESTLESS_NS (5 * NS_PER_S)
/* What tells nothing by itself is looked through so often. */
#define LOOK_AGAIN_MS (15 * 60 * 1000)
/* How long a thread that waits for a disk is waited for. */
#define PATIENCE_S 10
#define READING_PATIENCE_NS (2 * NS_PER_S)
/* Folders; each costs the kernel a kilobyte. */
#define WATCHES_MAX 16384
#define DIRECTORIES_TEXT_MAX 4096

struct library {
    char index_path[PATH_BYTES];
    char hub_path[PATH_BYTES];
    char text[DIRECTORIES_TEXT_MAX]; /* of the directories, cut at their ends */
    const char *directories[LIBRARY_DIRECTORIES_MAX + 1];
    int64_t tracks_max;
    library_read_fn read;
    void *read_user;

    pthread_t thread;
    int wake; /* eventfd */
    atomic_bool stop;
    atomic_bool usable;   /* there is an index to be read */
    atomic_bool complete; /* all of it has been gone through once */
    atomic_bool again;    /* everything is to be looked at */
    atomic_bool uploads;  /* those are */

    struct library_index *own; /* the loop's */
    struct background *searching;
    struct background *reading;     /* of files: a share that hangs holds up no search */
    struct library_index *searched; /* its thread's */
    void (*wake_loop)(void *user);
    void *wake_user;
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
    struct library *library;
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
    struct library *library = scanner->library;
    scanner->unwatched = false;
    if (library_scan_forget_others(&scanner->scan, library->directories) < 0)
        log_warn("library: directories of before cannot be forgotten now");
    for (const char *const *root = library->directories; *root && !library->stop; root++) {
        begin(scanner);
        int result = library_scan_root(&scanner->scan, *root);
        scanner->unwatched = scanner->unwatched || result < 0;
        say_how_it_went(&scanner->scan, *root, result);
    }
    if (scanner->unwatched && !scanner->said_so && !library->stop) {
        log_info("library: not every folder can be watched for changes (too many, or on a network "
                 "share): all is looked through every 15 minutes");
        scanner->said_so = true;
    }
    if (!library->stop)
        library->complete = true;
}

static void scan_changed(struct scanner *scanner)
{
    char path[LIBRARY_PATH_MAX];
    const char *root;
    while (!scanner->library->stop &&
           library_watch_next(scanner->watch, &root, path, sizeof path)) {
        begin(scanner);
        int result = library_scan_folder(&scanner->scan, root, path);
        if (result == -ENOENT || result == -ENOTDIR)
            continue; /* it has gone; what it was in tells */
        say_how_it_went(&scanner->scan, root, result);
    }
}

static void sync_uploads(struct scanner *scanner)
{
    struct library *library = scanner->library;
    if (library_uploads_sync(scanner->index, library->hub_path) < 0)
        log_warn("library: what was uploaded cannot be looked through now");
}

/* True: it happened before the time was over. */
static bool wait_for(int fd, int other_fd, int timeout_ms)
{
    struct pollfd fds[] = {{.fd = fd, .events = POLLIN}, {.fd = other_fd, .events = POLLIN}};
    return poll(fds, 2, timeout_ms) > 0;
}

static void take_wake(struct library *library)
{
    uint64_t value;
    ssize_t got = read(library->wake, &value, sizeof value);
    (void)got; /* nothing there is fine */
}

/* Until it has been quiet, or for long enough; what is asked for from elsewhere does not wait. */
static void gather_changes(struct scanner *scanner)
{
    struct library *library = scanner->library;
    int64_t until = hub_clock_steady_ns() + RESTLESS_NS;
    do {
        take_wake(library);
        if (!library_watch_read(scanner->watch))
            library->again = true;
    } while (!library->stop && !library->uploads && hub_clock_steady_ns() < until &&
             wait_for(library_watch_fd(scanner->watch), library->wake, QUIET_MS));
}

static void look_round(struct scanner *scanner)
{
    struct library *library = scanner->library;
    int watch_fd = scanner->watch ? library_watch_fd(scanner->watch) : -1;
    bool told = library->uploads ||
                wait_for(watch_fd, library->wake, scanner->unwatched ? LOOK_AGAIN_MS : -1);
    take_wake(library);
    if (library->stop)
        return;
    if (library->uploads) {
        library->uploads = false;
        sync_uploads(scanner);
    }
    if (scanner->watch)
        gather_changes(scanner);
    if (library->again || !told) {
        library->again = false;
        scan_all(scanner);
    } else if (scanner->watch) {
        scan_changed(scanner);
    }
}

static void *keep_up(void *user)
{
    struct library *library = user;
    struct scanner scanner = {.library = library};
    scanner.index = library_index_create(library->index_path);
    if (!scanner.index)
        return NULL;
    scanner.watch = library_watch_create(WATCHES_MAX);
    scanner.scan = (struct library_scan){.index = scanner.index,
                                         .read = library->read,
                                         .read_user = library->read_user,
                                         .tracks_max = library->tracks_max,
                                         .stop = &library->stop,
                                         .entered = entered,
                                         .user = &scanner};
    library->usable = true;
    sync_uploads(&scanner);
    scan_all(&scanner);
    while (!library->stop)
        look_round(&scanner);
    library_watch_destroy(scanner.watch);
    library_index_close(scanner.index);
    return NULL;
}

/* Signals are for the loop. */
static bool start_thread(struct library *library)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    bool started = pthread_create(&library->thread, NULL, keep_up, library) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return started;
}

static void wake_thread(struct library *library)
{
    uint64_t one = 1;
    ssize_t written = write(library->wake, &one, sizeof one);
    (void)written; /* an eventfd takes more than anybody asks for */
}

/* --- its life ------------------------------------------------------------------------------ */

static void tell_loop(void *user)
{
    const struct library *library = user;
    if (library->wake_loop)
        library->wake_loop(library->wake_user);
}

static void release(struct library *library)
{
    background_destroy(library->reading);
    background_destroy(library->searching);
    library_index_close(library->searched);
    library_index_close(library->own);
    if (library->wake >= 0)
        close(library->wake);
    free(library);
}

struct library *library_create(const struct library_config *config)
{
    struct library *library = calloc(1, sizeof *library);
    if (!library)
        return NULL;
    snprintf(library->index_path, PATH_BYTES, "%s/" INDEX_FILE, config->data_directory);
    snprintf(library->hub_path, PATH_BYTES, "%s/" HUB_FILE, config->data_directory);
    snprintf(library->text, sizeof library->text, "%s", config->directories);
    library->tracks_max = config->tracks_max;
    library->read = config->read;
    library->read_user = config->read_user;
    library->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    library->searching = background_create_woken(tell_loop, library);
    library->reading = background_create_woken(tell_loop, library);
    if (library->reading)
        background_set_patience(library->reading, READING_PATIENCE_NS);
    if (split(library->text, library->directories) >= 0 && library->wake >= 0 &&
        library->searching && library->reading && start_thread(library))
        return library;
    log_error("library: it cannot be begun; there is none");
    release(library);
    return NULL;
}

void library_destroy(struct library *library)
{
    if (!library)
        return;
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += PATIENCE_S;
    library->stop = true;
    wake_thread(library);
    if (pthread_timedjoin_np(library->thread, NULL, &until) == 0)
        release(library);
    else /* a share that hangs: the thread is left to itself, and the process is about to end */
        log_warn("library: a directory does not answer");
}

void library_uploads_changed(struct library *library)
{
    if (!library)
        return;
    library->uploads = true;
    wake_thread(library);
}

bool library_is_complete(const struct library *library)
{
    return library->complete;
}

void library_wake_by(struct library *library, void (*wake)(void *user), void *user)
{
    library->wake_user = user;
    library->wake_loop = wake;
}

/* --- one track ----------------------------------------------------------------------------- */

/* An index for reading, of whoever keeps it in *own. NULL: there is none yet. */
static struct library_index *index_of(struct library *library, struct library_index **own)
{
    if (!*own && library->usable)
        *own = library_index_open(library->index_path);
    return *own;
}

static void name_media(const struct library_track *track, char *to, size_t size)
{
    char version[LIBRARY_VERSION_MAX], ending[8];
    if (strcmp(track->root, LIBRARY_UPLOADS) == 0) {
        snprintf(to, size, "uploads/%s", track->path);
        return;
    }
    library_file_version(&track->stamp, version);
    formats_ending(track->reading.kind, ending);
    snprintf(to, size, LIBRARY_FOLDER "%s-%s.%s", track->key, version, ending);
}

/* What is not there may still be found, as long as not all was gone through. */
static int find(struct library *library, const char *key, struct library_track *ret)
{
    struct library_index *index = index_of(library, &library->own);
    int result = index ? library_index_find(index, key, ret) : 0;
    return result == 0 && !library->complete ? -EAGAIN : result;
}

int library_find(struct library *library, const char *key, struct library_track *ret,
                 char *media_path, size_t size)
{
    int result = find(library, key, ret);
    if (result == 1)
        name_media(ret, media_path, size);
    return result;
}

bool library_key_of(const char *media_path, char key[LIBRARY_KEY_MAX])
{
    size_t before = strlen(LIBRARY_FOLDER);
    if (strncmp(media_path, LIBRARY_FOLDER, before) != 0)
        return false;
    const char *name = media_path + before;
    if (strspn(name, "0123456789abcdef") != LIBRARY_KEY_MAX - 1)
        return false;
    snprintf(key, LIBRARY_KEY_MAX, "%s", name);
    return true;
}

int library_open(const struct library_track *track, struct library_stamp *ret)
{
    struct stat status;
    int root = library_file_open_root(track->root);
    if (root < 0) /* its disk is away: the track is not gone */
        return root == -ENOENT ? -EIO : root;
    int fd = library_file_open(root, track->path, &status);
    close(root);
    if (fd < 0)
        return fd;
    *ret = library_file_stamp(&status);
    if (library_stamp_same(ret, &track->stamp))
        return fd;
    close(fd);
    return -ESTALE;
}

int library_locate(struct library *library, const char *media_path, struct library_track *ret)
{
    char key[LIBRARY_KEY_MAX], now[128];
    int result = library_key_of(media_path, key) ? find(library, key, ret) : 0;
    if (result != 1)
        return result;
    name_media(ret, now, sizeof now);
    return strcmp(now, media_path) == 0 ? 1 : -ESTALE;
}

bool library_read_beside(struct library *library, void (*work)(void *job), void (*done)(void *job),
                         void *job)
{
    return background_try(library->reading, work, done, job);
}

/* --- searching ----------------------------------------------------------------------------- */

struct library_search {
    struct library *library;
    struct library_query query;
    cJSON *tracks;
    int64_t total; /* of all; < 0: not known */
    int64_t seen;
    int result;
    void (*done)(void *user, cJSON *found); /* NULL: nobody waits any more */
    void *user;
};

/* One more than is wanted is asked for: whether there is more. */
static void add_found(void *user, const struct library_track *track)
{
    struct library_search *search = user;
    if (++search->seen < search->query.limit)
        cJSON_AddItemToArray(search->tracks, wire_track(track));
}

static void run_search(void *job)
{
    struct library_search *search = job;
    struct library *library = search->library;
    struct library_index *index = index_of(library, &library->searched);
    search->total = 0;
    search->result = 0;
    search->tracks = cJSON_CreateArray();
    if (!index)
        return;
    search->query.limit++;
    search->result = library_index_search(index, &search->query, add_found, search);
    if (search->result == 0)
        search->result = library_index_count(index, NULL, &search->total);
}

static cJSON *take_found(struct library_search *search)
{
    const struct library_query *query = &search->query;
    bool more = search->seen > 0 && search->seen >= query->limit;
    if (search->result < 0)
        return NULL;
    cJSON *found = cJSON_CreateObject();
    cJSON_AddItemToObject(found, "tracks", search->tracks);
    search->tracks = NULL;
    if (more)
        cJSON_AddNumberToObject(found, "next", (double)(query->after + query->limit - 1));
    else
        cJSON_AddNullToObject(found, "next");
    cJSON_AddNumberToObject(found, "total", (double)search->total);
    cJSON_AddBoolToObject(found, "complete", search->library->complete);
    return found;
}

static void end_search(void *job)
{
    struct library_search *search = job;
    if (search->done)
        search->done(search->user, take_found(search));
    cJSON_Delete(search->tracks);
    free(search);
}

struct library_search *library_search(struct library *library, const struct library_query *query,
                                      void (*done)(void *user, cJSON *found), void *user)
{
    struct library_search *search = calloc(1, sizeof *search);
    if (!search)
        return NULL;
    search->library = library;
    search->query = *query;
    search->done = done;
    search->user = user;
    if (background_try(library->searching, run_search, end_search, search))
        return search;
    free(search);
    return NULL;
}

void library_search_forget(struct library_search *search)
{
    search->done = NULL;
}

void library_finish(struct library *library)
{
    background_finish(library->searching);
    background_finish(library->reading);
}
