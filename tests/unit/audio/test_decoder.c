/*
 * test_decoder.c: exact decoding and seeking, on files made from a few small ones: with and
 * without tags, grown byte by byte, damaged, cut, glued together.
 */
#include "../cmocka_all.h"
#include "tutti/audio/decoder.h"
#include "tutti/codecs/helper.h"

#include <fcntl.h>
#include <math.h>
#include <mpg123.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

struct bytes {
    unsigned char *data;
    size_t count;
};

struct pcm {
    float *frames;
    int64_t count;
    int64_t room;
    float slack; /* that another decoding may differ by */
};

#define FILE_BYTES_MAX (1 << 22)

static struct bytes load_from(const char *where, const char *name)
{
    char path[512];
    snprintf(path, sizeof path, "%s/%s.mp3", where, name);
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    struct bytes bytes = {.data = malloc(FILE_BYTES_MAX)};
    assert_non_null(bytes.data);
    bytes.count = fread(bytes.data, 1, FILE_BYTES_MAX, file);
    assert_true(bytes.count > 0 && bytes.count < FILE_BYTES_MAX);
    fclose(file);
    return bytes;
}

static struct bytes load(const char *name)
{
    return load_from(TEST_DATA_DIR, name);
}

static struct bytes join(struct bytes a, struct bytes b)
{
    struct bytes both = {.data = malloc(a.count + b.count), .count = a.count + b.count};
    assert_non_null(both.data);
    memcpy(both.data, a.data, a.count);
    memcpy(both.data + a.count, b.data, b.count);
    free(a.data);
    free(b.data);
    return both;
}

static struct bytes filled(size_t count, int value)
{
    struct bytes bytes = {.data = malloc(count), .count = count};
    assert_non_null(bytes.data);
    memset(bytes.data, value, count);
    return bytes;
}

/* Bytes of the layer III frame that begins here. */
static size_t frame_bytes(const unsigned char *head)
{
    static const int kbps_1[] = {0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320};
    static const int kbps_2[] = {0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160};
    static const int rates[] = {44100, 48000, 32000};
    int version = head[1] >> 3 & 3; /* 3: MPEG 1, 2: MPEG 2, 0: MPEG 2.5 */
    int rate = rates[head[2] >> 2 & 3] >> (version == 3 ? 0 : version == 2 ? 1 : 2);
    int kbps = (version == 3 ? kbps_1 : kbps_2)[head[2] >> 4];
    return (size_t)((version == 3 ? 144000 : 72000) * kbps / rate + (head[2] >> 1 & 1));
}

/* Without the first frame, which holds the tag. */
static struct bytes untagged(struct bytes bytes)
{
    size_t tag = frame_bytes(bytes.data);
    memmove(bytes.data, bytes.data + tag, bytes.count - tag);
    bytes.count -= tag;
    return bytes;
}

static size_t count_frames(struct bytes bytes)
{
    size_t count = 0;
    for (size_t at = 0; at + 4 < bytes.count && bytes.data[at] == 0xff; count++)
        at += frame_bytes(bytes.data + at);
    return count;
}

static int file_of(struct bytes bytes, size_t count)
{
    int fd = memfd_create("mp3", MFD_CLOEXEC);
    assert_true(fd >= 0);
    assert_int_equal(pwrite(fd, bytes.data, count, 0), count);
    return fd;
}

/* As long as it wants time only. */
static enum decoder_result open_now(int fd, int64_t available, int64_t total,
                                    struct decoder **opening, char *error)
{
    enum decoder_result result;
    do
        result = decoder_open(fd, available, total, opening, error);
    while (result == DECODER_AGAIN && decoder_wants_time(*opening));
    return result;
}

static struct decoder *open_complete(struct bytes bytes, int *ret_fd)
{
    struct decoder *decoder = NULL;
    char error[DECODER_ERROR_MAX] = "";
    *ret_fd = file_of(bytes, bytes.count);
    int64_t count = (int64_t)bytes.count;
    enum decoder_result result = open_now(*ret_fd, count, count, &decoder, error);
    if (result != DECODER_OK)
        fail_msg("not opened: %s", error);
    return decoder;
}

