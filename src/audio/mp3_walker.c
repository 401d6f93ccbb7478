/*
 * mp3_walker.c: what core/mp3_walk finds, made into a stream without garbage.
 *
 * Where frames do not go on from those before them, some zeros are put between: so mpg123 notices
 * that the bit reservoir ends there.
 */
#include "mp3_walker.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#define GAP_BYTES 16
/* More would be a megabyte of them. */
#define STRETCHES_MAX 65536

static void fill_buffer(struct mp3_file *file, int64_t at)
{
    int64_t left = file->available_bytes - at;
    size_t want = left < MP3_READ_BUFFER_BYTES ? (size_t)left : MP3_READ_BUFFER_BYTES;
    ssize_t got;
    do
        got = pread(file->fd, file->buffer, want, (off_t)at);
    while (got < 0 && errno == EINTR);
    file->buffer_at = at;
    file->buffer_bytes = got > 0 ? (size_t)got : 0;
    file->starved = got == 0 && !file->complete;
    file->failed = got <= 0 && !file->starved;
}

size_t mp3_file_look(struct mp3_file *file, int64_t at, size_t wanted, const unsigned char **ret)
{
    int64_t left = file->available_bytes - at;
    if (left <= 0)
        return 0;
    if ((int64_t)wanted > left)
        wanted = (size_t)left;
    int64_t offset = at - file->buffer_at;
    if (offset < 0 || offset + (int64_t)wanted > (int64_t)file->buffer_bytes) {
        fill_buffer(file, at);
        offset = 0;
    }
    size_t here = file->buffer_bytes - (size_t)offset;
    *ret = file->buffer + offset;
    return here < wanted ? here : wanted;
}

static void start_over(struct mp3_walker *walker)
{
    mp3_walk_init(&walker->walk, walker->begin);
    walker->done = walker->full = false;
    walker->stream_bytes = 0;
    walker->stretch_count = walker->index_count = 0;
    walker->index_step = 1;
    walker->file.buffer_bytes = 0;
}

void mp3_walker_open(struct mp3_walker *walker, int64_t begin)
{
    walker->begin = begin;
    start_over(walker);
}

void mp3_walker_close(struct mp3_walker *walker)
{
    free(walker->stretches);
    walker->stretches = NULL;
    walker->stretch_count = walker->stretch_room = 0;
}

void mp3_walker_set_available(struct mp3_walker *walker, int64_t available_bytes, bool complete)
{
    walker->file.available_bytes = available_bytes;
    walker->file.complete = complete;
    if (available_bytes < walker->walk.offset && !complete)
        start_over(walker); /* a download has begun again */
}

static bool add_stretch(struct mp3_walker *walker)
{
    if (walker->stretch_count == walker->stretch_room) {
        size_t room = walker->stretch_room ? 2 * walker->stretch_room : 4;
        struct mp3_stretch *more =
            room > STRETCHES_MAX ? NULL : realloc(walker->stretches, room * sizeof *more);
        if (!more)
            return false;
        walker->stretches = more;
        walker->stretch_room = room;
    }
    walker->stream_bytes += walker->stretch_count > 0 ? GAP_BYTES : 0;
    walker->stretches[walker->stretch_count++] =
        (struct mp3_stretch){walker->stream_bytes, walker->walk.frame_at};
    return true;
}

/* The index thins out as it grows, as mpg123's own does. */
static void add_to_index(struct mp3_walker *walker)
{
    if ((walker->walk.frames - 1) % walker->index_step != 0)
        return;
    if (walker->index_count == MP3_INDEX_FRAMES) {
        for (size_t i = 0; i < MP3_INDEX_FRAMES / 2; i++)
            walker->index[i] = walker->index[2 * i];
        walker->index_count = MP3_INDEX_FRAMES / 2;
        walker->index_step *= 2;
        if ((walker->walk.frames - 1) % walker->index_step != 0)
            return;
    }
    walker->index[walker->index_count++] = (off_t)walker->stream_bytes;
}

static bool add_frame(struct mp3_walker *walker)
{
    if (walker->walk.apart && !add_stretch(walker))
        return false;
    add_to_index(walker);
    walker->stream_bytes += walker->walk.frame.bytes;
    return true;
}

bool mp3_walker_may_step(const struct mp3_walker *walker)
{
    const struct mp3_file *file = &walker->file;
    return !walker->done && !file->failed &&
           (file->complete || file->available_bytes - walker->walk.offset >= MP3_WALK_WINDOW_BYTES);
}

void mp3_walker_step(struct mp3_walker *walker, int count)
{
    int64_t end = walker->walk.offset + MP3_WALK_BYTES;
    int64_t enough = walker->walk.searched_bytes + MP3_WALK_SEARCH_BYTES;
    while (count-- > 0 && mp3_walker_may_step(walker) && walker->walk.offset < end &&
           walker->walk.searched_bytes < enough) {
        const unsigned char *bytes = NULL;
        struct mp3_file *file = &walker->file;
        size_t there = mp3_file_look(file, walker->walk.offset, MP3_WALK_WINDOW_BYTES, &bytes);
        if (file->starved || file->failed) {
            start_over(walker);
            return;
        }
        bool at_end =
            file->complete && walker->walk.offset + (int64_t)there >= file->available_bytes;
        struct mp3_walk before = walker->walk;
        switch (mp3_walk_step(&walker->walk, bytes, there, at_end)) {
        case MP3_WALK_FRAME:
            if (add_frame(walker))
                break;
            walker->walk = before;
            walker->done = walker->full = true;
            break;
        case MP3_WALK_MORE:
            break;
        case MP3_WALK_END:
            walker->done = true;
        }
    }
}

int64_t mp3_walker_locate(const struct mp3_walker *walker, int64_t stream_at, int64_t *ret_count)
{
    size_t low = 0, high = walker->stretch_count;
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;
        if (walker->stretches[middle].stream_at <= stream_at)
            low = middle;
        else
            high = middle;
    }
    const struct mp3_stretch *stretch = &walker->stretches[low];
    bool last = low + 1 == walker->stretch_count;
    int64_t next = last ? walker->stream_bytes + GAP_BYTES : stretch[1].stream_at;
    int64_t end = next - GAP_BYTES;
    *ret_count = (stream_at < end ? end : next) - stream_at;
    return stream_at < end ? stretch->file_at + stream_at - stretch->stream_at : -1;
}
