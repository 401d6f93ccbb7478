/*
 * library.c: see library.h. library_keeper writes the index by a connection of its own; the loop and
 * the thread that searches read it by theirs.
 */
#include "library.h"

#include "library_file.h"
#include "library_keeper.h"
#include "tutti/base/log.h"
#include "tutti/base/units.h"
#include "tutti/io/background.h"
#include "wire.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define INDEX_FILE "library.sqlite"
#define HUB_FILE "hub.sqlite"
#define PATH_BYTES 1024
/* How long a thread that waits for a disk is waited for. */
#define READING_PATIENCE_NS (2 * NS_PER_S)

struct library {
    char index_path[PATH_BYTES];
    struct library_keeper *keeper;
    struct library_index *own; /* the loop's */
    struct background *searching;
    struct background *reading;     /* of files: a share that hangs holds up no search */
    struct library_index *searched; /* its thread's */
    void (*wake_loop)(void *user);
    void *wake_user;
};

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
    free(library);
}

static struct library_keeper *start_keeper(const struct library *library,
                                           const struct library_config *config)
{
    char hub_path[PATH_BYTES];
    snprintf(hub_path, sizeof hub_path, "%s/" HUB_FILE, config->data_directory);
    return library_keeper_start(&(struct library_keeper_config){.index_path = library->index_path,
                                                                .hub_path = hub_path,
                                                                .directories = config->directories,
                                                                .tracks_max = config->tracks_max,
                                                                .read = config->read,
                                                                .read_user = config->read_user,
                                                                .covers = config->covers});
}

struct library *library_create(const struct library_config *config)
{
    struct library *library = calloc(1, sizeof *library);
    if (!library)
        return NULL;
    snprintf(library->index_path, PATH_BYTES, "%s/" INDEX_FILE, config->data_directory);
    library->searching = background_create_woken(tell_loop, library);
    library->reading = background_create_woken(tell_loop, library);
    if (library->reading)
        background_set_patience(library->reading, READING_PATIENCE_NS);
    if (library->searching && library->reading)
        library->keeper = start_keeper(library, config);
    if (library->keeper)
        return library;
    log_error("library: it cannot be begun; there is none");
    release(library);
    return NULL;
}

void library_destroy(struct library *library)
{
    if (!library)
        return;
    if (library_keeper_stop(library->keeper))
        release(library);
    else
        log_warn("library: a directory does not answer");
}

void library_uploads_changed(struct library *library)
{
    if (library)
        library_keeper_uploads_changed(library->keeper);
}

bool library_is_complete(const struct library *library)
{
    return library_keeper_is_complete(library->keeper);
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
    if (!*own && library_keeper_is_usable(library->keeper))
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
    return result == 0 && !library_is_complete(library) ? -EAGAIN : result;
}

int library_find(struct library *library, const char *key, struct library_track *ret,
                 char *media_path, size_t size)
{
    int result = find(library, key, ret);
    if (result == 1)
        name_media(ret, media_path, size);
    return result;
}

int library_has_cover(struct library *library, const char *cover)
{
    struct library_index *index =
        library && library_is_complete(library) ? index_of(library, &library->own) : NULL;
    return index ? library_index_has_cover(index, cover) : -EAGAIN;
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
    cJSON_AddBoolToObject(found, "complete", library_is_complete(search->library));
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
