/*
 * library_read.c: core's probe and walk over a file, from which only what they want is read.
 */
#include "library_read.h"

#include "tutti/core/mp3_walk.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define PIECE_BYTES 65536
/* An encoder's tag is believed if so much of the file is what it speaks of; the rest may be other
 * tags behind the music. */
#define TAGGED_LEAST 0.9

_Static_assert(PIECE_BYTES >= AUDIO_PROBE_WINDOW_BYTES && PIECE_BYTES >= MP3_WALK_WINDOW_BYTES,
               "a step with a piece always gets on");

/* A piece of the file. */
struct window {
    int fd;
    int64_t file_bytes;
    int64_t at;
    size_t count;
    unsigned char bytes[PIECE_BYTES];
};

/* From an offset on, which may be behind the end. 0, or -errno. */
static int look_at(struct window *window, int64_t offset)
{
    if (offset > window->file_bytes)
        offset = window->file_bytes;
    ssize_t got = pread(window->fd, window->bytes, sizeof window->bytes, offset);
    if (got < 0)
        return -errno;
    window->at = offset;
    window->count = (size_t)got;
    return 0;
}

static bool is_at_end(const struct window *window)
{
    return window->count < sizeof window->bytes;
}

static int probe_file(struct window *window, const atomic_bool *stop, struct audio_probe *probe)
{
    bool decided = false;
    audio_probe_init(probe);
    while (!decided) {
        int result = *stop ? -ECANCELED : look_at(window, probe->offset);
        if (result < 0)
            return result;
        bool beyond = probe->offset > window->file_bytes;
        decided =
            audio_probe_step(probe, window->bytes, beyond ? 0 : window->count, is_at_end(window));
    }
    return 0;
}

static int walk_file(struct window *window, const atomic_bool *stop, struct mp3_walk *walk)
{
    enum mp3_walk_result step = MP3_WALK_MORE;
    while (step != MP3_WALK_END) {
        int result = *stop ? -ECANCELED : look_at(window, walk->offset);
        if (result < 0)
            return result;
        do {
            int64_t passed = walk->offset - window->at;
            size_t skip = passed < (int64_t)window->count ? (size_t)passed : window->count;
            step =
                mp3_walk_step(walk, window->bytes + skip, window->count - skip, is_at_end(window));
        } while (step == MP3_WALK_FRAME);
    }
    return 0;
}

/* Of music, as the encoder's tag has it; 0: it does not say, or speaks of another file. */
static int64_t tagged_frames(const struct audio_probe *probe, int64_t file_bytes)
{
    int64_t there = file_bytes - probe->tag_at;
    bool fits = probe->tag.stream_bytes <= there &&
                (double)probe->tag.stream_bytes >= TAGGED_LEAST * (double)there;
    return probe->tag.stream_bytes > 0 && fits ? mp3_tag_frames(&probe->tag, there) : 0;
}

static int measure_mp3(struct window *window, const atomic_bool *stop,
                       const struct audio_probe *probe, double *ret_seconds)
{
    struct mp3_walk walk;
    const struct mp3_trim trim =
        mp3_tag_trim(&probe->tag, probe->first.samples, window->file_bytes - probe->tag_at);
    int64_t frames = tagged_frames(probe, window->file_bytes);
    int64_t samples = frames * probe->first.samples;
    unsigned rate_hz = probe->first.rate_hz;
    if (frames == 0) {
        mp3_walk_init(&walk, probe->begin);
        int result = walk_file(window, stop, &walk);
        if (result < 0)
            return result;
        samples = mp3_walk_samples(&walk);
        rate_hz = walk.like.rate_hz;
    }
    if (samples == 0)
        return 0;
    *ret_seconds = (double)mp3_trim_played(&trim, samples) / rate_hz;
    return 1;
}

/* What an mp3 is, is known by now, and speakers play it by themselves; of the rest the decoder
 * judges. Without one here, a speaker may still have one: it is a track of which less is known. */
static int ask_decoder(const struct library_reader *reader, const struct window *window,
                       struct library_reading *ret)
{
    char why[HELPER_ERROR_MAX];
    struct helper_told told;
    enum helper_files_result result =
        helper_files_ask(reader->decoder, window->fd, window->file_bytes, ret->kind,
                         reader->covers != NULL, &told, why);
    ret->tags = told.tags;
    if (told.picture)
        covers_keep(reader->covers, told.picture, told.picture_bytes, ret->cover);
    if (ret->kind == AUDIO_MP3)
        return 1;
    if (result == HELPER_FILE_TOLD && told.length_frames >= 0)
        ret->duration_s = (double)told.length_frames / told.rate_hz;
    return result != HELPER_FILE_REFUSED;
}

static int read_window(struct window *window, const atomic_bool *stop,
                       const struct library_reader *reader, struct library_reading *ret)
{
    struct audio_probe probe;
    int result = probe_file(window, stop, &probe);
    if (result < 0)
        return result;
    *ret =
        (struct library_reading){.kind = probe.kind, .duration_s = -1, .tags = track_tags_none()};
    if (!formats_have(reader->formats, probe.kind))
        return 0;
    if (probe.kind == AUDIO_MP3)
        result = measure_mp3(window, stop, &probe, &ret->duration_s);
    else
        result = 1;
    return result == 1 ? ask_decoder(reader, window, ret) : result;
}

int library_read(void *user, int fd, const atomic_bool *stop, struct library_reading *ret)
{
    const struct library_reader *reader = user;
    struct stat status;
    if (fstat(fd, &status) < 0)
        return -errno;
    struct window *window = malloc(sizeof *window);
    if (!window)
        return -ENOMEM;
    window->fd = fd;
    window->file_bytes = status.st_size;
    int result = read_window(window, stop, reader, ret);
    free(window);
    return result;
}
