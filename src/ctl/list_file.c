/*
 * list_file.c: see list_file.h.
 */
#include "list_file.h"

#include "add.h"
#include "library.h"
#include "m3u.h"
#include "members.h"
#include "text.h"
#include "tutti/base/write_all.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* What one call adds, and one search finds. */
#define AT_ONCE_MAX 200
#define FOUND_MAX 50
#define ID_BYTES 33
/* As the daemon takes them. */
#define WORDS_MAX 256
/* No hub's playlist is longer. */
#define ENTRIES_MAX 20000
/* Of what is not there, so many are listed. */
#define LISTED_MAX 50
#define SHOWN_COLUMNS 60

bool list_file_is_meant(const char *word)
{
    return strcmp(word, "-") == 0 || m3u_is_name(word);
}

/* The caller's; NULL after a line on standard error. */
static cJSON *search(struct client *client, const char *words, enum exit_code *ret_failed)
{
    cJSON *request = cJSON_CreateObject();
    cJSON_AddStringToObject(request, "cmd", "search");
    cJSON_AddStringToObject(request, "words", words);
    cJSON_AddNumberToObject(request, "limit", FOUND_MAX);
    return library_ask(client, request, ret_failed);
}

static const cJSON *tracks_of(const cJSON *answer)
{
    return member(member(answer, "library"), "tracks");
}

/* "Artist - Title" */
static void name_label(const char *artist, const char *title, char label[M3U_LABEL_MAX])
{
    snprintf(label, M3U_LABEL_MAX, "%s%s%s", artist, *artist ? " - " : "", title);
}

/* --- saving -------------------------------------------------------------------------------- */

/* An item that is of the library is called as the track, or served from it. */
static bool is_of_track(const cJSON *item, const cJSON *track)
{
    const char *id = member_text(track, "id");
    return *id && (strcmp(member_text(item, "track_id"), id) == 0 ||
                   strstr(member_text(item, "media_url"), id));
}

struct saving {
    struct client *client;
    FILE *out;
    bool no_library; /* of which paths are to be had: a backend need not have one */
};

/* Where the library has it; "" for an upload, and where it is not found. */
static enum exit_code find_path(struct client *client, const cJSON *item, struct m3u_entry *entry)
{
    enum exit_code failed;
    char words[WORDS_MAX];
    const cJSON *track;
    m3u_words(entry->label, words, sizeof words);
    cJSON *answer = search(client, words, &failed);
    if (!answer)
        return failed;
    cJSON_ArrayForEach(track, tracks_of(answer))
    {
        if (is_of_track(item, track))
            snprintf(entry->path, sizeof entry->path, "%s", member_text(track, "path"));
    }
    cJSON_Delete(answer);
    return EXIT_OK;
}

static enum exit_code save_item(struct saving *saving, const cJSON *item)
{
    enum exit_code result = EXIT_OK;
    struct m3u_entry entry = {.path = ""};
    name_label(member_text(item, "artist"), member_text(item, "name"), entry.label);
    if (!saving->no_library)
        result = find_path(saving->client, item, &entry);
    saving->no_library |= result == EXIT_REFUSED;
    if (!entry.path[0])
        snprintf(entry.path, sizeof entry.path, "%s", member_text(item, "name"));
    m3u_write(saving->out, &entry, member_number(item, "duration_s"));
    return result == EXIT_REFUSED ? EXIT_OK : result;
}

static enum exit_code save_items(struct saving *saving, const cJSON *playlist)
{
    const cJSON *item;
    enum exit_code result = EXIT_OK;
    m3u_write_head(saving->out);
    cJSON_ArrayForEach(item, playlist)
    {
        if (result == EXIT_OK)
            result = save_item(saving, item);
    }
    return result;
}