static void append(struct pcm *pcm, const float *frames, size_t count)
{
    size_t frame_bytes_pcm = DECODER_CHANNELS * sizeof(float);
    if (count == 0)
        return;
    if (pcm->count + (int64_t)count > pcm->room) {
        pcm->room = 2 * (pcm->count + (int64_t)count);
        pcm->frames = realloc(pcm->frames, (size_t)pcm->room * frame_bytes_pcm);
        assert_non_null(pcm->frames);
    }
    memcpy(pcm->frames + pcm->count * DECODER_CHANNELS, frames, count * frame_bytes_pcm);
    pcm->count += (int64_t)count;
}

/* Until the end, or until limit frames. */
static struct pcm read_on(struct decoder *decoder, int64_t limit)
{
    struct pcm pcm = {0};
    float frames[1000 * DECODER_CHANNELS];
    while (pcm.count < limit) {
        int64_t left = limit - pcm.count;
        size_t count = 0;
        enum decoder_result result =
            decoder_read(decoder, frames, left < 1000 ? (size_t)left : 1000, &count);
        if (result == DECODER_END)
            break;
        if (result == DECODER_AGAIN && decoder_wants_time(decoder))
            continue;
        if (result != DECODER_OK)
            fail_msg("read: result %d: %s", result, decoder_error(decoder));
        assert_true(count > 0);
        append(&pcm, frames, count);
    }
    return pcm;
}

static struct pcm decode_all(struct bytes bytes)
{
    int fd;
    struct decoder *decoder = open_complete(bytes, &fd);
    struct pcm pcm = read_on(decoder, INT64_MAX);
    assert_int_equal(decoder_length_frames(decoder), pcm.count);
    pcm.slack = decoder_rate_hz(decoder) < 32000 ? 1e-6f : 0;
    decoder_destroy(decoder);
    close(fd);
    return pcm;
}

static enum decoder_result seek_patiently(struct decoder *decoder, int64_t frame)
{
    enum decoder_result result;
    do
        result = decoder_seek(decoder, frame);
    while (result == DECODER_AGAIN && decoder_wants_time(decoder));
    return result;
}

static uint32_t random_below(uint32_t limit)
{
    static uint32_t state = 1;
    state = state * 1664525u + 1013904223u;
    return (uint32_t)((uint64_t)state * limit >> 32);
}

/* The samples themselves, to the last bit. Below 32 kHz (MPEG 2) to the last bit or so: mpg123 may
 * not decode a frame whose reservoir it does not have, and then its synthesis window is elsewhere
 * in its ring, which decides in which order it adds. */
static void check_same(const struct pcm *all, int64_t at, const struct pcm *part)
{
    assert_true(at + part->count <= all->count);
    const float *wanted = all->frames + at * DECODER_CHANNELS;
    for (int64_t i = 0; i < part->count * DECODER_CHANNELS; i++)
        if (fabsf(wanted[i] - part->frames[i]) > all->slack)
            fail_msg("frame %lld of %lld from %lld on: %.9g, but %.9g in a full decode",
                     (long long)(i / 2), (long long)part->count, (long long)at,
                     (double)part->frames[i], (double)wanted[i]);
}

/* Where a track of several rates ends may show only when it is read. */
static void check_end(struct decoder *decoder, int64_t frame)
{
    enum decoder_result result = seek_patiently(decoder, frame);
    assert_true(result == DECODER_END || result == DECODER_OK);
    assert_int_equal(read_on(decoder, INT64_MAX).count, 0);
    assert_int_equal(seek_patiently(decoder, frame), DECODER_END);
}

static void check_seeks(struct bytes bytes, int count)
{
    struct pcm all = decode_all(bytes);
    int fd;
    struct decoder *decoder = open_complete(bytes, &fd);
    for (int i = 0; i < count; i++) {
        int64_t at = random_below((uint32_t)all.count);
        if (seek_patiently(decoder, at) != DECODER_OK)
            fail_msg("cannot seek to %lld of %lld; length %lld", (long long)at,
                     (long long)all.count, (long long)decoder_length_frames(decoder));
        struct pcm part = read_on(decoder, 1 + random_below(5000));
        assert_true(part.count > 0);
        check_same(&all, at, &part);
        free(part.frames);
    }
    check_end(decoder, all.count);
    check_end(decoder, all.count + 100000);
    assert_int_equal(seek_patiently(decoder, -5), DECODER_OK);
    struct pcm again = read_on(decoder, INT64_MAX);
    assert_int_equal(again.count, all.count);
    check_same(&all, 0, &again);
    free(again.frames);
    free(all.frames);
    decoder_destroy(decoder);
    close(fd);
}

