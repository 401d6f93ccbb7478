/*
 * track.c: demuxing, decoding, trimming.
 *
 * What libavcodec would trim by itself is left to us (SKIP_MANUAL), because after a seek it is our
 * count that says what is played. A packet that cannot be decoded is silence of its length.
 */
#include "track.h"

#include "attached_picture.h"
#include "av_file.h"
#include "converter.h"
#include "ogg_end.h"
#include "tags.h"
#include "track_index.h"
#include "tutti/core/decode_message.h"

#include <libavcodec/avcodec.h>
#include <libavutil/intreadwrite.h>
#include <libavutil/log.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What is looked for; nothing else of these libraries ever sees the file. */
static const char FORMATS[] = "mov,flac,ogg,wav,aiff";
static const char MP3_FORMAT[] = "mp3";
static const char *const CODECS[] = {
    "aac",       "alac",      "mp3float",  "flac",      "vorbis",    "opus",      "pcm_u8",
    "pcm_s8",    "pcm_s16le", "pcm_s24le", "pcm_s32le", "pcm_s16be", "pcm_s24be", "pcm_s32be",
    "pcm_f32le", "pcm_f32be", "pcm_f64le", "pcm_f64be", "pcm_alaw",  "pcm_mulaw"};
/* Packets decoded to see what the sound is like. */
#define PACKETS_TO_OPEN 32
/* Decoded before what is wanted: an overlap, or the state of AAC's band replication; Opus comes
 * ever closer to what it would have been. */
#define PACKETS_BEFORE 8
#define PACKETS_BEFORE_SBR 40
#define PACKETS_BEFORE_OPUS 50
#define LC_SAMPLES 1024 /* more than a packet of plain AAC has */
/* Damage without end is no music. */
#define DAMAGED_IN_A_ROW_MAX 256
/* A hole is silence of its length, so that what follows is in step; a longer one is no hole, but a
 * time stamp that is damaged itself. */
#define HOLE_MAX_S 10
#define SILENCE_FRAMES 4096

struct track {
    struct av_file file;
    bool is_mp3;
    AVFormatContext *format;
    AVCodecContext *codec;
    AVStream *stream;
    AVPacket *packet;
    AVFrame *frame;
    struct converter converter;
    struct track_index index;
    int64_t position; /* of the next frame that is delivered */
    int64_t thrown;   /* frames to be thrown away before it */
    int taken;        /* frames of the converter that have been delivered, or thrown away */
    bool by_pts;      /* the next decoded frame's time stamp says where we are */
    int64_t from_pts; /* nothing before it is decoded, where packets are counted */
    int64_t wanted;   /* and this is where we want to be */
    int64_t silent;   /* frames of silence before the decoded frame, */
    bool waits;       /* which waits for them */
    bool flushed, ended;
    uint32_t damaged;
    int damaged_in_a_row;
};

void track_prepare(void)
{
    av_log_set_level(AV_LOG_QUIET);
}

/* --- opening ----------------------------------------------------------------------------------- */

static bool refuse(char *why, const char *reason)
{
    snprintf(why, DECODE_TEXT_MAX, "%s", reason);
    return false;
}

static bool open_format(struct track *track, char *why)
{
    track->format = avformat_alloc_context();
    if (!track->format)
        return refuse(why, "out of memory");
    track->format->pb = track->file.io;
    track->format->flags |= AVFMT_FLAG_CUSTOM_IO;
    track->format->format_whitelist = av_strdup(track->is_mp3 ? MP3_FORMAT : FORMATS);
    /* What is known to be one need not be told from what is not: that fails behind a long tag. */
    const AVInputFormat *format = track->is_mp3 ? av_find_input_format(MP3_FORMAT) : NULL;
    int result = avformat_open_input(&track->format, NULL, format, NULL);
    if (result == AVERROR(ENOMEM))
        return refuse(why, "it takes more memory than a track may have");
    return result == 0 || refuse(why, "it is damaged, or only a part of a file");
}

