/*
 * decode_message.h: what tuttid and its decoding process (tutti-decode) say to each other.
 *
 * One message is one datagram of a SOCK_SEQPACKET socket, between two processes of one machine: so
 * numbers are in its own byte order. The process is not trusted, for it has read a file from
 * outside: whatever it says is checked here, and only what is within these bounds comes through.
 *
 * Towards it: SEEK, or MEASURE instead. From it: a TAG for each that the file has, OPENED once, then PCM from where it was
 * last told to seek, each naming the seek that it belongs to, up to an END; or FAILED, after which
 * nothing comes. MEASURE is answered by TAGs of gain and peak, where there is a measure, and an END;
 * PICTURE, before any SEEK, by PICTUREs that are its pieces, if there is one, and an END.
 *
 * Or it is asked about many files, one after the other: each comes with a FILE, and what is said of it,
 * the pieces of its picture too if that was asked for, ends with OPENED or FAILED.
 */
#ifndef TUTTI_CORE_DECODE_MESSAGE_H
#define TUTTI_CORE_DECODE_MESSAGE_H

#include "tutti/core/picture.h"
#include "tutti/core/track_tags.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DECODE_CHANNELS 2
/* Stereo frames in one PCM message at most. */
#define DECODE_PCM_FRAMES_MAX 1024
#define DECODE_TEXT_MAX 120 /* of FAILED */
#define DECODE_RATE_MIN_HZ 1000
#define DECODE_RATE_MAX_HZ 768000
/* A position in frames; two centuries at the highest rate. */
#define DECODE_FRAME_MAX (INT64_C(1) << 52)

enum decode_message_type {
    DECODE_SEEK = 1, /* serial, frame */
    DECODE_OPENED,   /* rate_hz; frame: the track's length in frames, -1: not known */
    DECODE_PCM,      /* serial, frame: of the first; count; damaged: errors met so far */
    DECODE_END,      /* serial, frame: the track ends there */
    DECODE_FAILED,   /* text */
    DECODE_TAG,      /* tag, text: as the file has it */
    DECODE_MEASURE,  /* the whole track's loudness is wanted */
    DECODE_FILE,     /* frame: its size in bytes; serial: DECODE_FILE_... */
    DECODE_PICTURE,  /* towards it: it is wanted. From it: count bytes, of frame in all */
};

/* In a FILE's serial: it is an mp3; its picture is wanted. */
#define DECODE_FILE_MP3 1u
#define DECODE_FILE_PICTURE 2u

struct decode_message {
    enum decode_message_type type;
    uint32_t serial;
    uint32_t rate_hz;
    uint32_t count; /* of stereo frames, or of a picture's bytes */
    uint32_t damaged;
    int64_t frame;
    enum track_tag tag;
    char text[TRACK_TAG_MAX]; /* UTF-8 of whatever kind, ended by NUL */
    /* Of PCM: count * DECODE_CHANNELS floats in the datagram, not aligned. NULL otherwise. */
    const unsigned char *pcm;
    /* Of PICTURE: count bytes in the datagram. NULL otherwise. */
    const unsigned char *picture;
};

/* The head of every message, and what may follow it. */
#define DECODE_HEAD_BYTES 32
#define DECODE_FRAME_BYTES (DECODE_CHANNELS * sizeof(float))
#define DECODE_MESSAGE_MAX (DECODE_HEAD_BYTES + DECODE_PCM_FRAMES_MAX * DECODE_FRAME_BYTES)
/* Of a picture in one message at most. */
#define DECODE_PICTURE_PIECE_MAX (DECODE_PCM_FRAMES_MAX * DECODE_FRAME_BYTES)

/* False for anything that is none, or out of bounds. The message's pcm
 * and picture point into bytes. */
bool decode_message_parse(const unsigned char *bytes, size_t count, struct decode_message *ret);

/* The head of the message (of FAILED and TAG, with the text) into to[DECODE_MESSAGE_MAX]; the bytes
 * written. PCM's samples and a PICTURE's bytes are to follow it at to + DECODE_HEAD_BYTES, and are
 * counted. */
size_t decode_message_build(const struct decode_message *message, unsigned char *to);

#endif