static const char *const names[] = {"cbr44", "vbr48", "mono22", "low8"};
#define NAMES (sizeof names / sizeof *names)

static void test_seeks_are_exact(void **state)
{
    (void)state;
    for (size_t i = 0; i < NAMES; i++) {
        struct bytes bytes = load(names[i]);
        check_seeks(bytes, 100);
        bytes = untagged(bytes);
        check_seeks(bytes, 100);
        free(bytes.data);
    }
}

static void test_seeks_in_music_are_exact(void **state)
{
    static const char *const music[] = {"harbour", "lantern", "meadow", "pier", "sine997"};
    (void)state;
    for (size_t i = 0; i < sizeof music / sizeof *music; i++) {
        struct bytes bytes = load_from(MUSIC_DIR, music[i]);
        check_seeks(bytes, 100);
        free(bytes.data);
    }
}

/* A few minutes made of copies. */
static struct bytes long_track(const char *name, int copies)
{
    struct bytes one = untagged(load(name));
    struct bytes all = {.data = malloc(one.count * (size_t)copies),
                        .count = one.count * (size_t)copies};
    assert_non_null(all.data);
    for (int i = 0; i < copies; i++)
        memcpy(all.data + (size_t)i * one.count, one.data, one.count);
    free(one.data);
    return all;
}

static void test_seeks_in_a_long_track_are_exact(void **state)
{
    (void)state;
    struct bytes bytes = long_track("cbr44", 150);
    check_seeks(bytes, 30);
    free(bytes.data);
}

static double cpu_seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

/* A call's work is bounded by design; what is asserted is that it does not grow with the track:
 * the longest of the calls against the sum of them. */
static void test_a_far_seek_is_done_in_slices(void **state)
{
    (void)state;
    struct bytes bytes = long_track("cbr44", 500);
    int fd;
    struct decoder *decoder = open_complete(bytes, &fd);
    int calls = 0;
    double longest = 0, sum = 0;
    enum decoder_result result;
    do {
        double before = cpu_seconds();
        result = decoder_seek(decoder, 44100 * 3000);
        double took = cpu_seconds() - before;
        sum += took;
        longest = took > longest ? took : longest;
        calls++;
    } while (result == DECODER_AGAIN && decoder_wants_time(decoder));
    assert_int_equal(result, DECODER_OK);
    print_message("seek of 50 minutes: %d calls, %.1f ms in all, longest %.2f ms\n", calls,
                  1e3 * sum, 1e3 * longest);
    assert_true(calls > 100);
    assert_int_equal(decoder_seek(decoder, 44100 * 100), DECODER_OK);
    assert_int_equal(decoder_seek(decoder, 44100 * 2900), DECODER_OK);
    decoder_destroy(decoder);
    close(fd);
    free(bytes.data);
}

/* mpg123 by itself, as its documentation has it. */
static struct pcm decode_plainly(struct bytes bytes)
{
    struct pcm pcm = {0};
    mpg123_handle *mpg = mpg123_new(NULL, NULL);
    mpg123_param(mpg, MPG123_ADD_FLAGS, MPG123_QUIET | MPG123_FORCE_FLOAT | MPG123_FORCE_STEREO, 0);
    int fd = file_of(bytes, bytes.count);
    lseek(fd, 0, SEEK_SET);
    assert_int_equal(mpg123_open_fd(mpg, fd), MPG123_OK);
    int result;
    do {
        float frames[1152 * DECODER_CHANNELS];
        size_t got = 0;
        result = mpg123_read(mpg, frames, sizeof frames, &got);
        append(&pcm, frames, got / sizeof(float) / DECODER_CHANNELS);
    } while (result == MPG123_OK || result == MPG123_NEW_FORMAT);
    mpg123_delete(mpg);
    close(fd);
    return pcm;
}

static void test_decodes_as_mpg123_does(void **state)
{
    (void)state;
    for (size_t i = 0; i < NAMES; i++) {
        struct bytes bytes = load(names[i]);
        struct pcm plain = decode_plainly(bytes), ours = decode_all(bytes);
        assert_int_equal(ours.count, plain.count);
        check_same(&plain, 0, &ours);
        free(plain.frames);
        free(ours.frames);
        free(bytes.data);
    }
}

