/*
 * audio_kind.c: signatures of the files that people take for music, and names for them.
 *
 * Pictures are no sure sign, because artwork without a tag around it is found before mp3s. Text is
 * none, because a browser would read on, too. What has a structure (ADTS, MPEG-TS) must repeat it.
 */
#include "audio_kind.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

/* Of what a speaker can play. */
static const char *const media_types[AUDIO_KINDS] = {
    [AUDIO_MP3] = "audio/mpeg", [AUDIO_MP4] = "audio/mp4",   [AUDIO_FLAC] = "audio/flac",
    [AUDIO_OGG] = "audio/ogg",  [AUDIO_WAV] = "audio/x-wav", [AUDIO_AIFF] = "audio/aiff",
};

static const char *const names[AUDIO_KINDS] = {
    [AUDIO_MP3] = "mp3",
    [AUDIO_MPEG_LAYER_2] = "MPEG audio of layer II (mp2)",
    [AUDIO_WAV] = "WAV",
    [AUDIO_AIFF] = "AIFF",
    [AUDIO_AAC] = "AAC without an MP4 around it",
    [AUDIO_MPEG_TS] = "an MPEG transport stream",
    [AUDIO_MPEG_PS] = "an MPEG program stream",
    [AUDIO_FLAC] = "FLAC",
    [AUDIO_OGG] = "Ogg",
    [AUDIO_MP4] = "MP4",
    [AUDIO_MATROSKA] = "Matroska or WebM",
    [AUDIO_ASF] = "ASF (WMA)",
    [AUDIO_AVI] = "AVI",
    [AUDIO_AMR] = "AMR",
    [AUDIO_CAF] = "CAF",
    [AUDIO_AU] = "AU",
    [AUDIO_MONKEYS] = "Monkey's Audio",
    [AUDIO_WAVPACK] = "WavPack",
    [AUDIO_MUSEPACK] = "Musepack",
    [AUDIO_MIDI] = "MIDI",
    [AUDIO_JPEG] = "a JPEG picture",
    [AUDIO_PNG] = "a PNG picture",
    [AUDIO_GIF] = "a GIF picture",
    [AUDIO_ZIP] = "a ZIP archive",
    [AUDIO_GZIP] = "a gzip file",
    [AUDIO_RAR] = "a RAR archive",
    [AUDIO_7Z] = "a 7z archive",
    [AUDIO_PDF] = "a PDF document",
    [AUDIO_WEB_PAGE] = "a web page",
    [AUDIO_JSON] = "text (JSON)",
};

static const struct signature {
    size_t at, bytes;
    const char *magic;
    enum audio_kind kind;
    bool sure;
} signatures[] = {
    {8, 4, "AVI ", AUDIO_AVI, true},
    {0, 4, "FORM", AUDIO_AIFF, true},
    {0, 4, "fLaC", AUDIO_FLAC, true},
    {0, 4, "OggS", AUDIO_OGG, true},
    {4, 4, "ftyp", AUDIO_MP4, true},
    {4, 4, "moov", AUDIO_MP4, true},
    {4, 4, "mdat", AUDIO_MP4, true},
    {0, 4, "\x1a\x45\xdf\xa3", AUDIO_MATROSKA, true},
    {0, 8, "\x30\x26\xb2\x75\x8e\x66\xcf\x11", AUDIO_ASF, true},
    {0, 4, "ADIF", AUDIO_AAC, true},
    {0, 4, "\0\0\1\xba", AUDIO_MPEG_PS, true},
    {0, 5, "#!AMR", AUDIO_AMR, true},
    {0, 4, "caff", AUDIO_CAF, true},
    {0, 4, ".snd", AUDIO_AU, true},
    {0, 4, "MAC ", AUDIO_MONKEYS, true},
    {0, 4, "wvpk", AUDIO_WAVPACK, true},
    {0, 4, "MPCK", AUDIO_MUSEPACK, true},
    {0, 3, "MP+", AUDIO_MUSEPACK, true},
    {0, 4, "MThd", AUDIO_MIDI, true},
    {0, 4, "PK\3\4", AUDIO_ZIP, true},
    {0, 4, "PK\5\6", AUDIO_ZIP, true},
    {0, 3, "\x1f\x8b\x08", AUDIO_GZIP, true},
    {0, 6, "Rar!\x1a\x07", AUDIO_RAR, true},
    {0, 6, "7z\xbc\xaf\x27\x1c", AUDIO_7Z, true},
    {0, 5, "%PDF-", AUDIO_PDF, true},
    {0, 3, "\xff\xd8\xff", AUDIO_JPEG, false},
    {0, 8, "\x89PNG\r\n\x1a\n", AUDIO_PNG, false},
    {0, 4, "GIF8", AUDIO_GIF, false},
};

static bool has(const unsigned char *bytes, size_t count, size_t at, const char *magic, size_t size)
{
    return count >= at + size && memcmp(bytes + at, magic, size) == 0;
}

