/*
 * test_track_check.c: what the hub says of an upload, and what a speaker makes of the same bytes:
 * they must agree, about every file, on whether it is played, why not, and how long it is.
 *
 * Besides files that are nearly mp3, thousands are generated that are none, and mp3s are damaged at
 * random. TUTTI_MANY=1 (./dev test does not set it) makes 10,000 and 2,000 of them.
 */
#include "../../../src/hub/track_check.h"
#include "../cmocka_all.h"
#include "tutti/audio/decoder.h"
#include "tutti/codecs/helper.h"

#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define FILE_BYTES_MAX (1 << 22)
#define FRAMES_PER_READ 1152

struct bytes {
    unsigned char *data;
    size_t count;
};

/* What the speaker made of it. */
struct sound {
    bool refused;
    char why[DECODER_ERROR_MAX];
    float *frames;
    int64_t count;
    unsigned rate_hz;
    int64_t length_frames;
};

static uint32_t seed = 1;

static uint32_t random_below(uint32_t limit)
{
    seed = seed * 1664525u + 1013904223u;
    return (uint32_t)((uint64_t)seed * limit >> 32);
}

static int how_many(int all, int share)
{
    return getenv("TUTTI_MANY") ? all : share;
}

/* --- files ---------------------------------------------------------------------------------- */

static struct bytes filled(size_t count, int value)
{
    struct bytes bytes = {.data = malloc(count ? count : 1), .count = count};
    assert_non_null(bytes.data);
    memset(bytes.data, value, count);
    return bytes;
}

static struct bytes load(const char *name)
{
    char path[512];
    snprintf(path, sizeof path, "%s/%s.mp3", TEST_DATA_DIR, name);
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    struct bytes bytes = filled(FILE_BYTES_MAX, 0);
    bytes.count = fread(bytes.data, 1, FILE_BYTES_MAX, file);
    assert_true(bytes.count > 0 && bytes.count < FILE_BYTES_MAX);
    fclose(file);
    return bytes;
}

/* Takes both. */
static struct bytes join(struct bytes a, struct bytes b)
{
    struct bytes both = filled(a.count + b.count, 0);
    memcpy(both.data, a.data, a.count);
    memcpy(both.data + a.count, b.data, b.count);
    free(a.data);
    free(b.data);
    return both;
}

static struct bytes text(const char *from, size_t count)
{
    struct bytes bytes = filled(count, 0);
    memcpy(bytes.data, from, count);
    return bytes;
}

static struct bytes random_bytes(size_t count)
{
    struct bytes bytes = filled(count, 0);
    for (size_t i = 0; i < count; i++)
        bytes.data[i] = (unsigned char)random_below(256);
    return bytes;
}

/* As a picture is: a sync word never stands in it. */
static struct bytes picture(size_t count)
{
    static const unsigned char head[] = {0xff, 0xd8, 0xff, 0xe0, 0, 16, 'J', 'F', 'I', 'F', 0};
    struct bytes bytes = random_bytes(count);
    for (size_t i = 0; i < count; i++)
        bytes.data[i] &= 0x7f;
    memcpy(bytes.data, head, sizeof head);
    return bytes;
}

static size_t first_frame_bytes(struct bytes bytes)
{
    struct mp3_header header;
    assert_true(mp3_header_parse(bytes.data, &header));
    return (size_t)header.bytes;
}

/* Without the frame that holds the tag. */
static struct bytes untagged(const char *name)
{
    struct bytes bytes = load(name);
    size_t tag = first_frame_bytes(bytes);
    memmove(bytes.data, bytes.data + tag, bytes.count - tag);
    bytes.count -= tag;
    return bytes;
}

/* --- hearing -------------------------------------------------------------------------------- */

static void append(struct sound *sound, const float *frames, size_t count)
{
    size_t bytes = sizeof(float) * DECODER_CHANNELS;
    sound->frames = realloc(sound->frames, (size_t)(sound->count + (int64_t)count) * bytes);
    assert_non_null(sound->frames);
    memcpy(sound->frames + sound->count * DECODER_CHANNELS, frames, count * bytes);
    sound->count += (int64_t)count;
}