static void check_length(struct bytes bytes, unsigned rate_hz, int64_t at_once, int64_t in_the_end)
{
    int fd;
    struct decoder *decoder = open_complete(bytes, &fd);
    assert_int_equal(decoder_rate_hz(decoder), rate_hz);
    assert_int_equal(decoder_length_frames(decoder), at_once);
    /* What is walked by the way while playing tells the length long before the end. */
    struct pcm some = read_on(decoder, rate_hz * 2);
    free(some.frames);
    assert_int_equal(decoder_length_frames(decoder), in_the_end);
    some = read_on(decoder, INT64_MAX);
    assert_int_equal(some.count + rate_hz * 2, in_the_end);
    assert_int_equal(decoder_length_frames(decoder), in_the_end);
    assert_int_equal(decoder_damaged_frames(decoder), 0);
    free(some.frames);
    decoder_destroy(decoder);
    close(fd);
}

/* 6.1 s of sound, as it went into the encoder: no delay, no padding. */
static void test_length_is_exact(void **state)
{
    (void)state;
    static const unsigned rates[] = {44100, 48000, 22050, 8000};
    for (size_t i = 0; i < NAMES; i++) {
        struct bytes bytes = load(names[i]);
        int64_t length = rates[i] * 61 / 10;
        check_length(bytes, rates[i], length, length);
        bytes = untagged(bytes);
        int64_t frames = (int64_t)count_frames(bytes) * (rates[i] > 24000 ? 1152 : 576);
        check_length(bytes, rates[i], -1, frames);
        free(bytes.data);
    }
}

/* With those of the other tests, all nine. */
static void test_the_other_rates(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        unsigned rate_hz;
    } files[] = {{"rate11", 11025},
                 {"rate12", 12000},
                 {"rate16", 16000},
                 {"rate24", 24000},
                 {"rate32", 32000}};
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        int fd;
        struct bytes bytes = load(files[i].name);
        struct decoder *decoder = open_complete(bytes, &fd);
        assert_int_equal(decoder_rate_hz(decoder), files[i].rate_hz);
        decoder_destroy(decoder);
        close(fd);
        struct pcm plain = decode_plainly(bytes), ours = decode_all(bytes);
        assert_int_equal(ours.count, (files[i].rate_hz * 3 + 1) / 2);
        assert_int_equal(plain.count, ours.count);
        check_same(&plain, 0, &ours);
        check_seeks(bytes, 50);
        bytes = untagged(bytes);
        check_seeks(bytes, 50);
        free(plain.frames);
        free(ours.frames);
        free(bytes.data);
    }
}

static void test_a_tag_that_lies_is_found_out(void **state)
{
    (void)state;
    struct bytes bytes = load("cbr44");
    struct pcm all = decode_all(bytes);
    size_t half = 0;
    for (int i = 0; i < 120; i++)
        half += frame_bytes(bytes.data + half);
    bytes.count = half;
    check_length(bytes, 44100, 44100 * 61 / 10, 119 * 1152 - 576 - 529);
    check_seeks(bytes, 20);
    bytes.count = half + 100; /* within a frame */
    struct pcm cut = decode_all(bytes);
    assert_int_equal(cut.count, 119 * 1152 - 576 - 529);
    check_same(&all, 0, &cut);
    free(cut.frames);
    free(all.frames);
    free(bytes.data);

    /* Much longer than the tag says: browsers believe only its delay then. */
    bytes = join(load("cbr44"), untagged(load("cbr44")));
    check_length(bytes, 44100, -1, 2 * 235 * 1152 - 576 - 529);
    check_seeks(bytes, 50);
    free(bytes.data);
}

static struct bytes id3v2(size_t size)
{
    struct bytes tag = filled(10 + size, 0);
    memcpy(tag.data, "ID3\4\0\0", 6);
    for (int i = 0; i < 4; i++)
        tag.data[6 + i] = (unsigned char)(size >> (7 * (3 - i)) & 0x7f);
    for (size_t i = 10; i < tag.count; i++) /* a picture full of what looks like headers */
        tag.data[i] = (unsigned char)(i % 4 == 0 ? 0xff : i % 4 == 1 ? 0xfb : 0x90);
    return tag;
}

