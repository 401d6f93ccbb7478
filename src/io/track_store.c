/*
 * track_store.c: files named by a hash of the URL.
 *
 *   HASH.mp3    the data; while they arrive: HASH.part
 *   HASH.json   {"url", "bytes", "etag", "last_modified"}, written after the data were synced
 *
 * The time of last use is the data file's access time, set by us.
 */
#include "tutti/io/track_store.h"

#include "tutti/base/log.h"

#include <cjson/cJSON.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <libwebsockets.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define HASH_TEXT 41 /* SHA-1 in hex: a name, not a secret */
#define PATH_BYTES 1024
#define SIDECAR_MAX 8192
#define ENTRIES_MAX 4096

struct track_store {
    char *directory; /* NULL: memory */
    int64_t max_bytes;
    bool disk_failed;
};

struct track_file {
    struct track_store *store;
    char *url;
    char hash[HASH_TEXT];
    int fd;
    int64_t bytes;
    bool complete;
    bool on_disk;
};

static void hash_url(const char *url, char hash[HASH_TEXT])
{
    unsigned char digest[20];
    lws_SHA1((const unsigned char *)url, strlen(url), digest);
    for (size_t i = 0; i < sizeof digest; i++)
        snprintf(hash + 2 * i, 3, "%02x", digest[i]);
}

static void path_of(const struct track_store *store, const char *hash, const char *suffix,
                    char path[PATH_BYTES])
{
    snprintf(path, PATH_BYTES, "%s/%s.%s", store->directory, hash, suffix);
}

struct track_store *track_store_create(const char *directory, int64_t max_bytes)
{
    struct track_store *store = calloc(1, sizeof *store);
    if (!store)
        return NULL;
    store->max_bytes = max_bytes;
    if (!directory)
        return store;
    store->directory = strdup(directory);
    if (mkdir(directory, 0755) < 0 && errno != EEXIST) {
        log_warn("cache %s: %s; tracks are kept in memory", directory, strerror(errno));
        store->disk_failed = true;
    }
    return store;
}

void track_store_destroy(struct track_store *store)
{
    if (!store)
        return;
    free(store->directory);
    free(store);
}

static bool uses_disk(const struct track_store *store)
{
    return store->directory && !store->disk_failed;
}

static struct track_file *create_file(struct track_store *store, const char *url)
{
    struct track_file *file = calloc(1, sizeof *file);
    if (!file)
        return NULL;
    file->store = store;
    file->fd = -1;
    file->url = strdup(url);
    hash_url(url, file->hash);
    return file;
}

/* The number of bytes that the sidecar says; -1 when there is no usable one. */
static int64_t read_sidecar(const struct track_store *store, const char *hash, const char *url)
{
    char path[PATH_BYTES], text[SIDECAR_MAX];
    path_of(store, hash, "json", path);
    FILE *in = fopen(path, "re");
    if (!in)
        return -1;
    size_t got = fread(text, 1, sizeof text - 1, in);
    fclose(in);
    text[got] = '\0';
    cJSON *root = cJSON_Parse(text);
    const cJSON *bytes = cJSON_GetObjectItemCaseSensitive(root, "bytes");
    const cJSON *said = cJSON_GetObjectItemCaseSensitive(root, "url");
    int64_t result = -1;
    if (cJSON_IsNumber(bytes) && cJSON_IsString(said) && strcmp(said->valuestring, url) == 0)
        result = (int64_t)bytes->valuedouble;
    cJSON_Delete(root);
    return result;
}

static void mark_used(int fd)
{
    const struct timespec times[2] = {{.tv_nsec = UTIME_NOW}, {.tv_nsec = UTIME_OMIT}};
    futimens(fd, times);
}

struct track_file *track_store_open(struct track_store *store, const char *url)
{
    if (!uses_disk(store))
        return NULL;
    struct track_file *file = create_file(store, url);
    if (!file)
        return NULL;
    char path[PATH_BYTES];
    struct stat status;
    int64_t bytes = read_sidecar(store, file->hash, url);
    path_of(store, file->hash, "mp3", path);
    if (bytes > 0)
        file->fd = open(path, O_RDONLY | O_CLOEXEC);
    if (file->fd < 0 || fstat(file->fd, &status) < 0 || status.st_size != bytes) {
        track_file_close(file);
        return NULL;
    }
    mark_used(file->fd);
    file->bytes = bytes;
    file->complete = true;
    file->on_disk = true;
    return file;
}

static int open_memory(void)
{
    return memfd_create("tutti-track", MFD_CLOEXEC);
}

struct track_file *track_store_begin(struct track_store *store, const char *url)
{
    struct track_file *file = create_file(store, url);
    if (!file)
        return NULL;
    if (uses_disk(store)) {
        char path[PATH_BYTES];
        path_of(store, file->hash, "part", path);
        file->fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
        file->on_disk = file->fd >= 0;
        if (!file->on_disk)
            log_warn("cache %s: %s; this track is kept in memory", path, strerror(errno));
    }
    if (file->fd < 0)
        file->fd = open_memory();
    if (file->fd < 0) {
        track_file_close(file);
        return NULL;
    }
    return file;
}

static int write_at(int fd, const char *data, int64_t bytes, int64_t offset)
{
    while (bytes > 0) {
        ssize_t written = pwrite(fd, data, (size_t)bytes, offset);
        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0)
            return -errno;
        data += written;
        offset += written;
        bytes -= written;
    }
    return 0;
}

