/*
 * library_uploads.c: see library_uploads.h. The hub's database is only read, by a connection of its
 * own.
 */
#include "library_uploads.h"

#include "formats.h"
#include "library_file.h"
#include "library_words.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define UPLOADS "uploads/"

/* "uploads/KEY.mp3" */
static bool take_key(const char *path, char key[LIBRARY_KEY_MAX])
{
    const char *name = path + strlen(UPLOADS);
    if (strncmp(path, UPLOADS, strlen(UPLOADS)) != 0)
        return false;
    size_t length = strcspn(name, ".");
    if (length == 0 || length >= LIBRARY_KEY_MAX)
        return false;
    snprintf(key, LIBRARY_KEY_MAX, "%.*s", (int)length, name);
    return true;
}

static int put_upload(struct library_index *index, int64_t folder, const struct db_rows *rows)
{
    struct library_reading reading = {.kind = formats_kind(db_text(rows, 0)),
                                      .duration_s = db_double(rows, 1),
                                      .tags = track_tags_none()};
    /* What becomes known of it later is as a change of it. */
    const struct library_stamp stamp = {db_int(rows, 2), db_int(rows, 9) > 0};
    const char *file = db_text(rows, 0) + strlen(UPLOADS);
    char key[LIBRARY_KEY_MAX];
    struct library_known known;
    if (!take_key(db_text(rows, 0), key))
        return 0;
    int result = library_index_known(index, folder, file, &known);
    if (result < 0 || (result == 1 && library_stamp_same(&known.stamp, &stamp)))
        return result < 0 ? result : 0;
    db_copy(rows, db_text(rows, 4)[0] ? 4 : 3, reading.tags.title, sizeof reading.tags.title);
    db_copy(rows, 5, reading.tags.artist, sizeof reading.tags.artist);
    db_copy(rows, 6, reading.tags.album, sizeof reading.tags.album);
    reading.tags.number = (int)db_int(rows, 7);
    db_copy(rows, 8, reading.cover, sizeof reading.cover);
    library_words_complete(&reading.tags, "", file);
    return library_index_put(index, folder, file, key, &stamp, &reading);
}

static int put_new(struct library_index *index, int64_t folder, sqlite3 *hub)
{
    int result, put = 0;
    struct db_rows rows =
        db_query(hub,
                 "SELECT path, duration_s, bytes, label, title, artist, album, number, cover,"
                 " described + (cover IS NOT NULL) > 1"
                 " FROM media WHERE kept",
                 "");
    while (put == 0 && (result = db_next(&rows)) == 1)
        put = put_upload(index, folder, &rows);
    db_done(&rows);
    return put < 0 ? put : result;
}

static int forget_gone(struct library_index *index, int64_t folder, sqlite3 *hub)
{
    char file[LIBRARY_TEXT_MAX] = "", path[LIBRARY_TEXT_MAX + 16];
    int64_t id;
    int result;
    while ((result = library_index_next_file(index, folder, file, sizeof file, &id)) == 1) {
        snprintf(path, sizeof path, UPLOADS "%s", file);
        result = db_exists(hub, "SELECT 1 FROM media WHERE path = ? AND kept", "s", path);
        if (result == 0)
            result = library_index_forget(index, id);
        if (result < 0)
            return result;
    }
    return result;
}

static int sync_with(struct library_index *index, sqlite3 *hub)
{
    int64_t folder = 0;
    int result = library_index_begin(index);
    if (result < 0)
        return result;
    result = library_index_folder(index, LIBRARY_UPLOADS, "", 0, &folder);
    if (result >= 0)
        result = put_new(index, folder, hub);
    if (result == 0)
        result = forget_gone(index, folder, hub);
    return library_index_end(index, result);
}

int library_uploads_sync(struct library_index *index, const char *hub_database)
{
    sqlite3 *hub = NULL;
    int result = -EIO;
    if (sqlite3_open_v2(hub_database, &hub, SQLITE_OPEN_READONLY, NULL) == SQLITE_OK)
        result = sync_with(index, hub);
    sqlite3_close(hub);
    return result;
}