static void test_id3_of_any_size_is_skipped(void **state)
{
    (void)state;
    struct bytes plain = load("vbr48");
    struct pcm all = decode_all(plain);
    static const size_t sizes[] = {0, 100, 70000, 5000000};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        struct bytes end = filled(128, 0);
        memcpy(end.data, "TAG", 3);
        struct bytes bytes = join(join(id3v2(sizes[i]), load("vbr48")), end);
        struct pcm ours = decode_all(bytes);
        assert_int_equal(ours.count, all.count);
        check_same(&all, 0, &ours);
        check_length(bytes, 48000, all.count, all.count);
        check_seeks(bytes, 10);
        free(ours.frames);
        free(bytes.data);
    }
    free(all.frames);
    free(plain.data);
}

/* Grows the file by `chunk` bytes whenever the decoder is out of them. */
static struct pcm decode_growing(struct bytes bytes, size_t chunk, bool total_known, int64_t from)
{
    struct decoder *decoder = NULL;
    char error[DECODER_ERROR_MAX];
    int fd = file_of(bytes, 0);
    size_t there = 0;
    int64_t total = total_known ? (int64_t)bytes.count : -1;
    struct pcm pcm = {0};
    bool opened = false, sought = false;
    for (;;) {
        enum decoder_result result = DECODER_AGAIN;
        float frames[700 * DECODER_CHANNELS];
        size_t count = 0;
        bool wants_time = false;
        if (!opened)
            result = decoder_open(fd, (int64_t)there, total, &decoder, error);
        else if (!sought)
            result = decoder_seek(decoder, from);
        else
            result = decoder_read(decoder, frames, 700, &count);
        if (sought && result == DECODER_OK)
            append(&pcm, frames, count);
        else if (result == DECODER_OK && decoder_rate_hz(decoder) > 0)
            sought = decoder_seek(decoder, from) == DECODER_OK;
        opened = opened || result == DECODER_OK;
        if (decoder)
            wants_time = decoder_wants_time(decoder);
        if (result == DECODER_END)
            break;
        assert_int_not_equal(result, DECODER_ERROR);
        if (result == DECODER_OK || wants_time)
            continue;
        assert_true(there < bytes.count); /* of a whole file no bytes are wanted */
        size_t more = bytes.count - there < chunk ? bytes.count - there : chunk;
        assert_int_equal(pwrite(fd, bytes.data + there, more, (off_t)there), more);
        there += more;
        if (opened)
            decoder_set_available(decoder, (int64_t)there, there == bytes.count);
        else if (there == bytes.count)
            total = (int64_t)there;
    }
    decoder_destroy(decoder);
    close(fd);
    return pcm;
}

static void check_growing(struct bytes bytes)
{
    struct pcm all = decode_all(bytes);
    static const size_t chunks[] = {1000, 4096, 30011};
    for (size_t i = 0; i < sizeof chunks / sizeof *chunks; i++) {
        struct pcm grown = decode_growing(bytes, chunks[i], i % 2, 0);
        assert_int_equal(grown.count, all.count);
        check_same(&all, 0, &grown);
        free(grown.frames);
        int64_t from = random_below((uint32_t)all.count);
        grown = decode_growing(bytes, chunks[i], true, from);
        assert_int_equal(grown.count, all.count - from);
        check_same(&all, from, &grown);
        free(grown.frames);
    }
    free(all.frames);
}

/* Cuts `gap` bytes at `at` and puts as many of value there, if any. */
static struct bytes with_garbage(struct bytes bytes, size_t at, size_t count, int value)
{
    struct bytes tail = filled(bytes.count - at, 0);
    memcpy(tail.data, bytes.data + at, tail.count);
    bytes.count = at;
    return join(join(bytes, filled(count, value)), tail);
}

static void test_growing_files(void **state)
{
    (void)state;
    for (size_t i = 0; i < NAMES; i++) {
        struct bytes bytes = load(names[i]);
        check_growing(bytes);
        bytes = untagged(bytes);
        check_growing(bytes);
        free(bytes.data);
    }
    struct bytes bytes = join(id3v2(300000), load("cbr44"));
    check_growing(bytes);
    free(bytes.data);
}

