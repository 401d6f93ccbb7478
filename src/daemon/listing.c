/*
 * listing.c: see listing.h. A line is a row of parts, each a text or one of the lists. A piece of
 * it takes up so many items and so much room, whatever the list's length.
 */
#include "listing.h"

#include "texts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PARTS_MAX 8
/* Some 5 us each. */
#define ITEMS_PER_PIECE 64u
#define ITEMS_AT_ONCE 16u

enum part_kind { PART_TEXT, PART_ITEMS, PART_REQUESTS };

struct part {
    enum part_kind kind;
    char *text; /* PART_TEXT */
    size_t from, at, end;
};

struct listing {
    struct loop *loop;
    struct background *reader;
    struct part parts[PARTS_MAX];
    int count, now;
    struct playlist_message playlist; /* shared */
    const struct playlist_item *current;
    struct request_entry *requests; /* a copy; NULL: none */
    size_t request_count;
    char *pending; /* has been made, and not all of it was given */
    size_t pending_at;
    bool comma; /* before it */
};

/* --- putting it together ------------------------------------------------------------------- */

static void add_part(struct listing *listing, struct part part)
{
    if (listing->count < PARTS_MAX)
        listing->parts[listing->count++] = part;
}

struct listing *listing_create(const struct daemon *daemon, cJSON *members)
{
    struct listing *listing = calloc(1, sizeof *listing);
    char *text = listing ? cJSON_PrintUnformatted(members) : NULL;
    cJSON_Delete(members);
    if (!text) {
        free(listing);
        return NULL;
    }
    text[strlen(text) - 1] = '\0'; /* its brace: there is more to come */
    listing->loop = daemon->loop;
    listing->reader = daemon->reader;
    listing->playlist = playlist_share(&daemon->session->playlist);
    listing->current = session_current_item(daemon->session);
    add_part(listing, (struct part){.kind = PART_TEXT, .text = text});
    return listing;
}

/* ,"NAME":[ ... ] */
static void add_list(struct listing *listing, const char *name, struct part list)
{
    size_t room = strlen(name) + sizeof ",\"\":[";
    char *head = malloc(room);
    if (head)
        snprintf(head, room, ",\"%s\":[", name);
    add_part(listing, (struct part){.kind = PART_TEXT, .text = head});
    add_part(listing, list);
    add_part(listing, (struct part){.kind = PART_TEXT, .text = strdup("]")});
}

void listing_add_items(struct listing *listing, const char *name, size_t from, size_t to)
{
    if (listing)
        add_list(listing, name,
                 (struct part){.kind = PART_ITEMS, .from = from, .at = from, .end = to});
}

static void copy_requests(struct listing *listing, const struct requests *requests)
{
    size_t bytes = requests->count * sizeof *requests->entries;
    listing->requests = bytes > 0 ? malloc(bytes) : NULL;
    if (!listing->requests)
        return;
    memcpy(listing->requests, requests->entries, bytes);
    listing->request_count = requests->count;
}

void listing_add_requests(struct listing *listing, const struct requests *requests,
                          const char *name)
{
    if (!listing)
        return;
    copy_requests(listing, requests);
    add_list(listing, name, (struct part){.kind = PART_REQUESTS, .end = listing->request_count});
}

/* --- giving it ----------------------------------------------------------------------------- */

static char *print(cJSON *json)
{
    char *text = cJSON_PrintUnformatted(json);
    cJSON_Delete(json);
    return text;
}

static char *make_one(struct listing *listing, struct part *part)
{
    size_t at = part->at++;
    listing->comma = at > part->from;
    if (part->kind == PART_REQUESTS) {
        const struct request_entry *entry = &listing->requests[at];
        return print(status_build_request(&entry->message, entry->mine));
    }
    const struct playlist_item *item = &listing->playlist.items[at];
    return print(status_build_item(item, (int)at, item == listing->current));
}

/* What comes next, to be freed; NULL: nothing. What there is no memory for is left out. */
static char *make_next(struct listing *listing, unsigned *items)
{
    while (listing->now < listing->count) {
        struct part *part = &listing->parts[listing->now];
        bool listed = part->kind != PART_TEXT && part->at < part->end;
        char *made = listed ? make_one(listing, part) : part->text;
        *items += listed;
        if (!listed) {
            part->text = NULL;
            listing->now++;
        }
        if (made)
            return made;
    }
    return NULL;
}

static size_t give_pending(struct listing *listing, char *to, size_t room)
{
    size_t left = strlen(listing->pending + listing->pending_at), done = 0;
    if (listing->comma)
        to[done++] = ',';
    listing->comma = false;
    size_t count = left < room - done ? left : room - done;
    memcpy(to + done, listing->pending + listing->pending_at, count);
    listing->pending_at += count;
    if (count == left) {
        free(listing->pending);
        listing->pending = NULL;
    }
    return done + count;
}

static size_t more(void *user, char *to, size_t room)
{
    struct listing *listing = user;
    unsigned items = 0;
    size_t done = 0;
    while (done < room && (items < ITEMS_PER_PIECE || listing->pending)) {
        if (!listing->pending) {
            listing->pending = make_next(listing, &items);
            listing->pending_at = 0;
        }
        if (!listing->pending)
            break;
        done += give_pending(listing, to + done, room - done);
    }
    loop_note_work(listing->loop, items, done);
    return done;
}

static void finish(void *user)
{
    struct listing *listing = user;
    for (int i = 0; i < listing->count; i++)
        free(listing->parts[i].text);
    texts_forget_playlist(listing->reader, &listing->playlist);
    free(listing->requests);
    free(listing->pending);
    free(listing);
}

static size_t count_items(const struct listing *listing)
{
    size_t count = 0;
    for (int i = 0; i < listing->count; i++)
        count += listing->parts[i].end - listing->parts[i].from;
    return count;
}

/* Of a few items, at once: what a line is made from need not be kept for whoever reads slowly. */
static char *make_line(struct listing *listing)
{
    char *line = NULL;
    size_t bytes = 0, more_bytes;
    do {
        char *grown = realloc(line, bytes + CONTROL_SOCKET_PIECE_BYTES + 1);
        if (!grown) {
            free(line);
            return NULL;
        }
        line = grown;
        more_bytes = more(listing, line + bytes, CONTROL_SOCKET_PIECE_BYTES);
        bytes += more_bytes;
    } while (more_bytes > 0);
    line[bytes] = '\0';
    return line;
}

static void send_line(struct listing *listing, struct control_client *client)
{
    char *line = make_line(listing);
    if (line)
        control_client_send(client, line);
    free(line);
    finish(listing);
}

void listing_send(struct listing *listing, struct control_client *client)
{
    if (!listing)
        return;
    add_part(listing, (struct part){.kind = PART_TEXT, .text = strdup("}")});
    if (!client)
        finish(listing);
    else if (count_items(listing) <= ITEMS_AT_ONCE)
        send_line(listing, client);
    else
        control_client_send_long(client, &(struct control_source){more, finish, listing});
}