/* With PCM in it, or with anything else but mp3, which is played. */
static bool is_wav(const unsigned char *bytes, size_t count)
{
    bool riff = has(bytes, count, 0, "RIFF", 4) || has(bytes, count, 0, "RIFX", 4) ||
                has(bytes, count, 0, "RF64", 4);
    bool mp3 = has(bytes, count, 12, "fmt ", 4) && has(bytes, count, 20, "\x55\0", 2);
    return riff && has(bytes, count, 8, "WAVE", 4) && !mp3;
}

/* Frames of ADTS (ISO 13818-7, 6.2) that follow each other. */
static bool is_adts(const unsigned char *bytes, size_t count)
{
    static const int frames = 3, header_bytes = 7;
    static const size_t frame_bytes_max = 6144; /* of two channels */
    size_t at = 0;
    for (int i = 0; i < frames; i++) {
        if (at == count && i > 0)
            return true;
        if (count < at + (size_t)header_bytes)
            return false;
        const unsigned char *head = bytes + at;
        size_t size = (size_t)((head[3] & 3) << 11 | head[4] << 3 | head[5] >> 5);
        if (head[0] != 0xff || (head[1] & 0xf6) != 0xf0 || (head[2] >> 2 & 15) > 12 ||
            size < (size_t)header_bytes || size > frame_bytes_max)
            return false;
        at += size;
    }
    return true;
}

/* Packets of 188 bytes, or of 192 with a time before each; three of them. */
static bool is_mpeg_ts(const unsigned char *bytes, size_t count)
{
    static const struct {
        size_t first, step;
    } forms[] = {{0, 188}, {4, 192}, {0, 204}};
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        size_t last = forms[i].first + 2 * forms[i].step;
        if (count > last && bytes[forms[i].first] == 0x47 &&
            bytes[forms[i].first + forms[i].step] == 0x47 && bytes[last] == 0x47)
            return true;
    }
    return false;
}

static bool is_layer_2(const unsigned char *bytes, size_t count)
{
    return count >= 4 && bytes[0] == 0xff && (bytes[1] & 0xe6) == 0xe4 && (bytes[1] & 0x18) != 8 &&
           bytes[2] >> 4 != 0 && bytes[2] >> 4 != 15 && (bytes[2] >> 2 & 3) != 3;
}

static enum audio_kind kind_of_text(const unsigned char *bytes, size_t count, bool *ret_sure)
{
    static const char *const pages[] = {"<!doctype", "<html", "<head", "<body", "<?xml"};
    if (has(bytes, count, 0, "\xef\xbb\xbf", 3)) {
        bytes += 3;
        count -= 3;
    }
    while (count > 0 && isspace(*bytes)) {
        bytes++;
        count--;
    }
    for (size_t i = 0; i < sizeof pages / sizeof *pages; i++)
        if (count >= strlen(pages[i]) &&
            strncasecmp((const char *)bytes, pages[i], strlen(pages[i])) == 0) {
            *ret_sure = true;
            return AUDIO_WEB_PAGE;
        }
    if (count > 0 && *bytes == '<')
        return AUDIO_WEB_PAGE;
    return count > 0 && (*bytes == '{' || *bytes == '[') ? AUDIO_JSON : AUDIO_UNKNOWN;
}

enum audio_kind audio_kind_of(const unsigned char *bytes, size_t count, bool *ret_sure)
{
    *ret_sure = true;
    if (is_wav(bytes, count))
        return AUDIO_WAV;
    if (is_adts(bytes, count))
        return AUDIO_AAC;
    if (is_mpeg_ts(bytes, count))
        return AUDIO_MPEG_TS;
    for (size_t i = 0; i < sizeof signatures / sizeof *signatures; i++) {
        const struct signature *one = &signatures[i];
        if (!has(bytes, count, one->at, one->magic, one->bytes))
            continue;
        *ret_sure = one->sure;
        return one->kind;
    }
    *ret_sure = false;
    if (is_layer_2(bytes, count))
        return AUDIO_MPEG_LAYER_2;
    return kind_of_text(bytes, count, ret_sure);
}

bool audio_kind_is_played(enum audio_kind kind)
{
    return media_types[kind] != NULL;
}

bool audio_kind_needs_codecs(enum audio_kind kind)
{
    return kind != AUDIO_MP3 && audio_kind_is_played(kind);
}

const char *audio_kind_media_type(enum audio_kind kind)
{
    return media_types[kind] ? media_types[kind] : "application/octet-stream";
}

const char *audio_kind_name(enum audio_kind kind)
{
    return names[kind];
}

void audio_probe_refusal(enum audio_kind kind, char to[AUDIO_REFUSAL_MAX])
{
    if (audio_kind_is_played(kind))
        *to = '\0';
    else if (kind == AUDIO_EMPTY)
        snprintf(to, AUDIO_REFUSAL_MAX, "it is empty");
    else if (names[kind])
        snprintf(to, AUDIO_REFUSAL_MAX, "it is %s, which no speaker plays", names[kind]);
    else
        snprintf(to, AUDIO_REFUSAL_MAX, "no mp3 frames were found in it");
}
