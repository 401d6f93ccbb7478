/*
 * session_commands.c: tutti-hub session list | show | delete | host | link.
 */
#include "commands_internal.h"
#include "store_internal.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static int unreadable(void)
{
    return command_failed("the database", "it cannot be read; tutti-hub check says more");
}

static int list_sessions(struct store *store)
{
    int result;
    struct db_rows rows =
        db_query(store->db,
                 "SELECT code, (SELECT count(*) FROM members WHERE session_id = s.id),"
                 " (SELECT count(*) FROM items WHERE session_id = s.id),"
                 " playing, substr(updated_at, 1, 19),"
                 " (SELECT name FROM users WHERE id = s.host_id)"
                 " FROM sessions s ORDER BY updated_at DESC",
                 "");
    printf("%-8s %7s %6s  %-8s %-20s %s\n", "CODE", "MEMBERS", "TRACKS", "STATE", "CHANGED (UTC)",
           "HOST");
    while ((result = db_next(&rows)) == 1) {
        printf("%-8s %7lld %6lld  %-8s %-20s ", db_text(&rows, 0), (long long)db_int(&rows, 1),
               (long long)db_int(&rows, 2), db_int(&rows, 3) ? "playing" : "paused",
               db_text(&rows, 4));
        command_print(db_text(&rows, 5));
        putchar('\n');
    }
    return result < 0 ? unreadable() : 0;
}

/* A heading, and the first column of each row. 0, or -errno. */
static int print_names(const char *heading, struct db_rows rows)
{
    int result;
    printf("%s\n", heading);
    while ((result = db_next(&rows)) == 1) {
        printf("  ");
        command_print(db_text(&rows, 0));
        putchar('\n');
    }
    return result;
}

static int print_lists(struct store *store, const char *id)
{
    int result = print_names(
        "playlist",
        db_query(store->db,
                 "SELECT (position + 1) || '. ' || name || coalesce(printf(' (%d:%02d)',"
                 " duration_s / 60, CAST(duration_s AS INTEGER) % 60), '')"
                 " FROM items WHERE session_id = ? ORDER BY position",
                 "s", id));
    if (result == 0)
        result = print_names(
            "members",
            db_query(store->db,
                     "SELECT u.name || CASE WHEN u.id = s.host_id THEN ' (host)' ELSE '' END ||"
                     " CASE WHEN m.sockets > 0 THEN ', connected'"
                     "  WHEN m.seen_at IS NULL THEN ', never seen'"
                     "  ELSE ', last seen ' || datetime(m.seen_at, 'unixepoch') END"
                     " FROM members m JOIN users u ON u.id = m.user_id"
                     " JOIN sessions s ON s.id = m.session_id"
                     " WHERE m.session_id = ? ORDER BY u.rowid",
                     "s", id));
    if (result == 0)
        result = print_names("requests",
                             db_query(store->db,
                                      "SELECT created_at || '  ' || status || '  ' || type"
                                      " || ' by ' || requester || coalesce(': ' || reason, '')"
                                      " FROM requests WHERE session_id = ? ORDER BY rowid",
                                      "s", id));
    return result;
}

static int show_session(struct store *store, const struct store_session *session)
{
    struct store_playback playback;
    if (store_get_playback(store, session->id, &playback) != 1)
        return unreadable();
    printf("code      %s\nid        %s\nstate     %s\nposition  %.3f s\nchanged   %s\n",
           session->code, session->id, playback.playing ? "playing" : "paused",
           (double)playback.position_ms / 1e3, playback.updated_at);
    printf("track     ");
    command_print(playback.has_track ? playback.track_id : "none");
    putchar('\n');
    return print_lists(store, session->id) < 0 ? unreadable() : 0;
}

static int delete_session(const struct command_call *call, struct store *store,
                          const struct store_session *session)
{
    char question[128];
    int64_t tracks = 0;
    if (store_playlist_length(store, session->id, &tracks) < 0)
        return unreadable();
    snprintf(question, sizeof question, "Delete the session %s and its %lld tracks?", session->code,
             (long long)tracks);
    if (!command_confirmed(call, question))
        return 1;
    if (store_delete_session(store, session->id) < 0)
        return command_failed(session->code, "could not be deleted");
    printf("deleted, with %lld tracks\n", (long long)tracks);
    return 0;
}

/* 1: there is one member of that name; 0: none, or several; -errno. */
static int find_member(struct store *store, const char *session_id, const char *name,
                       char id[STORE_ID_MAX])
{
    struct db_rows rows = db_query(store->db,
                                   "SELECT min(user_id), count(*) FROM members JOIN users"
                                   " ON users.id = user_id WHERE session_id = ? AND name = ?",
                                   "ss", session_id, name);
    int result = db_next(&rows);
    if (result == 1) {
        db_copy(&rows, 0, id, STORE_ID_MAX);
        result = db_int(&rows, 1) == 1;
    }
    db_done(&rows);
    return result;
}

static int name_host(struct store *store, const struct store_session *session, const char *name)
{
    char id[STORE_ID_MAX];
    int known = find_member(store, session->id, name, id);
    if (known == 0)
        return command_failed(name, "the session has no member of that name, or several");
    if (known < 0 || store_begin(store) < 0)
        return unreadable();
    if (store_end(store, store_set_host(store, session->id, id)) < 0)
        return command_failed(name, "could not be made the host");
    printf("the host is now ");
    command_print(name);
    putchar('\n');
    return 0;
}

/* For a speaker that has lost its token: whoever has this one is the host. */
static int make_host(struct store *store, const struct store_session *session)
{
    struct store_user user = {.name = "host", .host = true};
    char token[STORE_TOKEN_MAX];
    if (store_begin(store) < 0)
        return unreadable();
    int result = store_add_user(store, &user, token);
    if (result == 0)
        result = store_set_host(store, session->id, user.id);
    if (store_end(store, result) < 0)
        return command_failed(session->code, "no new host could be stored");
    printf("session_id = %s\ntoken = %s\n", session->id, token);
    return 0;
}

static int run(const struct command_call *call, struct store *store)
{
    struct store_session session;
    const char *word = call->count > 0 ? call->words[0] : "";
    bool host = strcmp(word, "host") == 0;
    if (strcmp(word, "list") == 0 && call->count == 1)
        return list_sessions(store);
    bool show = strcmp(word, "show") == 0;
    bool link = strcmp(word, "link") == 0;
    bool fits = call->count == 2 || (host && call->count == 3);
    if (!fits || !(show || host || link || strcmp(word, "delete") == 0))
        return command_usage("session takes list, show CODE, delete CODE, host CODE [MEMBER] or "
                             "link CODE");
    if (!command_find_session(store, call->words[1], &session))
        return 1;
    if (show)
        return show_session(store, &session);
    if (link)
        return command_session_link(call, store, &session);
    if (!host)
        return delete_session(call, store, &session);
    return call->count == 3 ? name_host(store, &session, call->words[2])
                            : make_host(store, &session);
}

int command_session(const struct command_call *call)
{
    struct store *store = command_open_store(call);
    if (!store)
        return 1;
    int result = run(call, store);
    store_close(store);
    return result;
}