static void read_all(struct decoder *decoder, struct sound *sound)
{
    float frames[FRAMES_PER_READ * DECODER_CHANNELS];
    enum decoder_result result;
    do {
        size_t count = 0;
        result = decoder_read(decoder, frames, FRAMES_PER_READ, &count);
        if (result == DECODER_OK)
            append(sound, frames, count);
        if (result == DECODER_AGAIN)
            assert_true(decoder_wants_time(decoder));
    } while (result == DECODER_OK || result == DECODER_AGAIN);
    if (result == DECODER_ERROR)
        snprintf(sound->why, sizeof sound->why, "%s", decoder_error(decoder));
}

static struct sound hear(struct bytes bytes)
{
    struct sound sound = {0};
    struct decoder *decoder = NULL;
    int fd = memfd_create("track", MFD_CLOEXEC);
    int64_t count = (int64_t)bytes.count;
    assert_int_equal(pwrite(fd, bytes.data, bytes.count, 0), count);
    enum decoder_result result;
    do
        result = decoder_open(fd, count, count, &decoder, sound.why);
    while (result == DECODER_AGAIN && decoder_wants_time(decoder));
    if (result == DECODER_OK) {
        sound.rate_hz = decoder_rate_hz(decoder);
        read_all(decoder, &sound);
        sound.length_frames = decoder_length_frames(decoder);
    } else {
        sound.refused = true;
    }
    decoder_destroy(decoder);
    close(fd);
    return sound;
}

/* What the hub takes: just mp3, unless a test says otherwise. */
static formats_t formats;

static bool upload(struct bytes bytes, size_t piece, double *ret_seconds,
                   char why[AUDIO_REFUSAL_MAX])
{
    struct track_check *check = track_check_create(formats);
    assert_non_null(check);
    for (size_t at = 0; at < bytes.count; at += piece)
        track_check_feed(check, bytes.data + at,
                         bytes.count - at < piece ? bytes.count - at : piece);
    bool good = track_check_result(check, ret_seconds);
    track_check_refusal(check, why);
    track_check_destroy(check);
    return good;
}

/* The speaker may need a package, which here is not there: it says so. */
static void check_words(const char *speaker, const char *hub)
{
    if (strstr(speaker, "tutti-codecs"))
        assert_true(hub[0] != '\0');
    else
        assert_string_equal(speaker, hub);
}

/* The hub, whatever the pieces, says what the speaker does. */
static void check_agreed(struct bytes bytes, const struct sound *sound)
{
    const size_t pieces[] = {bytes.count + 1, 1000 + random_below(40000)};
    for (size_t i = 0; i < sizeof pieces / sizeof *pieces; i++) {
        char why[AUDIO_REFUSAL_MAX];
        double seconds = 0;
        bool taken = upload(bytes, pieces[i], &seconds, why);
        if (taken == sound->refused)
            fail_msg("in pieces of %zu the hub %s it (%s), the speaker %s it (%s)", pieces[i],
                     taken ? "takes" : "refuses", why, sound->refused ? "refuses" : "plays",
                     sound->why);
        if (!taken)
            check_words(sound->why, why);
        else if (fabs(seconds * sound->rate_hz - (double)sound->length_frames) > 0.01)
            fail_msg("the hub says %.6f s, the speaker %.6f", seconds,
                     (double)sound->length_frames / sound->rate_hz);
    }
}

/* Takes the bytes; hub and speaker refuse them with these words. */
static void check_refused(struct bytes bytes, const char *why)
{
    struct sound sound = hear(bytes);
    check_agreed(bytes, &sound);
    assert_true(sound.refused);
    check_words(sound.why, why);
    free(bytes.data);
}

