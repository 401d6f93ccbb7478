/*
 * commands.c: see commands.h.
 */
#include "commands.h"

#include "store_internal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PATH_BYTES 1024

static int usage(const char *what)
{
    fprintf(stderr, "tutti-hub: %s\nTry tutti-hub --help.\n", what);
    return 2;
}

static int failed(const char *what, const char *why)
{
    fprintf(stderr, "tutti-hub: %s: %s\n", what, why);
    return 1;
}

/* Texts that others have chosen do not get to steer the terminal. */
static void print_plain(const char *text)
{
    for (; *text; text++)
        putchar((unsigned char)*text < 0x20 || *text == 0x7f ? '?' : *text);
}

/* --- session ------------------------------------------------------------------------------- */

static int list_sessions(struct store *store)
{
    sqlite3_stmt *row =
        db_query(store->db,
                 "SELECT code, (SELECT count(*) FROM members WHERE session_id = s.id),"
                 " (SELECT count(*) FROM items WHERE session_id = s.id),"
                 " playing, substr(updated_at, 1, 19),"
                 " (SELECT name FROM users WHERE id = s.host_id)"
                 " FROM sessions s ORDER BY updated_at DESC",
                 "");
    printf("%-8s %7s %6s  %-8s %-20s %s\n", "CODE", "MEMBERS", "TRACKS", "STATE", "CHANGED (UTC)",
           "HOST");
    while (db_next(row)) {
        printf("%-8s %7lld %6lld  %-8s %-20s ", db_text(row, 0), (long long)db_int(row, 1),
               (long long)db_int(row, 2), db_int(row, 3) ? "playing" : "paused", db_text(row, 4));
        print_plain(db_text(row, 5));
        putchar('\n');
    }
    return 0;
}

/* By its code, in either case, or its id. */
static bool find_session(struct store *store, const char *word, char id[STORE_ID_MAX])
{
    sqlite3_stmt *row =
        db_query(store->db, "SELECT id FROM sessions WHERE code = upper(?1) OR id = ?1", "s", word);
    if (!db_next(row))
        return false;
    snprintf(id, STORE_ID_MAX, "%s", db_text(row, 0));
    db_done(row);
    return true;
}

/* A heading, and the first column of each row. */
static void print_names(const char *heading, sqlite3_stmt *row)
{
    printf("%s\n", heading);
    while (db_next(row)) {
        printf("  ");
        print_plain(db_text(row, 0));
        putchar('\n');
    }
}

static int show_session(struct store *store, const char *id)
{
    char code[16] = "";
    struct store_playback playback;
    if (!store_get_playback(store, id, &playback) || !store_session_code(store, id, code))
        return failed(id, "there is no such session");
    printf("code      %s\nid        %s\nstate     %s\nposition  %.3f s\nchanged   %s\n", code, id,
           playback.playing ? "playing" : "paused", (double)playback.position_ms / 1e3,
           playback.updated_at);
    printf("track     ");
    print_plain(playback.has_track ? playback.track_id : "none");
    putchar('\n');
    print_names("playlist",
                db_query(store->db,
                         "SELECT (position + 1) || '. ' || name || coalesce(printf(' (%d:%02d)',"
                         " duration_s / 60, CAST(duration_s AS INTEGER) % 60), '')"
                         " FROM items WHERE session_id = ? ORDER BY position",
                         "s", id));
    print_names("members", db_query(store->db,
                                    "SELECT name || CASE WHEN id ="
                                    " (SELECT host_id FROM sessions WHERE id = ?1)"
                                    " THEN ' (host)' ELSE '' END FROM users WHERE id IN"
                                    " (SELECT user_id FROM members WHERE session_id = ?1)"
                                    " ORDER BY rowid",
                                    "s", id));
    print_names("requests", db_query(store->db,
                                     "SELECT created_at || '  ' || status || '  ' || type || ' by '"
                                     " || requester || coalesce(': ' || reason, '')"
                                     " FROM requests WHERE session_id = ? ORDER BY rowid",
                                     "s", id));
    return 0;
}

static int delete_session(struct store *store, const char *id)
{
    if (!store_delete_session(store, id))
        return failed(id, "could not be deleted");
    printf("deleted\n");
    return 0;
}

static int session(struct store *store, int count, char **words)
{
    char id[STORE_ID_MAX];
    if (count == 1 && strcmp(words[0], "list") == 0)
        return list_sessions(store);
    bool show = count == 2 && strcmp(words[0], "show") == 0;
    if (!show && !(count == 2 && strcmp(words[0], "delete") == 0))
        return usage("session takes list, show CODE or delete CODE");
    if (!find_session(store, words[1], id))
        return failed(words[1], "there is no session with this code or id");
    return show ? show_session(store, id) : delete_session(store, id);
}

/* --- backup -------------------------------------------------------------------------------- */

static int write_backup(struct store *store, const char *path)
{
    char part[PATH_BYTES];
    snprintf(part, sizeof part, "%s.part", path);
    mode_t mask = umask(0077);
    unlink(part);
    bool copied = store_copy(store, part);
    umask(mask);
    if (copied && rename(part, path) == 0) {
        printf("%s: good; the tracks are in uploads/, and never change: copy what is new\n", path);
        return 0;
    }
    int error = errno;
    unlink(part);
    return failed(path, copied ? strerror(error) : "could not be written");
}

int commands_run(const char *data_directory, int count, char **words)
{
    char path[PATH_BYTES];
    bool is_session = strcmp(words[0], "session") == 0;
    if (!is_session && strcmp(words[0], "backup") != 0)
        return usage("session and backup are all the commands there are");
    if (!is_session && count != 2)
        return usage("backup takes the file to write");
    snprintf(path, sizeof path, "%s/hub.sqlite", data_directory);
    if (access(path, R_OK) < 0)
        return failed(path, strerror(errno));
    struct store *store = store_open(data_directory);
    if (!store)
        return 1;
    int result = is_session ? session(store, count - 1, words + 1) : write_backup(store, words[1]);
    store_close(store);
    return result;
}
