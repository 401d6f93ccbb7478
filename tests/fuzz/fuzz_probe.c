/*
 * fuzz_probe.c: any bytes as a file of which is asked what it is, and how many frames of an mp3 are
 * in it. The first byte says in how many pieces they come, the second how often they are repeated:
 * files are longer than a fuzzer's inputs. The answer does not depend on the pieces, and each way
 * to it gets on.
 */
#include "fuzz.h"
#include "tutti/core/audio_probe.h"
#include "tutti/core/mp3_walk.h"

#include <string.h>

#define HEAD_BYTES 2
#define FILE_BYTES_MAX 98304
#define PIECES_MAX 16
/* Mostly not at all, for speed. */
#define REPEATED_FROM 240

static unsigned char file[FILE_BYTES_MAX];

/* What is there of the file from `offset` on, when `come` bytes of it have come. */
static const unsigned char *window(int64_t offset, size_t come, size_t *ret_count)
{
    size_t at = offset < (int64_t)come ? (size_t)offset : come;
    *ret_count = come - at;
    return file + at;
}

static size_t come_on(size_t come, size_t size, size_t piece)
{
    return size - come < piece ? size : come + piece;
}

static void probe_in_pieces(size_t size, size_t piece, struct audio_probe *probe)
{
    size_t come = 0, count;
    audio_probe_init(probe);
    for (;;) {
        come = come_on(come, size, piece);
        int64_t before = probe->offset;
        const unsigned char *bytes = window(before, come, &count);
        if (audio_probe_step(probe, bytes, count, come == size))
            return;
        FUZZ_CHECK(probe->offset >= before);
        FUZZ_CHECK(come < size);
    }
}

static void check_verdict(const struct audio_probe *probe, size_t size)
{
    char refusal[AUDIO_REFUSAL_MAX];
    FUZZ_CHECK((unsigned)probe->kind < AUDIO_KINDS);
    FUZZ_CHECK((probe->kind == AUDIO_EMPTY) == (size == 0));
    audio_probe_refusal(probe->kind, refusal);
    FUZZ_CHECK((refusal[0] == '\0') == audio_kind_is_played(probe->kind));
    FUZZ_CHECK(strlen(audio_kind_media_type(probe->kind)) > 0);
    if (probe->kind != AUDIO_MP3)
        return;
    FUZZ_CHECK(probe->begin >= 0 && probe->begin < (int64_t)size);
    FUZZ_CHECK(probe->tag_at < (int64_t)size && probe->first.bytes > 0);
}

static void walk_in_pieces(int64_t begin, size_t size, size_t piece, struct mp3_walk *walk)
{
    size_t come = (size_t)begin, count;
    mp3_walk_init(walk, begin);
    for (;;) {
        int64_t before = walk->offset, frames = walk->frames;
        const unsigned char *bytes = window(before, come, &count);
        enum mp3_walk_result result = mp3_walk_step(walk, bytes, count, come == size);
        FUZZ_CHECK(walk->offset >= before && walk->offset <= (int64_t)size);
        if (result == MP3_WALK_END)
            return;
        if (result == MP3_WALK_FRAME) {
            FUZZ_CHECK(walk->frames == frames + 1 && walk->offset > before);
            continue;
        }
        FUZZ_CHECK(come < size);
        come = come_on(come, size, piece);
    }
}

static void same_walk(int64_t begin, size_t size, size_t piece)
{
    struct mp3_walk whole, pieces;
    walk_in_pieces(begin, size, size, &whole);
    walk_in_pieces(begin, size, piece, &pieces);
    FUZZ_CHECK(whole.frames == pieces.frames && whole.damaged == pieces.damaged);
    FUZZ_CHECK(mp3_walk_samples(&whole) == mp3_walk_samples(&pieces));
    FUZZ_CHECK(mp3_walk_samples(&whole) >= 0);
}

static size_t make_file(const uint8_t *data, size_t size, int times)
{
    size_t made = 0;
    for (int i = 0; i < times && made + size <= FILE_BYTES_MAX; i++) {
        memcpy(file + made, data, size);
        made += size;
    }
    return made;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < HEAD_BYTES)
        return 0;
    int times = data[1] < REPEATED_FROM ? 1 : data[1] - REPEATED_FROM + 2;
    size_t bytes = make_file(data + HEAD_BYTES, size - HEAD_BYTES, times);
    size_t piece = bytes / (data[0] % PIECES_MAX + 1) + 1;
    struct audio_probe whole, pieces;
    probe_in_pieces(bytes, bytes, &whole);
    probe_in_pieces(bytes, piece, &pieces);
    check_verdict(&whole, bytes);
    FUZZ_CHECK(whole.kind == pieces.kind);
    if (whole.kind != AUDIO_MP3)
        return 0;
    FUZZ_CHECK(whole.begin == pieces.begin && whole.tag_at == pieces.tag_at);
    FUZZ_CHECK(memcmp(&whole.tag, &pieces.tag, sizeof whole.tag) == 0);
    same_walk(whole.begin, bytes, piece);
    return 0;
}