/* The first sound; everything else is passed over. */
static bool choose_stream(struct track *track, char *why)
{
    bool has_picture = false;
    for (unsigned i = 0; i < track->format->nb_streams; i++) {
        AVStream *stream = track->format->streams[i];
        stream->discard = AVDISCARD_ALL;
        has_picture = has_picture || stream->codecpar->codec_type == AVMEDIA_TYPE_VIDEO;
        if (!track->stream && stream->codecpar->codec_type == AVMEDIA_TYPE_AUDIO)
            track->stream = stream;
    }
    if (!track->stream)
        return refuse(why, has_picture ? "it has pictures only, and no sound"
                                       : "there is no sound in it");
    return true;
}

static const char PROTECTED[] = "it is protected (DRM), for its shop's own players only";

static bool is_protected(const AVStream *stream)
{
    uint32_t tag = stream->codecpar->codec_tag;
    return tag == MKTAG('e', 'n', 'c', 'a') || tag == MKTAG('d', 'r', 'm', 's') ||
           tag == MKTAG('a', 'a', 'v', 'd');
}

static const AVCodec *find_codec(enum AVCodecID id)
{
    for (size_t i = 0; i < sizeof CODECS / sizeof *CODECS; i++) {
        const AVCodec *codec = avcodec_find_decoder_by_name(CODECS[i]);
        if (codec && codec->id == id)
            return codec;
    }
    return NULL;
}

/* A fresh one, also after a seek: some of a codec's state outlives a flush. */
static bool open_codec(struct track *track)
{
    const AVCodec *codec = find_codec(track->stream->codecpar->codec_id);
    avcodec_free_context(&track->codec);
    track->codec = avcodec_alloc_context3(codec);
    if (!track->codec || avcodec_parameters_to_context(track->codec, track->stream->codecpar) < 0)
        return false;
    track->codec->pkt_timebase = track->stream->time_base;
    track->codec->thread_count = 1;
    track->codec->flags2 |= AV_CODEC_FLAG2_SKIP_MANUAL;
    if (codec->id == AV_CODEC_ID_FLAC) /* what is damaged is silence, not noise */
        track->codec->err_recognition = AV_EF_CRCCHECK | AV_EF_EXPLODE;
    return avcodec_open2(track->codec, codec, NULL) == 0;
}

static bool is_ogg(const struct track *track)
{
    return strcmp(track->format->iformat->name, "ogg") == 0;
}

static bool check_codec(struct track *track, char *why)
{
    const AVCodecParameters *about = track->stream->codecpar;
    if (is_protected(track->stream))
        return refuse(why, PROTECTED);
    /* Its packets' time stamps are not theirs after a seek. */
    if (about->codec_id == AV_CODEC_ID_FLAC && is_ogg(track))
        return refuse(why, "its sound is FLAC in Ogg, which no speaker plays");
    if (find_codec(about->codec_id))
        return open_codec(track) || refuse(why, "what it says of its sound makes no sense");
    snprintf(why, DECODE_TEXT_MAX, "its sound is %s, which no speaker plays",
             avcodec_get_name(about->codec_id));
    return false;
}

static bool is_mp4(const struct track *track)
{
    return strncmp(track->format->iformat->name, "mov", 3) == 0;
}

/* In a fragmented file the packets are described all over it. */
static void read_whole_index(struct track *track)
{
    while (is_mp4(track) && av_read_frame(track->format, track->packet) >= 0)
        av_packet_unref(track->packet);
    track->stream->discard = AVDISCARD_DEFAULT;
}

/* --- decoding ---------------------------------------------------------------------------------- */

/* Samples that are not played of this packet, and of those behind it if they are more. */
static int64_t read_skip(const AVPacket *packet)
{
    size_t bytes = 0;
    const uint8_t *skip = av_packet_get_side_data(packet, AV_PKT_DATA_SKIP_SAMPLES, &bytes);
    return skip && bytes >= sizeof(uint32_t) ? AV_RL32(skip) : 0;
}