/* Nothing that is there is written over, and nothing is left that is a part. */
static enum exit_code write_file(const char *path, const char *bytes, size_t count)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    int error = fd < 0 ? -errno : write_all(fd, bytes, count);
    if (fd >= 0 && close(fd) < 0 && error == 0)
        error = -errno;
    if (fd >= 0 && error < 0)
        unlink(path);
    if (error == -EEXIST)
        complain("%s is there already: remove it first, or take another name", path);
    else if (error < 0)
        complain("%s: %s", path, strerror(-error));
    return error < 0 ? EXIT_REFUSED : EXIT_OK;
}

static enum exit_code put(const char *path, const char *bytes, size_t count, int items, bool json,
                          const struct paper *paper)
{
    if (strcmp(path, "-") == 0)
        return fwrite(bytes, 1, count, paper->out) == count ? EXIT_OK : EXIT_REFUSED;
    enum exit_code result = write_file(path, bytes, count);
    if (result != EXIT_OK)
        return result;
    if (json) {
        fprintf(paper->out, "{\"saved\": %d}\n", items);
        return result;
    }
    fprintf(paper->out, "saved %d tracks in ", items);
    paper_text(paper, INK_PLAIN, path);
    fputc('\n', paper->out);
    return result;
}

enum exit_code list_file_save(struct client *client, const char *path, bool json,
                              const struct paper *paper)
{
    char *bytes = NULL;
    size_t count = 0;
    enum exit_code result;
    cJSON *request = cJSON_CreateObject();
    cJSON_AddStringToObject(request, "cmd", "playlist");
    cJSON *answer = library_ask(client, request, &result);
    FILE *out = answer ? open_memstream(&bytes, &count) : NULL;
    if (out) {
        const cJSON *playlist = member(answer, "playlist");
        struct saving saving = {client, out, false};
        result = save_items(&saving, playlist);
        fclose(out);
        if (result == EXIT_OK)
            result = put(path, bytes, count, cJSON_GetArraySize(playlist), json, paper);
    }
    free(bytes);
    cJSON_Delete(answer);
    return result;
}

/* --- what an entry is in the library -------------------------------------------------------- */

struct best {
    char id[ID_BYTES];
    char path[M3U_PATH_MAX];
    int rank;     /* 0: nothing is like it */
    bool tied;    /* another file is as much like it */
    bool looking; /* the hub has not gone through its directories yet */
};

/* Of the same name and artist: odd; more names of the path in common: more. */
static int rank_of(const cJSON *track, const struct m3u_entry *entry)
{
    char label[M3U_LABEL_MAX];
    const char *title = member_text(track, "title");
    name_label(member_text(track, "artist"), title, label);
    bool called = text_equals(label, entry->label) || text_equals(title, entry->label);
    return 2 * m3u_likeness(member_text(track, "path"), entry->path) + called;
}

static void weigh(const cJSON *track, const struct m3u_entry *entry, struct best *best)
{
    int rank = rank_of(track, entry);
    const char *id = member_text(track, "id"), *path = member_text(track, "path");
    if (rank == 0 || rank < best->rank || strcmp(id, best->id) == 0)
        return;
    if (rank == best->rank) {
        /* Under one name and artist one is as good as the other. */
        best->tied |= rank % 2 == 0 && strcmp(path, best->path) != 0;
        return;
    }
    best->rank = rank;
    best->tied = false;
    snprintf(best->id, sizeof best->id, "%s", id);
    snprintf(best->path, sizeof best->path, "%s", path);
}

static enum exit_code weigh_found(struct client *client, const char *words,
                                  const struct m3u_entry *entry, struct best *best)
{
    enum exit_code failed;
    const cJSON *track;
    cJSON *answer = search(client, words, &failed);
    if (!answer)
        return failed;
    cJSON_ArrayForEach(track, tracks_of(answer))
    {
        weigh(track, entry, best);
    }
    best->looking = !member_is_true(member(answer, "library"), "complete");
    cJSON_Delete(answer);
    return EXIT_OK;
}