/* Takes the bytes; the sound is the caller's. */
static struct sound check_played(struct bytes bytes, int64_t frames)
{
    struct sound sound = hear(bytes);
    if (sound.refused || sound.why[0])
        fail_msg("not played: %s", sound.why);
    check_agreed(bytes, &sound);
    assert_int_equal(sound.count, frames);
    assert_int_equal(sound.length_frames, frames);
    free(bytes.data);
    return sound;
}

/* From frame `at` on, sound is what reference is from its beginning. */
static void check_same_from(const struct sound *sound, int64_t at, const struct sound *reference)
{
    assert_true(sound->count - at <= reference->count);
    for (int64_t i = 0; i < (sound->count - at) * DECODER_CHANNELS; i++)
        if (fabsf(sound->frames[at * DECODER_CHANNELS + i] - reference->frames[i]) > 1e-5f)
            fail_msg("frame %lld: %.9g, not %.9g", (long long)(i / DECODER_CHANNELS),
                     (double)sound->frames[at * DECODER_CHANNELS + i],
                     (double)reference->frames[i]);
}

/* --- what is nearly an mp3 ------------------------------------------------------------------ */

/* Of cbr44.mp3: 235 frames of music behind a frame with LAME's tag (576 samples before the music,
 * 1134 behind it). What browsers make of the files below was compared with ffmpeg's samples. */
#define FRAMES 235
#define SAMPLES (FRAMES * 1152)

static struct bytes vbri_frame(void)
{
    struct bytes like = load("cbr44");
    struct bytes frame = filled(first_frame_bytes(like), 0);
    memcpy(frame.data, like.data, 4);
    memcpy(frame.data + 36, "VBRI\0\1\0\0\0\0\0\1\x20\0\0\0\0\xeb", 18);
    free(like.data);
    return frame;
}

static void test_a_vbri_frame_is_no_music(void **state)
{
    (void)state;
    struct sound plain = check_played(untagged("cbr44"), SAMPLES);
    struct sound sound = check_played(join(vbri_frame(), untagged("cbr44")), SAMPLES);
    check_same_from(&sound, 0, &plain);
    free(sound.frames);
    free(plain.frames);
}

/* The name of the encoder in a copy of cbr44, whose delay field says 576 and 1134. */
static struct bytes encoded_by(const char *encoder)
{
    struct bytes bytes = load("cbr44");
    for (size_t i = 0; i < first_frame_bytes(bytes); i++)
        if (memcmp(bytes.data + i, "LAME", 4) == 0) {
            memcpy(bytes.data + i, encoder, 4);
            return bytes;
        }
    fail_msg("no tag in it");
    return bytes;
}

static void test_only_some_encoders_delays_are_believed(void **state)
{
    (void)state;
    struct sound plain = check_played(untagged("cbr44"), SAMPLES);
    struct sound sound = check_played(encoded_by("GOGO"), SAMPLES);
    check_same_from(&sound, 0, &plain);
    free(sound.frames);
    struct sound trimmed = check_played(load("cbr44"), 44100 * 61 / 10);
    struct sound shifted = plain;
    shifted.frames += (576 + 529) * DECODER_CHANNELS;
    shifted.count -= 576 + 529;
    check_same_from(&trimmed, 0, &shifted);
    free(trimmed.frames);
    free(check_played(encoded_by("Lavf"), 44100 * 61 / 10).frames);
    free(check_played(encoded_by("Lavc"), 44100 * 61 / 10).frames);
    free(plain.frames);
}

static struct bytes ape_tag(void)
{
    static const char head[] = "APETAGEX\xd0\7\0\0\x32\0\0\0\1\0\0\0\0\0\0\xa0\0\0\0\0\0\0\0\0"
                               "\4\0\0\0\0\0\0\0TITLE\0song";
    return text(head, sizeof head - 1);
}

/* Elsewhere than at the very beginning a tag is a frame of silence, and trims nothing. */
static void check_silent_frame_first(struct bytes before)
{
    struct sound plain = check_played(untagged("cbr44"), SAMPLES);
    struct sound sound = check_played(join(before, load("cbr44")), SAMPLES + 1152);
    for (int i = 0; i < 1152 * DECODER_CHANNELS; i++)
        assert_true(sound.frames[i] == 0);
    check_same_from(&sound, 1152, &plain);
    free(sound.frames);
    free(plain.frames);
}