/* Of another stream, or before the one that was sought: some seeks end a packet early. */
static bool is_beside(const struct track *track)
{
    const AVPacket *packet = track->packet;
    return packet->stream_index != track->stream->index ||
           (track->index.counted && packet->pts < track->from_pts);
}

/* The next packet of the stream, sent to the codec; at the end, its flush. False: nothing more. */
static bool send_packet(struct track *track, bool *ret_played)
{
    *ret_played = true;
    if (track->flushed)
        return false;
    int result = av_read_frame(track->format, track->packet);
    while (result >= 0 && is_beside(track)) {
        av_packet_unref(track->packet);
        result = av_read_frame(track->format, track->packet);
    }
    track->flushed = result < 0;
    if (track->flushed) {
        avcodec_send_packet(track->codec, NULL);
        return true;
    }
    *ret_played = (track->packet->flags & AV_PKT_FLAG_DISCARD) == 0 ||
                  track->packet->pts < track->index.begun_pts;
    track->packet->flags &= ~AV_PKT_FLAG_DISCARD;
    result = avcodec_send_packet(track->codec, track->packet);
    av_packet_unref(track->packet);
    if (result >= 0)
        return true;
    track->damaged++;
    return ++track->damaged_in_a_row < DAMAGED_IN_A_ROW_MAX;
}

/* Where they are counted, a packet is its number of samples, whatever comes of it. */
static bool decode_counted(struct track *track)
{
    struct converter *converter = &track->converter;
    bool played;
    if (!send_packet(track, &played) || track->flushed)
        return false;
    converter->count = 0;
    if (avcodec_receive_frame(track->codec, track->frame) == 0) {
        track->damaged_in_a_row = 0;
        converter_take(converter, track->frame);
    }
    av_frame_unref(track->frame);
    if (!played)
        converter->count = 0;
    return !played || converter_fill(converter, track->index.packet_samples);
}

static void find_place(struct track *track)
{
    int64_t pts = track->frame->best_effort_timestamp;
    track->by_pts = false;
    if (pts == AV_NOPTS_VALUE)
        return;
    int64_t at = track_index_frame_at(&track->index, pts);
    track->position = track->wanted > at ? track->wanted : at;
    track->thrown = track->position - at;
}

/* How many frames are missing before the decoded one, by its time stamp. */
static int64_t find_hole(const struct track *track)
{
    int64_t pts = track->frame->best_effort_timestamp;
    if (pts == AV_NOPTS_VALUE)
        return 0;
    int64_t expected = track->position - track->thrown;
    int64_t hole = track_index_frame_at(&track->index, pts) - expected;
    /* Less is rounding. */
    bool good = hole > track->index.packet_samples / 2 &&
                hole <= HOLE_MAX_S * (int64_t)track->index.rate_hz;
    return good ? hole : 0;
}

static bool receive_timed(struct track *track)
{
    bool played = true;
    int result = avcodec_receive_frame(track->codec, track->frame);
    while (result == AVERROR(EAGAIN)) {
        if (!send_packet(track, &played))
            return false;
        result = avcodec_receive_frame(track->codec, track->frame);
    }
    if (result < 0)
        return false;
    track->damaged_in_a_row = 0;
    if (track->by_pts)
        find_place(track);
    else
        track->silent = find_hole(track);
    return true;
}

static bool decode_timed(struct track *track)
{
    if (!track->waits && !receive_timed(track))
        return false;
    if (track->silent > 0) {
        int count = track->silent < SILENCE_FRAMES ? (int)track->silent : SILENCE_FRAMES;
        track->silent -= count;
        track->waits = true;
        return converter_fill(&track->converter, count);
    }
    track->waits = false;
    bool good = converter_take(&track->converter, track->frame);
    av_frame_unref(track->frame);
    return good;
}

static bool decode(struct track *track)
{
    track->taken = 0;
    track->converter.count = 0;
    return track->index.counted ? decode_counted(track) : decode_timed(track);
}