/* By its file and folder, by its file, by what it is called: until a path is like its own. */
static enum exit_code look_up(struct client *client, const struct m3u_entry *entry,
                              struct best *best)
{
    char words[3][WORDS_MAX];
    enum exit_code result = EXIT_OK;
    *best = (struct best){.rank = 0};
    m3u_path_words(entry->path, 2, words[0], WORDS_MAX);
    m3u_path_words(entry->path, 1, words[1], WORDS_MAX);
    m3u_words(entry->label, words[2], WORDS_MAX);
    for (int i = 0; i < 3 && result == EXIT_OK && best->rank < 2; i++) {
        bool asked = i > 0 && strcmp(words[i], words[i - 1]) == 0;
        if (words[i][0] && !asked)
            result = weigh_found(client, words[i], entry, best);
    }
    return result;
}

/* --- loading ------------------------------------------------------------------------------- */

struct loading {
    struct client *client;
    const char *file;
    char ids[AT_ONCE_MAX * ID_BYTES]; /* that are to be added, with blanks between */
    int waiting, added, asked, entries;
    cJSON *missing; /* labels */
    bool looking;   /* what is missing may be found later */
    enum exit_code result;
};

/* False, and result is set: no more can be added. */
static bool add_waiting(struct loading *loading)
{
    if (loading->waiting == 0)
        return true;
    cJSON *request = cJSON_CreateObject();
    cJSON_AddStringToObject(request, "cmd", "add-tracks");
    cJSON_AddStringToObject(request, "tracks", loading->ids);
    cJSON *answer = library_ask(loading->client, request, &loading->result);
    if (!answer)
        return false;
    const cJSON *added = member(answer, "added"), *refused = member(added, "refused");
    loading->added += cJSON_GetArraySize(member(added, "items"));
    loading->asked += cJSON_GetArraySize(member(added, "requests"));
    loading->waiting = 0;
    loading->result = refused ? EXIT_REFUSED : EXIT_OK;
    if (refused)
        complain("and no more: %s", member_text(refused, "detail"));
    cJSON_Delete(answer);
    return !refused;
}

static bool take_found(struct loading *loading, const char *id)
{
    size_t used = loading->waiting > 0 ? strlen(loading->ids) : 0;
    snprintf(loading->ids + used, sizeof loading->ids - used, "%s%s", used ? " " : "", id);
    return ++loading->waiting < AT_ONCE_MAX || add_waiting(loading);
}

/* The entry's file, here; false: there is none. */
static bool find_file(const struct loading *loading, const struct m3u_entry *entry,
                      char path[2 * M3U_PATH_MAX])
{
    struct stat about;
    const char *slash = entry->path[0] == '/' ? NULL : strrchr(loading->file, '/');
    int folder = slash ? (int)(slash + 1 - loading->file) : 0;
    int length =
        snprintf(path, (size_t)2 * M3U_PATH_MAX, "%.*s%s", folder, loading->file, entry->path);
    return length < 2 * M3U_PATH_MAX && stat(path, &about) == 0 && S_ISREG(about.st_mode);
}

/* A shell may be given it as it is, between single quotes. */
static bool is_quotable(const char *path)
{
    return path[0] != '-' && !strchr(path, '\'');
}

static void tell_missing(struct loading *loading, const struct m3u_entry *entry, bool tied)
{
    char label[M3U_LABEL_MAX], path[2 * M3U_PATH_MAX];
    cJSON_AddItemToArray(loading->missing, cJSON_CreateString(entry->label));
    if (cJSON_GetArraySize(loading->missing) > LISTED_MAX)
        return;
    text_fit(label, sizeof label, entry->label, SHOWN_COLUMNS);
    if (tied)
        complain("%s: several files of the library may be it; see: tuttictl search", label);
    else if (find_file(loading, entry, path) && is_quotable(path))
        complain("%s: not in the library; its file is here: tuttictl add '%s' uploads it", label,
                 path);
    else
        complain("%s: not in the library; tuttictl add FILE uploads it", label);
}

