/*
 * audio_probe.h: what a file is, judged by its bytes as they come, and where its audio begins.
 *
 * The one judgement of the project: the hub asks it while an upload arrives, a speaker while a
 * download grows, and tuttictl's add through the speaker. So the same file is taken or refused
 * everywhere, in the same words.
 *
 * An mp3 is several frames that follow each other, each header where the frame before it ends, and
 * all of one version, layer and rate. ID3v2 tags before them are skipped by their size; anything
 * else (zeros, artwork, other tags, what a wrong size left over) is searched through as far as
 * browsers do. Files of another kind are known by name, whatever is found in them: some of them are
 * played as well, and whoever takes less says so itself.
 *
 * It keeps no bytes: whoever asks holds a window of them. Work per step is linear in its bytes.
 */
#ifndef TUTTI_CORE_AUDIO_PROBE_H
#define TUTTI_CORE_AUDIO_PROBE_H

#include "tutti/core/mp3_frame.h"

/* A step with so many bytes always gets on. */
#define AUDIO_PROBE_WINDOW_BYTES 32768

#define AUDIO_REFUSAL_MAX 96

enum audio_kind {
    AUDIO_UNKNOWN, /* nothing that can be named */
    AUDIO_EMPTY,
    AUDIO_MP3,
    AUDIO_MPEG_LAYER_2,
    AUDIO_WAV,
    AUDIO_AIFF,
    AUDIO_AAC,
    AUDIO_MPEG_TS,
    AUDIO_MPEG_PS,
    AUDIO_FLAC,
    AUDIO_OGG,
    AUDIO_MP4,
    AUDIO_MATROSKA,
    AUDIO_ASF,
    AUDIO_AVI,
    AUDIO_AMR,
    AUDIO_CAF,
    AUDIO_AU,
    AUDIO_MONKEYS,
    AUDIO_WAVPACK,
    AUDIO_MUSEPACK,
    AUDIO_MIDI,
    AUDIO_JPEG,
    AUDIO_PNG,
    AUDIO_GIF,
    AUDIO_ZIP,
    AUDIO_GZIP,
    AUDIO_RAR,
    AUDIO_7Z,
    AUDIO_PDF,
    AUDIO_WEB_PAGE,
    AUDIO_JSON,
    AUDIO_KINDS,
};

enum audio_probe_phase { AUDIO_PROBE_HEAD, AUDIO_PROBE_TAG, AUDIO_PROBE_SEARCH, AUDIO_PROBE_DONE };

struct audio_probe {
    int64_t offset; /* in the file: what the next step's bytes begin with; may be far ahead */

    /* The verdict, when a step has returned true. Of what follows only AUDIO_MP3 has anything: */
    enum audio_kind kind;
    int64_t begin;           /* the file's offset of the first frame that is played */
    struct mp3_header first; /* that frame's header */
    int64_t tag_at;          /* the offset of the frame that the tag is in, if there is one */
    struct mp3_tag tag;

    /* Before the verdict: the offset of frames that are the beginning if no better one is found,
     * because they are within an ID3v2 tag, or the first two differ; -1 for none. Whoever cannot
     * go back walks them on trial. */
    int64_t on_trial;

    /* Its own: */
    enum audio_probe_phase phase;
    enum audio_kind hint;    /* what to call it, if no frames are found */
    int64_t tag_end;         /* of the ID3v2 tag that is being skipped */
    int64_t search_from;     /* frames may begin here, */
    int64_t search_end;      /* and before this */
    int64_t none_before;     /* no row of frames begins before this */
    struct mp3_header trial; /* the first header of on_trial */
};

void audio_probe_init(struct audio_probe *probe);

/*
 * bytes[count] are the file's from probe->offset on; at_end: it has no more, count may be 0 even
 * though the offset is beyond the end. True: it is decided. False: offset may have moved, bytes
 * from there on are wanted, and more than were there (AUDIO_PROBE_WINDOW_BYTES are always enough).
 * At the end it is always true. What is decided does not depend on how the file comes in pieces.
 */
bool audio_probe_step(struct audio_probe *probe, const unsigned char *bytes, size_t count,
                      bool at_end);

/* Can a speaker play it? */
bool audio_kind_is_played(enum audio_kind kind);
/* The same, but only with the help of the package tutti-codecs? */
bool audio_kind_needs_codecs(enum audio_kind kind);

/* Within a sentence: "FLAC", "a ZIP archive". NULL: it has no name. */
const char *audio_kind_name(enum audio_kind kind);

/* Its media type, as in an HTTP header; of what no speaker plays "application/octet-stream". */
const char *audio_kind_media_type(enum audio_kind kind);

/* Why no speaker can play it, as a sentence without a subject: "it is a ZIP archive, which no
 * speaker plays". Empty for what one can. */
void audio_probe_refusal(enum audio_kind kind, char to[AUDIO_REFUSAL_MAX]);

#endif