/* Where time stamps count, it is the first sound's that counts: some first packets make none. */
static void look_at_frames(struct track *track, int64_t *ret_first_pts)
{
    avcodec_send_packet(track->codec, track->packet);
    while (avcodec_receive_frame(track->codec, track->frame) == 0) {
        if (track->index.rate_hz == 0 && !is_mp4(track) &&
            track->frame->best_effort_timestamp != AV_NOPTS_VALUE)
            *ret_first_pts = track->frame->best_effort_timestamp;
        track->index.rate_hz = (unsigned)track->frame->sample_rate;
        track->index.packet_samples = track->frame->nb_samples;
        av_frame_unref(track->frame);
    }
}

/* What the sound is like: the first packets say it, and what of them is not to be played. */
static bool look_at_sound(struct track *track, int64_t *ret_first_pts, char *why)
{
    struct track_index *index = &track->index;
    *ret_first_pts = AV_NOPTS_VALUE;
    for (int i = 0; i < PACKETS_TO_OPEN && av_read_frame(track->format, track->packet) >= 0; i++) {
        if (av_packet_get_side_data(track->packet, AV_PKT_DATA_ENCRYPTION_INFO, NULL))
            return refuse(why, PROTECTED);
        if (track->packet->stream_index == track->stream->index) {
            if (*ret_first_pts == AV_NOPTS_VALUE) {
                *ret_first_pts = track->packet->pts;
                index->begin = read_skip(track->packet);
            }
            look_at_frames(track, ret_first_pts);
        }
        av_packet_unref(track->packet);
    }
    if (index->rate_hz < DECODE_RATE_MIN_HZ || index->rate_hz > DECODE_RATE_MAX_HZ)
        return refuse(why, "its sound cannot be decoded");
    return true;
}

/* What a codec needs to be where it would have come to from the beginning. */
static int packets_before(const struct track *track)
{
    switch (track->codec->codec_id) {
    case AV_CODEC_ID_AAC:
        return track->index.packet_samples > LC_SAMPLES ? PACKETS_BEFORE_SBR : PACKETS_BEFORE;
    case AV_CODEC_ID_OPUS:
        return PACKETS_BEFORE_OPUS;
    default:
        return PACKETS_BEFORE;
    }
}

static int64_t find_end_pts(const struct track *track)
{
    int64_t granule;
    if (!is_ogg(track) || track->format->nb_streams != 1 ||
        !ogg_end_find(track->file.fd, track->file.bytes, &granule))
        return AV_NOPTS_VALUE;
    /* An Opus counts from what is thrown away before its first sample, libavformat from that sample. */
    return track->codec->codec_id == AV_CODEC_ID_OPUS
               ? granule - track->stream->codecpar->initial_padding
               : granule;
}

static void set_index(struct track *track, int64_t first_pts)
{
    struct track_index *index = &track->index;
    int stream_hz = track->stream->codecpar->sample_rate;
    index->stream = track->stream;
    index->counted = is_mp4(track) && (track->codec->codec_id == AV_CODEC_ID_AAC ||
                                       track->codec->codec_id == AV_CODEC_ID_MP3);
    /* It is told in samples of the rate that the file names; band replication doubles it. */
    if (stream_hz > 0)
        index->begin = av_rescale(index->begin, index->rate_hz, stream_hz);
    index->packets_before = packets_before(track);
    index->end_pts = find_end_pts(track);
    track->converter.rate_hz = (int)index->rate_hz;
    track_index_measure(index, first_pts);
}

static bool open_all(struct track *track, int fd, int64_t bytes, char *why)
{
    int64_t first_pts;
    track->packet = av_packet_alloc();
    track->frame = av_frame_alloc();
    if (!track->packet || !track->frame || !av_file_open(&track->file, fd, bytes))
        return refuse(why, "out of memory");
    if (!open_format(track, why) || !choose_stream(track, why) || !check_codec(track, why))
        return false;
    read_whole_index(track);
    if (is_mp4(track))
        track_seek(track, 0);
    if (!look_at_sound(track, &first_pts, why))
        return false;
    set_index(track, first_pts);
    track_seek(track, 0);
    return true;
}

