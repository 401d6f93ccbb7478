/*
 * tags.c: see tags.h. libavformat has brought most names of the formats to one; those of loudness are
 * the files' own, in upper or lower case.
 */
#include "tags.h"

#include <libavutil/dict.h>

#define NAMES_MAX 3

static const char *const names[TRACK_TAGS][NAMES_MAX] = {
    [TRACK_TAG_TITLE] = {"title"},
    [TRACK_TAG_ARTIST] = {"artist", "album_artist"},
    [TRACK_TAG_ALBUM] = {"album"},
    [TRACK_TAG_NUMBER] = {"track", "tracknumber"},
    [TRACK_TAG_TRACK_GAIN] = {"replaygain_track_gain"},
    [TRACK_TAG_TRACK_PEAK] = {"replaygain_track_peak"},
    [TRACK_TAG_ALBUM_GAIN] = {"replaygain_album_gain"},
    [TRACK_TAG_ALBUM_PEAK] = {"replaygain_album_peak"},
    [TRACK_TAG_R128_TRACK_GAIN] = {"r128_track_gain"},
    [TRACK_TAG_R128_ALBUM_GAIN] = {"r128_album_gain"},
};

static const char *find(const AVDictionary *of, const char *const *name)
{
    for (int i = 0; i < NAMES_MAX && name[i]; i++) {
        const AVDictionaryEntry *entry = av_dict_get(of, name[i], NULL, 0);
        if (entry && entry->value[0])
            return entry->value;
    }
    return NULL;
}

/* An Ogg's are the stream's. */
const char *tags_find(const AVFormatContext *file, const AVStream *stream, enum track_tag tag)
{
    const char *text = find(file->metadata, names[tag]);
    return text ? text : find(stream->metadata, names[tag]);
}
