/*
 * track_check.c: core's probe, then core's walk, fed from a window over the bytes as they come.
 *
 * Both say from which offset on they want to see bytes: what is before it is dropped. A tag of any
 * size passes by without being kept.
 */
#include "track_check.h"

#include "tutti/core/mp3_walk.h"

#include <stdlib.h>
#include <string.h>

#define WINDOW_BYTES (2 * AUDIO_PROBE_WINDOW_BYTES)

struct track_check {
    formats_t formats;
    struct audio_probe probe;
    bool probed, walking;
    struct mp3_walk walk;
    int64_t walk_begin;
    int64_t at; /* the offset of window[0] */
    size_t count;
    unsigned char window[WINDOW_BYTES];
};

struct track_check *track_check_create(formats_t formats)
{
    struct track_check *check = calloc(1, sizeof *check);
    if (!check)
        return NULL;
    check->formats = formats;
    audio_probe_init(&check->probe);
    return check;
}

void track_check_destroy(struct track_check *check)
{
    free(check);
}

/* The bytes of the window from an offset on; count 0 when it is beyond them. */
static const unsigned char *from(const struct track_check *check, int64_t offset, size_t *ret_count)
{
    int64_t passed = offset - check->at;
    size_t skip = passed < (int64_t)check->count ? (size_t)passed : check->count;
    *ret_count = check->count - skip;
    return check->window + skip;
}

static void begin_walk(struct track_check *check, int64_t begin)
{
    if (check->walking && check->walk_begin == begin)
        return;
    check->walking = true;
    check->walk_begin = begin;
    mp3_walk_init(&check->walk, begin);
}

/* Frames are walked on trial: should nothing better turn up to the very end, as behind a tag whose
 * size is wrong, they were the music. */
static void probe(struct track_check *check, bool at_end)
{
    size_t count;
    const unsigned char *bytes = from(check, check->probe.offset, &count);
    check->probed = audio_probe_step(&check->probe, bytes, count, at_end);
    if (check->probed && check->probe.kind != AUDIO_MP3)
        check->walking = false;
    else if (check->probed)
        begin_walk(check, check->probe.begin);
    else if (check->probe.on_trial >= 0)
        begin_walk(check, check->probe.on_trial);
}

static void walk(struct track_check *check, bool at_end)
{
    enum mp3_walk_result result;
    do {
        size_t count;
        const unsigned char *bytes = from(check, check->walk.offset, &count);
        result = mp3_walk_step(&check->walk, bytes, count, at_end);
    } while (result == MP3_WALK_FRAME);
}

/* What is before the offsets that are wanted next is not needed any more. */
static void drop_passed(struct track_check *check)
{
    int64_t wanted = check->probe.offset;
    if (check->probed)
        wanted = check->walking ? check->walk.offset : INT64_MAX;
    else if (check->walking && check->walk.offset < wanted)
        wanted = check->walk.offset;
    size_t left;
    const unsigned char *bytes = from(check, wanted, &left);
    check->at += (int64_t)(check->count - left);
    memmove(check->window, bytes, left);
    check->count = left;
}

static void look(struct track_check *check, bool at_end)
{
    if (!check->probed)
        probe(check, at_end);
    if (check->walking)
        walk(check, at_end);
    drop_passed(check);
}

void track_check_feed(struct track_check *check, const void *bytes, size_t count)
{
    const unsigned char *next = bytes;
    while (count > 0) {
        size_t room = WINDOW_BYTES - check->count;
        size_t piece = count < room ? count : room;
        memcpy(check->window + check->count, next, piece);
        check->count += piece;
        next += piece;
        count -= piece;
        look(check, false);
    }
}

bool track_check_is_refused(const struct track_check *check)
{
    return check->probed && !formats_have(check->formats, check->probe.kind);
}

void track_check_refusal(const struct track_check *check, char to[AUDIO_REFUSAL_MAX])
{
    formats_refusal(check->formats, check->probe.kind, to);
}

enum audio_kind track_check_kind(const struct track_check *check)
{
    return check->probe.kind;
}

bool track_check_result(struct track_check *check, double *ret_seconds)
{
    look(check, true);
    *ret_seconds = -1;
    if (track_check_is_refused(check))
        return false;
    if (check->probe.kind != AUDIO_MP3)
        return true;
    int64_t end = check->at + (int64_t)check->count;
    struct mp3_trim trim =
        mp3_tag_trim(&check->probe.tag, check->probe.first.samples, end - check->probe.tag_at);
    *ret_seconds =
        (double)mp3_trim_played(&trim, mp3_walk_samples(&check->walk)) / check->walk.like.rate_hz;
    return true;
}