struct track *track_open(int fd, int64_t bytes, bool is_mp3, char *why)
{
    struct track *track = calloc(1, sizeof *track);
    if (!track) {
        refuse(why, "out of memory");
        return NULL;
    }
    track->is_mp3 = is_mp3;
    if (open_all(track, fd, bytes, why))
        return track;
    track_close(track);
    return NULL;
}

void track_close(struct track *track)
{
    avcodec_free_context(&track->codec);
    avformat_close_input(&track->format);
    av_file_close(&track->file);
    av_packet_free(&track->packet);
    av_frame_free(&track->frame);
    converter_close(&track->converter);
    free(track);
}

unsigned track_rate_hz(const struct track *track)
{
    return track->index.rate_hz;
}

int64_t track_length(const struct track *track)
{
    return track->index.length;
}

uint32_t track_damaged(const struct track *track)
{
    return track->damaged;
}

const char *track_tag(const struct track *track, enum track_tag tag)
{
    return tags_find(track->format, track->stream, tag);
}

const unsigned char *track_picture(const struct track *track, size_t *ret_bytes)
{
    return attached_picture_find(track->format, ret_bytes);
}

int64_t track_position(const struct track *track)
{
    return track->position;
}

/* --- seeking and reading ----------------------------------------------------------------------- */

/* What an Ogg's reader remembers of where it was gets into its time stamps: it begins afresh. */
static bool begin_afresh(struct track *track)
{
    char why[DECODE_TEXT_MAX];
    if (!track->format || !is_ogg(track))
        return track->format != NULL;
    int fd = track->file.fd;
    int64_t bytes = track->file.bytes;
    avformat_close_input(&track->format);
    av_file_close(&track->file);
    track->stream = NULL;
    if (!av_file_open(&track->file, fd, bytes) || !open_format(track, why) ||
        !choose_stream(track, why))
        return false;
    track->stream->discard = AVDISCARD_DEFAULT;
    track->index.stream = track->stream;
    return true;
}

void track_seek(struct track *track, int64_t frame)
{
    struct track_index *index = &track->index;
    if (index->length >= 0 && frame > index->length)
        frame = index->length;
    struct track_place place = {0};
    if (index->stream)
        place = track_index_find(index, frame);
    else
        place.pts = track_index_first_pts(track->stream);
    track->ended =
        !begin_afresh(track) ||
        av_seek_frame(track->format, track->stream->index, place.pts, AVSEEK_FLAG_BACKWARD) < 0 ||
        !open_codec(track);
    track->flushed = false;
    track->converter.count = track->taken = 0;
    av_frame_unref(track->frame);
    track->waits = false;
    track->silent = 0;
    track->wanted = track->position = frame;
    track->by_pts = !index->counted;
    track->thrown = frame - place.frame;
    track->from_pts = place.pts;
}

static int drop_thrown(struct track *track)
{
    int there = track->converter.count - track->taken;
    int dropped = there < track->thrown ? there : (int)track->thrown;
    track->taken += dropped;
    track->thrown -= dropped;
    return there - dropped;
}

/* Frames of the converter that are to be delivered; 0: the track has ended. */
static int frames_there(struct track *track)
{
    int there = 0;
    while (!track->ended && (there = drop_thrown(track)) == 0)
        track->ended = !decode(track);
    int64_t left = track->index.length - track->position;
    if (track->index.length >= 0 && there > left)
        there = left > 0 ? (int)left : 0;
    return there;
}

size_t track_read(struct track *track, float *frames, size_t count)
{
    size_t there = (size_t)frames_there(track);
    if (count > there)
        count = there;
    memcpy(frames, track->converter.frames + (size_t)track->taken * DECODE_CHANNELS,
           count * DECODE_FRAME_BYTES);
    int64_t muted = track->index.muted - track->position;
    if (muted > 0)
        memset(frames, 0, (muted < (int64_t)count ? (size_t)muted : count) * DECODE_FRAME_BYTES);
    track->taken += (int)count;
    track->position += (int64_t)count;
    return count;
}