static void test_tags_count_at_the_beginning_only(void **state)
{
    (void)state;
    check_silent_frame_first(ape_tag());
    check_silent_frame_first(filled(500, 0));
    check_silent_frame_first(text("junk", 4));
}

/* size: what the tag says of itself, of count bytes that follow its head. */
static struct bytes id3(size_t size, struct bytes body)
{
    struct bytes head = text("ID3\3\0\0\0\0\0\0", 10);
    for (int i = 0; i < 4; i++)
        head.data[6 + i] = (unsigned char)(size >> (7 * (3 - i)) & 0x7f);
    return join(head, body);
}

static void test_what_stands_before_the_first_frame_is_passed_over(void **state)
{
    (void)state;
    static const size_t zeros[] = {1, 1000, 70000, 1000000};
    struct sound plain = check_played(untagged("cbr44"), SAMPLES);
    for (size_t i = 0; i < sizeof zeros / sizeof *zeros; i++) {
        struct sound sound = check_played(join(filled(zeros[i], 0), untagged("cbr44")), SAMPLES);
        check_same_from(&sound, 0, &plain);
        free(sound.frames);
    }
    struct bytes before[] = {
        picture(84000),
        id3(90000, picture(90000)),
        id3(90000, join(picture(90000), id3(70000, filled(70000, 0)))),
        id3(33000, picture(120000)),                      /* its size is too small */
        id3(100, join(filled(100, 0), picture(100000))),  /* more of it than it says */
        id3(5000, join(filled(5000, 0), filled(300, 0))), /* padding that it leaves out */
    };
    for (size_t i = 0; i < sizeof before / sizeof *before; i++) {
        struct sound sound = check_played(join(before[i], untagged("cbr44")), SAMPLES);
        check_same_from(&sound, 0, &plain);
        free(sound.frames);
    }
    /* Sizes that lead beyond the end: the music is what was in the tag. */
    struct sound sound =
        check_played(id3(99000000, join(picture(3000), untagged("cbr44"))), SAMPLES);
    check_same_from(&sound, 0, &plain);
    free(sound.frames);
    free(plain.frames);
}

static void test_browsers_search_no_farther_than_a_megabyte(void **state)
{
    (void)state;
    check_refused(join(filled((1 << 20) + 1, 0), untagged("cbr44")),
                  "no mp3 frames were found in it");
}

static void test_short_files(void **state)
{
    (void)state;
    for (int frames = 1; frames <= 6; frames++) {
        struct bytes bytes = untagged("cbr44");
        size_t end = 0;
        for (int i = 0; i < frames; i++) {
            struct mp3_header header;
            assert_true(mp3_header_parse(bytes.data + end, &header));
            end += (size_t)header.bytes;
        }
        bytes.count = end;
        if (frames == 1)
            check_refused(bytes, "no mp3 frames were found in it");
        else
            free(check_played(bytes, frames * 1152).frames);
    }
}

/* The first frames are damaged: it begins where browsers begin, at the first header that is
 * followed by another. */
static void test_damage_near_the_beginning(void **state)
{
    (void)state;
    struct bytes bytes = untagged("cbr44");
    size_t third = 2 * first_frame_bytes(bytes);
    while (bytes.data[third] != 0xff)
        third++;
    bytes.data[third] = 0;
    free(check_played(bytes, SAMPLES - 1152).frames);
}

/* --- what is none --------------------------------------------------------------------------- */

static void put_le(unsigned char *to, uint32_t value, int count)
{
    for (int i = 0; i < count; i++)
        to[i] = (unsigned char)(value >> 8 * i);
}