static void test_garbage_is_skipped_and_counted(void **state)
{
    (void)state;
    static const size_t sizes[] = {1, 1000, 40000, 200000};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        struct bytes bytes = with_garbage(load("cbr44"), 30000, sizes[i], 0x55);
        struct pcm all = decode_all(bytes);
        assert_true(all.count > 44100 * 5);
        int fd;
        struct decoder *decoder = open_complete(bytes, &fd);
        free(read_on(decoder, INT64_MAX).frames);
        assert_int_equal(decoder_damaged_frames(decoder), 1);
        decoder_destroy(decoder);
        close(fd);
        check_seeks(bytes, 50);
        check_growing(bytes);
        free(all.frames);
        free(bytes.data);
    }
}

/* Where every other frame is broken, nothing can be exact; but nothing may fail or hang. */
static void test_noise_in_frames_is_survived(void **state)
{
    (void)state;
    for (size_t i = 0; i < NAMES; i++) {
        struct bytes bytes = load(names[i]);
        for (size_t at = 2000; at < bytes.count; at += 1 + random_below(900))
            bytes.data[at] = (unsigned char)random_below(256);
        int fd;
        struct decoder *decoder = open_complete(bytes, &fd);
        struct pcm all = read_on(decoder, INT64_MAX);
        assert_true(all.count > 0);
        for (int seeks = 0; seeks < 50; seeks++) {
            enum decoder_result result = seek_patiently(decoder, random_below((uint32_t)all.count));
            assert_true(result == DECODER_OK || result == DECODER_END);
            free(read_on(decoder, 3000).frames);
        }
        free(all.frames);
        free(bytes.data);
        decoder_destroy(decoder);
        close(fd);
    }
}

static void check_mixed(struct bytes first, struct bytes second, double ratio)
{
    struct pcm a = decode_all(first), b = decode_all(second);
    struct bytes bytes = join(first, second);
    struct pcm all = decode_all(bytes);
    int64_t wanted = a.count + (int64_t)((double)b.count * ratio + 0.5);
    assert_in_range(all.count + 2000, wanted + 2000 - 1200, wanted + 2000 + 1200);
    struct pcm beginning = {.frames = a.frames, .count = a.count - 1152};
    check_same(&all, 0, &beginning);
    check_seeks(bytes, 30);
    check_growing(bytes);
    int fd;
    struct decoder *decoder = open_complete(bytes, &fd);
    free(read_on(decoder, 44100 * 3).frames);
    assert_in_range(decoder_length_frames(decoder), all.count - 1200, all.count + 1200);
    decoder_destroy(decoder);
    close(fd);
    free(all.frames);
    free(a.frames);
    free(b.frames);
    free(bytes.data);
}

static void test_rate_changes_are_bridged(void **state)
{
    (void)state;
    check_mixed(untagged(load("cbr44")), untagged(load("vbr48")), 44.1 / 48);
    check_mixed(load("cbr44"), untagged(load("vbr48")), 44.1 / 48);
    check_mixed(untagged(load("cbr44")), untagged(load("mono22")), 2);
    check_mixed(untagged(load("low8")), untagged(load("cbr44")), 8 / 44.1);
    check_mixed(join(untagged(load("cbr44")), untagged(load("mono22"))), untagged(load("cbr44")),
                1);
}

static void check_refused(struct bytes bytes, const char *why)
{
    struct decoder *decoder = NULL;
    char error[DECODER_ERROR_MAX] = "";
    int fd = file_of(bytes, bytes.count);
    int64_t count = (int64_t)bytes.count;
    assert_int_equal(open_now(fd, count, count, &decoder, error), DECODER_ERROR);
    assert_null(decoder);
    if (!strstr(error, why))
        fail_msg("\"%s\" does not say \"%s\"", error, why);
    close(fd);
    free(bytes.data);
}

static void test_other_files_are_refused_by_name(void **state)
{
    (void)state;
    struct bytes html = filled(5000, ' ');
    memcpy(html.data, "<!DOCTYPE html><title>404</title>", 33);
    check_refused(html, "web page");
    struct bytes mp4 = filled(200000, 0);
    memcpy(mp4.data, "\0\0\0\40ftypM4A ", 12);
    check_refused(mp4, "tutti-codecs");
    check_refused((struct bytes){malloc(1), 0}, "empty");
    check_refused(filled(300000, 0), "no mp3 frames");
    check_refused(filled(10, 'x'), "no mp3 frames");
    struct bytes ogg = filled(5000, 1);
    memcpy(ogg.data, "OggS", 4);
    check_refused(ogg, "tutti-codecs");
}

/* --- how much one call does ---------------------------------------------------------------- */

static int64_t read_bytes;

