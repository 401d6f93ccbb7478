/*
 * own_tags.c: see own_tags.h. A file is known by the address that it has in the playlist.
 */
#include "own_tags.h"

#include "tutti/codecs/describe.h"
#include "tutti/io/background.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The current track, those beside it, and some that one may go back to. */
#define KEPT 8
#define READINGS_MAX 4
#define LEAVE_NS (INT64_C(500) * 1000 * 1000)

struct entry {
    char media_url[PROTOCOL_URL_MAX]; /* "": free */
    struct track_tags tags;
};

struct own_tags {
    struct background *background;
    void (*known)(void *user);
    void *user;
    unsigned readings; /* under way or waiting */
    unsigned next;     /* the entry that was written longest ago */
    struct entry entries[KEPT];
};

struct reading {
    struct own_tags *own;
    int fd;
    enum audio_kind kind;
    struct entry found;
};

struct own_tags *own_tags_create(struct loop *loop, void (*known)(void *user), void *user)
{
    struct own_tags *own = calloc(1, sizeof *own);
    if (!own)
        return NULL;
    own->known = known;
    own->user = user;
    own->background = background_create(loop);
    if (!own->background) {
        free(own);
        return NULL;
    }
    background_set_patience(own->background, LEAVE_NS);
    return own;
}

/* A file that is still being read then is nobody's any more. */
void own_tags_destroy(struct own_tags *own)
{
    if (!own)
        return;
    own->known = NULL;
    if (background_destroy(own->background))
        free(own);
}

/* Its index; KEPT: there is none. */
static unsigned find(const struct own_tags *own, const char *media_url)
{
    unsigned i = 0;
    while (i < KEPT && strcmp(own->entries[i].media_url, media_url) != 0)
        i++;
    return media_url[0] ? i : KEPT;
}

/* From its reading on it has its place, so that it is read once. */
static void reserve(struct own_tags *own, const char *media_url)
{
    struct entry *entry = &own->entries[own->next];
    strcpy(entry->media_url, media_url);
    entry->tags = track_tags_none();
    own->next = (own->next + 1) % KEPT;
}

/* In the background, which touches nothing else. */
static void read_file(void *job)
{
    struct reading *reading = job;
    describe_file(reading->fd, reading->kind, &reading->found.tags);
    close(reading->fd);
}

static void done(void *job)
{
    struct reading *reading = job;
    struct own_tags *own = reading->own;
    unsigned place = find(own, reading->found.media_url);
    own->readings--;
    if (place < KEPT)
        own->entries[place] = reading->found;
    free(reading);
    if (own->known)
        own->known(own->user);
}

/* What it is, the backend says; where it is wrong, nothing is found. */
static enum audio_kind kind_of(const struct playlist_item *item)
{
    return strcmp(item->media_type, "audio/mpeg") == 0 ? AUDIO_MP3 : AUDIO_UNKNOWN;
}

void own_tags_read(struct own_tags *own, const struct playlist_item *item, int fd)
{
    if (!item || fd < 0 || own->readings == READINGS_MAX || track_tags_are_told(&item->tags) ||
        !item->media_url[0] || find(own, item->media_url) < KEPT)
        return;
    struct reading *reading = calloc(1, sizeof *reading);
    if (!reading)
        return;
    *reading =
        (struct reading){.own = own, .fd = fcntl(fd, F_DUPFD_CLOEXEC, 0), .kind = kind_of(item)};
    strcpy(reading->found.media_url, item->media_url);
    if (reading->fd >= 0 && background_try(own->background, read_file, done, reading)) {
        own->readings++;
        reserve(own, item->media_url);
        return;
    }
    if (reading->fd >= 0)
        close(reading->fd);
    free(reading);
}

const struct track_tags *own_tags_of(const struct own_tags *own, const struct playlist_item *item)
{
    if (!item)
        return NULL;
    if (track_tags_are_told(&item->tags))
        return &item->tags;
    unsigned place = find(own, item->media_url);
    return place < KEPT ? &own->entries[place].tags : NULL;
}