/* Chords under noise, as PCM: quiet ones are full of bytes that look like sync words. */
static struct bytes pcm(size_t frames, int bytes_per_sample, bool big_endian)
{
    struct bytes bytes = filled(frames * 2 * (size_t)bytes_per_sample, 0);
    double level = pow(10, -(double)random_below(60) / 20);
    double pitch = 0.005 + random_below(1000) * 0.0003;
    for (size_t i = 0; i < frames * 2; i++) {
        double noise = (double)random_below(2000) / 1000 - 1;
        double value = level * (0.6 * sin(pitch * (double)(i / 2)) +
                                0.3 * sin(1.5 * pitch * (double)(i / 2)) + 0.1 * noise);
        int32_t sample = (int32_t)(value * (double)((1 << (8 * bytes_per_sample - 1)) - 1));
        if (bytes_per_sample == 1)
            sample += 128;
        unsigned char *to = bytes.data + i * (size_t)bytes_per_sample;
        for (int k = 0; k < bytes_per_sample; k++)
            to[big_endian ? bytes_per_sample - 1 - k : k] = (unsigned char)(sample >> 8 * k);
    }
    return bytes;
}

static struct bytes wav(size_t frames, int bytes_per_sample)
{
    struct bytes data = pcm(frames, bytes_per_sample, false);
    struct bytes head = filled(44, 0);
    memcpy(head.data, "RIFF....WAVEfmt \x10\0\0\0\1\0\2", 23);
    put_le(head.data + 4, (uint32_t)data.count + 36, 4);
    put_le(head.data + 24, 44100, 4);
    put_le(head.data + 28, (uint32_t)(44100 * 2 * bytes_per_sample), 4);
    put_le(head.data + 32, (uint32_t)(2 * bytes_per_sample), 2);
    put_le(head.data + 34, (uint32_t)(8 * bytes_per_sample), 2);
    memcpy(head.data + 36, "data", 4);
    put_le(head.data + 40, (uint32_t)data.count, 4);
    return join(head, data);
}

static struct bytes adts(int frames)
{
    struct bytes all = filled(0, 0);
    while (frames-- > 0) {
        size_t size = 100 + random_below(700);
        struct bytes frame = random_bytes(size);
        const unsigned char head[] = {0xff,
                                      0xf1,
                                      0x50,
                                      (unsigned char)(0x80 | size >> 11),
                                      (unsigned char)(size >> 3),
                                      (unsigned char)(size << 5 | 0x1f),
                                      0xfc};
        memcpy(frame.data, head, sizeof head);
        all = join(all, frame);
    }
    return all;
}

static struct bytes mpeg_ts(int packets)
{
    struct bytes all = random_bytes((size_t)packets * 188);
    for (int i = 0; i < packets; i++)
        memcpy(all.data + i * 188, "G\1\0\x10", 4);
    return all;
}

static struct bytes aiff(size_t frames)
{
    struct bytes head = filled(54, 0);
    memcpy(head.data, "FORM\0\1\0\0AIFFCOMM\0\0\0\x12\0\2", 22);
    memcpy(head.data + 38, "SSND", 4);
    return join(head, pcm(frames, 2, true));
}

static struct bytes words(size_t count)
{
    struct bytes bytes = filled(count, 0);
    for (size_t i = 0; i < count; i++)
        bytes.data[i] = random_below(6) ? (unsigned char)('a' + random_below(26)) : ' ';
    return bytes;
}

static struct bytes archive(const char *magic, size_t magic_bytes, size_t count)
{
    return join(text(magic, magic_bytes), random_bytes(count));
}

/* Sync words all over, but hardly ever two where the first says. */
static struct bytes sync_words(size_t count)
{
    struct bytes bytes = random_bytes(count);
    for (size_t i = 0; i + 4 < count; i += 1 + random_below(200)) {
        bytes.data[i] = 0xff;
        bytes.data[i + 1] = 0xfb;
    }
    return bytes;
}