/* Ours instead of libc's: what the decoder reads is counted, and searched through at most as often
 * as the code says. */
ssize_t pread(int fd, void *to, size_t bytes, off_t at)
{
    ssize_t got = syscall(SYS_pread64, fd, to, bytes, at);
    read_bytes += got > 0 ? got : 0;
    return got;
}

ssize_t pread64(int fd, void *to, size_t bytes, off_t at)
{
    return pread(fd, to, bytes, at);
}

/* Two windows of the probe, and some of the walk. */
#define OPEN_READ_BYTES_MAX (4 * 32768)

static enum decoder_result check_opens_in_slices(struct bytes bytes, struct decoder **opening,
                                                 int *ret_fd, char *error)
{
    enum decoder_result result = DECODER_AGAIN;
    int64_t count = (int64_t)bytes.count;
    *opening = NULL;
    *ret_fd = file_of(bytes, bytes.count);
    for (int calls = 0; result == DECODER_AGAIN; calls++) {
        read_bytes = 0;
        result = decoder_open(*ret_fd, count, count, opening, error);
        assert_true(read_bytes <= OPEN_READ_BYTES_MAX);
        assert_true(result != DECODER_AGAIN || decoder_wants_time(*opening));
        assert_true(calls < 1000);
    }
    return result;
}

/* The same header again and again, so that there are rows of headers nearly everywhere; but where
 * every fourth of a row stands there is none. */
static struct bytes headers_without_frames(size_t count)
{
    struct bytes bytes = filled(count, 0);
    for (size_t at = 0; at + 3 <= count; at += 3)
        memcpy(bytes.data + at, "\xff\xfb\x90", 3);
    for (size_t at = 3 * 417; at + 417 <= count; at += 4 * 417)
        memset(bytes.data + at, 0, 417);
    return bytes;
}

static void test_a_hostile_file_is_judged_in_slices(void **state)
{
    (void)state;
    char error[DECODER_ERROR_MAX] = "";
    struct decoder *decoder;
    struct bytes hostile[] = {headers_without_frames(2 << 20), filled(2 << 20, 0xff),
                              filled(2 << 20, 0)};
    for (size_t i = 0; i < sizeof hostile / sizeof *hostile; i++) {
        int fd;
        assert_int_equal(check_opens_in_slices(hostile[i], &decoder, &fd, error), DECODER_ERROR);
        assert_null(decoder);
        assert_non_null(strstr(error, "no mp3 frames"));
        close(fd);
        free(hostile[i].data);
    }
}

static void test_what_is_found_late_is_opened_in_slices(void **state)
{
    (void)state;
    char error[DECODER_ERROR_MAX] = "";
    struct bytes plain = load("cbr44");
    struct pcm all = decode_all(plain);
    for (int kind = 0; kind < 2; kind++) {
        int fd;
        struct decoder *decoder;
        struct bytes before = kind ? filled(900000, 0) : headers_without_frames(900000);
        memset(before.data + before.count - 3000, 0, 3000);
        struct bytes bytes = join(before, load("cbr44"));
        assert_int_equal(check_opens_in_slices(bytes, &decoder, &fd, error), DECODER_OK);
        struct pcm ours = read_on(decoder, INT64_MAX);
        assert_true(ours.count >= all.count);
        decoder_destroy(decoder);
        close(fd);
        free(ours.frames);
        free(bytes.data);
    }
    free(all.frames);
    free(plain.data);
}

/* To the end of 14 hours in a second or two, though a call does little. */
static void test_a_far_seek_takes_few_calls(void **state)
{
    (void)state;
    static const unsigned char silence[26] = {0xff, 0xf3, 0x10, 0xc0}; /* 8 kbit/s at 22050 Hz */
    enum { FRAMES = 300000, SAMPLES = 576 };
    char error[DECODER_ERROR_MAX] = "";
    struct decoder *decoder = NULL;
    struct bytes bytes = filled(FRAMES * sizeof silence, 0);
    for (size_t i = 0; i < FRAMES; i++)
        memcpy(bytes.data + i * sizeof silence, silence, sizeof silence);
    int fd = file_of(bytes, bytes.count);
    int64_t count = (int64_t)bytes.count;
    assert_int_equal(open_now(fd, count, count, &decoder, error), DECODER_OK);
    enum decoder_result result;
    int calls = 0;
    do {
        read_bytes = 0;
        result = decoder_seek(decoder, (int64_t)SAMPLES * (FRAMES - 100));
        assert_true(read_bytes <= 300000);
        calls++;
    } while (result == DECODER_AGAIN && decoder_wants_time(decoder));
    assert_int_equal(result, DECODER_OK);
    assert_in_range(calls, 10, FRAMES / 1000);
    decoder_destroy(decoder);
    close(fd);
    free(bytes.data);
}