static bool load_entry(struct loading *loading, const struct m3u_entry *entry)
{
    struct best best;
    loading->result = look_up(loading->client, entry, &best);
    if (loading->result != EXIT_OK)
        return false;
    if (best.rank > 0 && !best.tied)
        return take_found(loading, best.id);
    tell_missing(loading, entry, best.tied);
    loading->looking |= best.looking;
    return true;
}

static void load_entries(struct loading *loading, struct m3u_reader *reader)
{
    struct m3u_entry entry;
    bool goes_on = true;
    while (goes_on && m3u_next(reader, &entry)) {
        if (++loading->entries > ENTRIES_MAX) {
            complain("%s: what follows the first %d entries is left out", loading->file,
                     ENTRIES_MAX);
            break;
        }
        goes_on = load_entry(loading, &entry);
    }
    if (goes_on)
        add_waiting(loading);
}

static void tell_loaded(const struct loading *loading, bool json, const struct paper *paper)
{
    int missing = cJSON_GetArraySize(loading->missing);
    if (missing > LISTED_MAX)
        complain("and %d more that are not in the library", missing - LISTED_MAX);
    if (loading->looking)
        complain("the hub is still looking through its directories: some may be there later");
    if (json) {
        cJSON *told = cJSON_CreateObject();
        cJSON_AddNumberToObject(told, "added", loading->added);
        cJSON_AddNumberToObject(told, "asked", loading->asked);
        cJSON_AddItemReferenceToObject(told, "missing", loading->missing);
        paper_json(paper->out, told);
        cJSON_Delete(told);
        return;
    }
    fprintf(paper->out, "%s %d of %d tracks of ", loading->asked > 0 ? "asked: add" : "added",
            loading->added + loading->asked, loading->entries);
    paper_text(paper, INK_PLAIN, loading->file);
    fputc('\n', paper->out);
}

static enum exit_code load_bytes(struct client *client, const char *path, const char *bytes,
                                 size_t count, bool json, const struct paper *paper)
{
    struct m3u_reader reader;
    struct loading loading = {
        .client = client, .file = path, .missing = cJSON_CreateArray(), .result = EXIT_OK};
    m3u_begin(&reader, bytes, count);
    load_entries(&loading, &reader);
    if (loading.entries == 0) {
        complain("%s: there is no entry in it", path);
        loading.result = EXIT_REFUSED;
    } else if (loading.result != EXIT_UNREACHABLE) {
        tell_loaded(&loading, json, paper);
    }
    bool all = cJSON_GetArraySize(loading.missing) == 0;
    cJSON_Delete(loading.missing);
    return loading.result == EXIT_OK && !all ? EXIT_REFUSED : loading.result;
}

/* How many; or -errno. */
static ssize_t read_all(int fd, char *to, size_t size)
{
    size_t used = 0;
    while (used < size) {
        ssize_t count = read(fd, to + used, size - used);
        if (count < 0 && errno != EINTR)
            return -errno;
        if (count == 0)
            break;
        used += count > 0 ? (size_t)count : 0;
    }
    return (ssize_t)used;
}

enum exit_code list_file_load(struct client *client, const char *path, bool json,
                              const struct paper *paper)
{
    bool standard = strcmp(path, "-") == 0;
    int fd = standard ? STDIN_FILENO : add_open_file(path);
    char *bytes = fd >= 0 ? malloc(M3U_BYTES_MAX + 1) : NULL;
    ssize_t count = bytes ? read_all(fd, bytes, M3U_BYTES_MAX + 1) : -ENOMEM;
    enum exit_code result = EXIT_REFUSED;
    if (fd >= 0 && count < 0)
        complain("%s: %s", path, strerror((int)-count));
    else if (count > M3U_BYTES_MAX)
        complain("%s: longer than 1 MiB: that is no playlist", path);
    else if (fd >= 0)
        result = load_bytes(client, path, bytes, (size_t)count, json, paper);
    free(bytes);
    if (fd >= 0 && !standard)
        close(fd);
    return result;
}