static struct bytes no_mp3(int kind)
{
    uint32_t size = 2000 + random_below(60000);
    switch (kind) {
    case 0:
        return random_bytes(size);
    case 1:
        return wav(size / 4, 1);
    case 2:
        return wav(size / 4, 2);
    case 3:
        return wav(size / 6, 3);
    case 4:
        return aiff(size / 4);
    case 5:
        return adts(4 + (int)random_below(60));
    case 6:
        return mpeg_ts(20 + (int)random_below(300));
    case 7:
        return archive("PK\3\4", 4, size);
    case 8:
        return archive("\x89PNG\r\n\x1a\n", 8, size);
    case 9:
        return picture(size);
    case 10:
        return words(size);
    case 11:
        return pcm(size / 4, 2, random_below(2)); /* without any head */
    case 12:
        return pcm(size / 6, 3, random_below(2));
    case 13:
        return sync_words(size);
    case 14:
        return id3(1000, join(filled(1000, 0), adts(4 + (int)random_below(60))));
    default:
        return id3(random_below(size), random_bytes(size));
    }
}

#define KINDS 16

static void test_what_is_no_mp3_never_sounds(void **state)
{
    (void)state;
    int files = how_many(10000, 800), refused = 0;
    for (int i = 0; i < files; i++) {
        seed = (uint32_t)i * 2654435761u + 1;
        struct bytes bytes = no_mp3(i % KINDS);
        struct sound sound = hear(bytes);
        if (!sound.refused)
            fail_msg("file %d, of kind %d: %lld frames sound", i, i % KINDS,
                     (long long)sound.count);
        refused++;
        check_agreed(bytes, &sound);
        free(bytes.data);
    }
    print_message("%d files that are no mp3: %d refused, by hub and speaker alike\n", files,
                  refused);
}

static void test_other_kinds_are_called_by_their_name(void **state)
{
    (void)state;
    check_refused(filled(0, 0), "it is empty");
    check_refused(wav(20000, 2), "it is WAV; this hub takes mp3 ([media] formats)");
    check_refused(id3(50, join(filled(50, 0), wav(20000, 2))),
                  "it is WAV; this hub takes mp3 ([media] formats)");
    check_refused(aiff(20000), "it is AIFF; this hub takes mp3 ([media] formats)");
    check_refused(adts(40), "it is AAC without an MP4 around it, which no speaker plays");
    check_refused(mpeg_ts(100), "it is an MPEG transport stream, which no speaker plays");
    check_refused(archive("fLaC", 4, 9000), "it is FLAC; this hub takes mp3 ([media] formats)");
    check_refused(archive("OggS", 4, 9000), "it is Ogg; this hub takes mp3 ([media] formats)");
    check_refused(archive("\0\0\0\x20"
                          "ftypM4A ",
                          12, 9000),
                  "it is MP4; this hub takes mp3 ([media] formats)");
    check_refused(archive("PK\3\4", 4, 9000), "it is a ZIP archive, which no speaker plays");
    check_refused(picture(9000), "it is a JPEG picture, which no speaker plays");
    check_refused(archive("\x89PNG\r\n\x1a\n", 8, 9000),
                  "it is a PNG picture, which no speaker plays");
    check_refused(join(text("\n<!DOCTYPE html>", 16), words(900)),
                  "it is a web page, which no speaker plays");
    check_refused(text("{\"detail\": \"Not found\"}", 23),
                  "it is text (JSON), which no speaker plays");
    check_refused(words(900), "no mp3 frames were found in it");
}

static void test_a_hub_takes_what_it_is_told_to_take(void **state)
{
    (void)state;
    char why[AUDIO_REFUSAL_MAX];
    double seconds;
    struct bytes flac = archive("fLaC", 4, 9000), zip = archive("PK\3\4", 4, 9000);
    assert_true(formats_parse("mp3 flac", &formats));
    assert_true(upload(flac, 1000, &seconds, why));
    assert_string_equal(why, "");
    assert_true(seconds < 0);
    assert_false(upload(zip, 1000, &seconds, why));
    assert_string_equal(why, "it is a ZIP archive, which no speaker plays");
    assert_true(formats_parse("mp3 ogg", &formats));
    assert_false(upload(flac, 1000, &seconds, why));
    assert_string_equal(why, "it is FLAC; this hub takes mp3, Ogg ([media] formats)");
    assert_true(formats_parse("mp3", &formats));
    free(flac.data);
    free(zip.data);
}