static void test_a_file_that_shrinks_is_an_error(void **state)
{
    (void)state;
    struct bytes bytes = load("cbr44");
    int fd;
    struct decoder *decoder = open_complete(bytes, &fd);
    assert_int_equal(ftruncate(fd, 20000), 0);
    float frames[1152 * DECODER_CHANNELS];
    enum decoder_result result;
    size_t count;
    do
        result = decoder_read(decoder, frames, 1152, &count);
    while (result == DECODER_OK);
    assert_int_equal(result, DECODER_ERROR);
    assert_non_null(strstr(decoder_error(decoder), "cannot be read"));
    decoder_destroy(decoder);
    close(fd);
    free(bytes.data);
}

/* A download that cannot be resumed begins again, in the same file. */
static void test_a_file_that_begins_again_is_waited_for(void **state)
{
    (void)state;
    struct bytes bytes = load("cbr44");
    struct pcm all = decode_all(bytes);
    struct decoder *decoder = NULL;
    char error[DECODER_ERROR_MAX];
    int fd = file_of(bytes, 50000);
    int64_t total = (int64_t)bytes.count;
    assert_int_equal(open_now(fd, 50000, total, &decoder, error), DECODER_OK);
    struct pcm begin = read_on(decoder, 10000);
    assert_int_equal(ftruncate(fd, 0), 0);
    float frames[1152 * DECODER_CHANNELS];
    enum decoder_result result;
    size_t count;
    while ((result = decoder_read(decoder, frames, 1152, &count)) == DECODER_OK)
        append(&begin, frames, count);
    assert_int_equal(result, DECODER_AGAIN);
    assert_false(decoder_wants_time(decoder));
    decoder_set_available(decoder, 1000, false);
    assert_int_equal(pwrite(fd, bytes.data, 1000, 0), 1000);
    assert_int_equal(decoder_read(decoder, frames, 1152, &count), DECODER_AGAIN);
    assert_int_equal(pwrite(fd, bytes.data, bytes.count, 0), bytes.count);
    decoder_set_available(decoder, total, true);
    struct pcm rest = read_on(decoder, INT64_MAX);
    assert_int_equal(seek_patiently(decoder, all.count - 1), DECODER_OK);
    append(&begin, rest.frames, (size_t)rest.count);
    assert_int_equal(begin.count, all.count);
    check_same(&all, 0, &begin);
    free(rest.frames);
    free(begin.frames);
    free(all.frames);
    free(bytes.data);
    decoder_destroy(decoder);
    close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_decodes_as_mpg123_does),
        cmocka_unit_test(test_seeks_are_exact),
        cmocka_unit_test(test_seeks_in_music_are_exact),
        cmocka_unit_test(test_seeks_in_a_long_track_are_exact),
        cmocka_unit_test(test_a_far_seek_is_done_in_slices),
        cmocka_unit_test(test_length_is_exact),
        cmocka_unit_test(test_the_other_rates),
        cmocka_unit_test(test_a_tag_that_lies_is_found_out),
        cmocka_unit_test(test_id3_of_any_size_is_skipped),
        cmocka_unit_test(test_growing_files),
        cmocka_unit_test(test_garbage_is_skipped_and_counted),
        cmocka_unit_test(test_noise_in_frames_is_survived),
        cmocka_unit_test(test_rate_changes_are_bridged),
        cmocka_unit_test(test_other_files_are_refused_by_name),
        cmocka_unit_test(test_a_hostile_file_is_judged_in_slices),
        cmocka_unit_test(test_what_is_found_late_is_opened_in_slices),
        cmocka_unit_test(test_a_far_seek_takes_few_calls),
        cmocka_unit_test(test_a_file_that_shrinks_is_an_error),
        cmocka_unit_test(test_a_file_that_begins_again_is_waited_for),
    };
    helper_set_program("/nowhere/tutti-decode");
    return cmocka_run_group_tests(tests, NULL, NULL);
}