/* The descriptor keeps its number, so that whoever reads it needs not know. */
static int move_to_memory(struct track_file *file)
{
    char buffer[65536];
    int memory = open_memory();
    int result = memory < 0 ? -errno : 0;
    for (int64_t at = 0; result == 0 && at < file->bytes;) {
        ssize_t got = pread(file->fd, buffer, sizeof buffer, at);
        if (got <= 0)
            result = -EIO;
        else
            result = write_at(memory, buffer, got, at);
        at += got;
    }
    if (result == 0 && dup3(memory, file->fd, O_CLOEXEC) < 0)
        result = -errno;
    if (memory >= 0)
        close(memory);
    return result;
}

static void remove_part(const struct track_file *file)
{
    char path[PATH_BYTES];
    path_of(file->store, file->hash, "part", path);
    unlink(path);
}

int track_file_append(struct track_file *file, const void *data, int64_t bytes)
{
    int result = write_at(file->fd, data, bytes, file->bytes);
    if (result < 0 && file->on_disk) {
        log_warn("cache %s: %s; this track is kept in memory", file->store->directory,
                 strerror(-result));
        result = move_to_memory(file);
        remove_part(file);
        file->on_disk = false;
        if (result == 0)
            result = write_at(file->fd, data, bytes, file->bytes);
    }
    if (result == 0)
        file->bytes += bytes;
    return result;
}

void track_file_truncate(struct track_file *file)
{
    if (ftruncate(file->fd, 0) == 0)
        file->bytes = 0;
}

static bool write_sidecar(const struct track_file *file, const char *etag,
                          const char *last_modified)
{
    char path[PATH_BYTES], temporary[PATH_BYTES];
    path_of(file->store, file->hash, "json", path);
    path_of(file->store, file->hash, "json.new", temporary);
    cJSON *root = cJSON_CreateObject();
    cJSON_AddStringToObject(root, "url", file->url);
    cJSON_AddNumberToObject(root, "bytes", (double)file->bytes);
    cJSON_AddStringToObject(root, "etag", etag);
    cJSON_AddStringToObject(root, "last_modified", last_modified);
    char *text = cJSON_PrintUnformatted(root);
    cJSON_Delete(root);
    FILE *out = text ? fopen(temporary, "we") : NULL;
    bool good = out && fputs(text, out) >= 0;
    if (out)
        good = fclose(out) == 0 && good;
    free(text);
    return good && rename(temporary, path) == 0;
}

struct entry {
    char hash[HASH_TEXT];
    int64_t bytes;
    struct timespec used;
};

static int by_use(const void *a, const void *b)
{
    const struct entry *x = a, *y = b;
    if (x->used.tv_sec != y->used.tv_sec)
        return x->used.tv_sec < y->used.tv_sec ? -1 : 1;
    return (x->used.tv_nsec > y->used.tv_nsec) - (x->used.tv_nsec < y->used.tv_nsec);
}

static size_t list_entries(const struct track_store *store, struct entry *entries)
{
    size_t count = 0;
    DIR *directory = opendir(store->directory);
    if (!directory)
        return 0;
    const struct dirent *item;
    while (count < ENTRIES_MAX && (item = readdir(directory))) {
        char path[PATH_BYTES];
        struct stat status;
        if (strlen(item->d_name) != HASH_TEXT - 1 + 4 ||
            strcmp(item->d_name + HASH_TEXT - 1, ".mp3") != 0)
            continue;
        snprintf(entries[count].hash, HASH_TEXT, "%.*s", HASH_TEXT - 1, item->d_name);
        path_of(store, entries[count].hash, "mp3", path);
        if (stat(path, &status) < 0)
            continue;
        entries[count].bytes = status.st_size;
        entries[count++].used = status.st_atim;
    }
    closedir(directory);
    return count;
}

static bool is_pinned(const char *hash, const char *const *pinned)
{
    for (; pinned && *pinned; pinned++) {
        char of_url[HASH_TEXT];
        hash_url(*pinned, of_url);
        if (strcmp(of_url, hash) == 0)
            return true;
    }
    return false;
}

static void evict(struct track_store *store, const char *const *pinned)
{
    struct entry *entries = calloc(ENTRIES_MAX, sizeof *entries);
    if (!entries)
        return;
    size_t count = list_entries(store, entries);
    int64_t total = 0;
    for (size_t i = 0; i < count; i++)
        total += entries[i].bytes;
    qsort(entries, count, sizeof *entries, by_use);
    for (size_t i = 0; i < count && total > store->max_bytes; i++) {
        char path[PATH_BYTES];
        if (is_pinned(entries[i].hash, pinned))
            continue;
        path_of(store, entries[i].hash, "json", path);
        unlink(path);
        path_of(store, entries[i].hash, "mp3", path);
        unlink(path);
        total -= entries[i].bytes;
    }
    free(entries);
}

void track_file_commit(struct track_file *file, const char *etag, const char *last_modified,
                       const char *const *pinned)
{
    file->complete = true;
    if (!file->on_disk)
        return;
    char part[PATH_BYTES], path[PATH_BYTES];
    path_of(file->store, file->hash, "part", part);
    path_of(file->store, file->hash, "mp3", path);
    /* No fsync: it may stall for seconds on an SD card while music plays. The sidecar's length
     * check and the decoder's resynchronization bound what a power cut can do. */
    if (rename(part, path) < 0 || !write_sidecar(file, etag, last_modified))
        log_warn("cache %s: %s; this track will be downloaded again", path, strerror(errno));
    evict(file->store, pinned);
}

int track_file_fd(const struct track_file *file)
{
    return file->fd;
}

int64_t track_file_bytes(const struct track_file *file)
{
    return file->bytes;
}

bool track_file_complete(const struct track_file *file)
{
    return file->complete;
}

void track_file_close(struct track_file *file)
{
    if (!file)
        return;
    if (file->on_disk && !file->complete)
        remove_part(file);
    if (file->fd >= 0)
        close(file->fd);
    free(file->url);
    free(file);
}