/* --- what was an mp3 ------------------------------------------------------------------------ */

/* The loudest 400 ms, which is what EBU Tech 3341 calls momentary; unweighted. RMS, or 0. */
static double loudest(const struct sound *sound)
{
    int64_t window = sound->rate_hz * 2 / 5 * DECODER_CHANNELS;
    double most = 0, sum = 0;
    for (int64_t i = 0; i < sound->count * DECODER_CHANNELS; i++) {
        double value = (double)sound->frames[i];
        sum += value * value;
        if (i >= window)
            sum -= (double)sound->frames[i - window] * (double)sound->frames[i - window];
        most = fmax(most, sum);
    }
    return window > 0 ? sqrt(most / (double)window) : 0;
}

static void damage(struct bytes *bytes)
{
    int hits = 1 + (int)random_below(30);
    for (int i = 0; i < hits; i++) {
        size_t at = random_below((uint32_t)bytes->count);
        size_t length = 1 + (size_t)random_below(random_below(4) ? 4 : 2000);
        length = bytes->count - at < length ? bytes->count - at : length;
        switch (random_below(5)) {
        case 0:
            bytes->data[at] ^= (unsigned char)(1 << random_below(8));
            break;
        case 1:
            for (size_t k = 0; k < length; k++)
                bytes->data[at + k] = (unsigned char)random_below(256);
            break;
        case 2:
            memset(bytes->data + at, random_below(2) ? 0 : 0xff, length);
            break;
        case 3: /* lost */
            memmove(bytes->data + at, bytes->data + at + length, bytes->count - at - length);
            bytes->count -= length;
            break;
        default: /* twice */
            memmove(bytes->data + at, bytes->data + random_below((uint32_t)(bytes->count - length)),
                    length);
        }
    }
}

static void test_damage_is_not_loud(void **state)
{
    static const char *const names[] = {"cbr44", "vbr48", "mono22", "low8", "rate32", "rate24"};
    enum { NAMES = sizeof names / sizeof *names };
    (void)state;
    int files = how_many(2000, 180), played = 0;
    double worst_db = -100;
    for (int i = 0; i < files; i++) {
        struct bytes bytes = load(names[i % NAMES]);
        struct sound whole = hear(bytes);
        seed = (uint32_t)i * 2654435761u + 7;
        damage(&bytes);
        struct sound sound = hear(bytes);
        check_agreed(bytes, &sound);
        double db = 20 * log10(loudest(&sound) / loudest(&whole) + 1e-9);
        worst_db = fmax(worst_db, db);
        if (db >= 6)
            print_message("damaged file %d is %.1f dB louder\n", i, db);
        played += !sound.refused;
        free(sound.frames);
        free(whole.frames);
        free(bytes.data);
    }
    print_message("%d damaged mp3s: %d play, at most %.1f dB louder than whole\n", files, played,
                  worst_db);
    assert_true(worst_db < 6);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_vbri_frame_is_no_music),
        cmocka_unit_test(test_only_some_encoders_delays_are_believed),
        cmocka_unit_test(test_tags_count_at_the_beginning_only),
        cmocka_unit_test(test_what_stands_before_the_first_frame_is_passed_over),
        cmocka_unit_test(test_browsers_search_no_farther_than_a_megabyte),
        cmocka_unit_test(test_short_files),
        cmocka_unit_test(test_damage_near_the_beginning),
        cmocka_unit_test(test_other_kinds_are_called_by_their_name),
        cmocka_unit_test(test_a_hub_takes_what_it_is_told_to_take),
        cmocka_unit_test(test_what_is_no_mp3_never_sounds),
        cmocka_unit_test(test_damage_is_not_loud),
    };
    helper_set_program("/nowhere/tutti-decode");
    formats_parse("mp3", &formats);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
