/*
 * attached_picture.c: see attached_picture.h. Pictures are never decoded here.
 */
#include "attached_picture.h"

#include "tutti/core/picture.h"

#include <stdbool.h>
#include <string.h>

static bool is_picture(const AVStream *stream)
{
    const AVPacket *picture = &stream->attached_pic;
    return (stream->disposition & AV_DISPOSITION_ATTACHED_PIC) != 0 && picture->data &&
           picture->size > 0 && picture->size <= (int)PICTURE_BYTES_MAX &&
           picture_kind(picture->data, (size_t)picture->size) != PICTURE_NONE;
}

/* As libavformat words what ID3 and FLAC have as a number. */
static bool is_front(const AVStream *stream)
{
    const AVDictionaryEntry *entry = av_dict_get(stream->metadata, "comment", NULL, 0);
    return entry && strcmp(entry->value, "Cover (front)") == 0;
}

const unsigned char *attached_picture_find(const AVFormatContext *file, size_t *ret_bytes)
{
    const AVStream *found = NULL;
    for (unsigned i = 0; i < file->nb_streams; i++) {
        const AVStream *stream = file->streams[i];
        if (is_picture(stream) && (!found || (is_front(stream) && !is_front(found))))
            found = stream;
    }
    *ret_bytes = found ? (size_t)found->attached_pic.size : 0;
    return found ? found->attached_pic.data : NULL;
}
