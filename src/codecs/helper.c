/*
 * helper.c: takes what the process says, and keeps the frames around where it is read.
 *
 * They lie in a ring by their number, `from` to `to`: half of it is for what comes, half remembers
 * what was read, so that a start that is made again a little earlier needs no seek. What is not
 * taken fills the socket, and then the process waits.
 */
#include "tutti/codecs/helper.h"

#include "helper_process.h"
#include "picture_pieces.h"
#include "tutti/base/text.h"
#include "tutti/base/units.h"
#include "tutti/core/decode_message.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

/* What is awaited from a process that is at work comes within this; else it hangs. */
static const int64_t HANG_NS = 5 * NS_PER_S;
/* Kept before and behind where it is read. */
#define RING_S 0.75
/* There before a start, and less than a socket holds at usual rates. */
#define START_S 0.1
/* A seek so far ahead of what is held is waited for, rather than asked for. */
#define AHEAD_S 2
/* Taken per call: twice what one round of the player wants, or a socket full of old frames. */
#define MESSAGES_PER_CALL 64

struct helper {
    struct helper_process process;
    bool opened, failed, ended; /* ended: the track ends at `to` */
    bool gone;                  /* its socket has ended; why is not known yet */
    unsigned rate_hz;
    int64_t length_frames;
    uint32_t damaged;
    struct track_tags tags;
    enum { UNMEASURED, MEASURING, MEASURED } loudness;
    enum { UNASKED, ASKED, ANSWERED } pictured;
    struct picture_pieces picture;
    uint32_t serial; /* of the seek in force; 0: none yet */
    int64_t from, to, next;
    int64_t room; /* of the ring, in frames */
    float *ring;
    bool waiting;
    struct mono_time waiting_since;
    unsigned char message[DECODE_MESSAGE_MAX];
    char error[HELPER_ERROR_MAX];
};

static struct mono_time local_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (struct mono_time){now.tv_sec * NS_PER_S + now.tv_nsec};
}

static enum helper_result fail(struct helper *helper, const char *why)
{
    if (!helper->failed)
        snprintf(helper->error, sizeof helper->error, "%s", why);
    helper->failed = true;
    helper_process_kill(&helper->process);
    return HELPER_ERROR;
}

struct helper *helper_create(int fd, enum audio_kind kind, char *error)
{
    struct helper *helper = calloc(1, sizeof *helper);
    if (!helper) {
        snprintf(error, HELPER_ERROR_MAX, "out of memory");
        return NULL;
    }
    helper->length_frames = -1;
    helper->tags = track_tags_none();
    if (helper_process_start(&helper->process, fd, kind == AUDIO_MP3, error))
        return helper;
    free(helper);
    return NULL;
}

void helper_destroy(struct helper *helper)
{
    if (!helper)
        return;
    helper_process_kill(&helper->process);
    picture_pieces_forget(&helper->picture);
    free(helper->ring);
    free(helper);
}

unsigned helper_rate_hz(const struct helper *helper)
{
    return helper->rate_hz;
}

int64_t helper_length_frames(const struct helper *helper)
{
    return helper->length_frames;
}

uint64_t helper_damaged(const struct helper *helper)
{
    return helper->damaged;
}

const struct track_tags *helper_tags(const struct helper *helper)
{
    return &helper->tags;
}

const char *helper_error(const struct helper *helper)
{
    return helper->error;
}

/* --- what it says --- */

static void take_opened(struct helper *helper, const struct decode_message *message)
{
    int64_t room = (int64_t)(2 * RING_S * message->rate_hz) + DECODE_PCM_FRAMES_MAX;
    if (helper->opened) {
        fail(helper, "its decoder makes no sense");
        return;
    }
    helper->ring = malloc((size_t)room * DECODE_FRAME_BYTES);
    if (!helper->ring) {
        fail(helper, "out of memory");
        return;
    }
    helper->opened = true;
    helper->room = room;
    helper->rate_hz = message->rate_hz;
    helper->length_frames = message->frame;
}

static void keep(struct helper *helper, const struct decode_message *message)
{
    size_t done = 0;
    while (done < message->count) {
        int64_t at = helper->to % helper->room;
        size_t count = message->count - done;
        if ((int64_t)count > helper->room - at)
            count = (size_t)(helper->room - at);
        memcpy(helper->ring + at * DECODE_CHANNELS, message->pcm + done * DECODE_FRAME_BYTES,
               count * DECODE_FRAME_BYTES);
        helper->to += (int64_t)count;
        done += count;
    }
    if (helper->to - helper->from > helper->room)
        helper->from = helper->to - helper->room;
}

static void take_pcm(struct helper *helper, const struct decode_message *message)
{
    helper->damaged = message->damaged;
    if (!helper->opened || message->serial != helper->serial)
        return; /* of a seek that is not in force any more */
    if (helper->ended || message->frame != helper->to)
        fail(helper, "its decoder makes no sense");
    else
        keep(helper, message);
}

static void take_picture(struct helper *helper, const struct decode_message *message)
{
    if (helper->pictured != ASKED || !picture_pieces_take(&helper->picture, message))
        fail(helper, "its decoder makes no sense");
}

static void end_picture(struct helper *helper)
{
    helper->pictured = ANSWERED;
    if (!picture_pieces_are_whole(&helper->picture))
        fail(helper, "its decoder makes no sense");
}

static void take_end(struct helper *helper, const struct decode_message *message)
{
    if (helper->pictured == ASKED) {
        end_picture(helper);
        return;
    }
    if (helper->loudness == MEASURING) {
        helper->loudness = MEASURED;
        return;
    }
    if (!helper->opened || message->serial != helper->serial)
        return;
    helper->ended = true;
    if (message->frame < helper->to) /* nothing is there where it was to begin */
        helper->from = helper->to = message->frame;
    helper->length_frames = helper->to;
}

static void take_failed(struct helper *helper, struct decode_message *message)
{
    text_defuse(message->text, '?');
    fail(helper, message->text);
}

static void take(struct helper *helper, struct decode_message *message)
{
    helper->waiting = false;
    switch (message->type) {
    case DECODE_OPENED:
        take_opened(helper, message);
        break;
    case DECODE_PCM:
        take_pcm(helper, message);
        break;
    case DECODE_END:
        take_end(helper, message);
        break;
    case DECODE_FAILED:
        take_failed(helper, message);
        break;
    case DECODE_TAG:
        track_tags_take(&helper->tags, message->tag, message->text, strlen(message->text));
        break;
    case DECODE_PICTURE:
        take_picture(helper, message);
        break;
    case DECODE_SEEK:
    case DECODE_MEASURE:
    case DECODE_FILE:
        fail(helper, "its decoder makes no sense");
        break;
    }
}

static bool receive(struct helper *helper)
{
    struct decode_message message;
    ssize_t bytes = recv(helper->process.socket, helper->message, sizeof helper->message,
                         MSG_DONTWAIT | MSG_TRUNC);
    if (bytes < 0 && (errno == EAGAIN || errno == EINTR))
        return false;
    if (bytes <= 0)
        helper->gone = true;
    else if ((size_t)bytes > sizeof helper->message ||
             !decode_message_parse(helper->message, (size_t)bytes, &message))
        fail(helper, "its decoder makes no sense");
    else
        take(helper, &message);
    return !helper->gone;
}

/* Is there room for more of what comes? */
static bool has_room(const struct helper *helper)
{
    return !helper->opened || helper->to - helper->next < helper->room / 2;
}

/* Takes what has come. False: it has failed. */
static bool look(struct helper *helper)
{
    char why[HELPER_ERROR_MAX];
    for (int i = 0; i < MESSAGES_PER_CALL && !helper->failed && !helper->gone && has_room(helper);
         i++)
        if (!receive(helper))
            break;
    if (helper->gone && !helper->failed && helper_process_why(&helper->process, why))
        fail(helper, why);
    return !helper->failed;
}

/* It has not come yet: for too long? */
static enum helper_result wait_on(struct helper *helper)
{
    struct mono_time now = local_now();
    if (!helper->waiting)
        helper->waiting_since = now;
    helper->waiting = true;
    if (mono_sub(now, helper->waiting_since) > HANG_NS)
        return fail(helper, "its decoder hangs, and was ended");
    return HELPER_AGAIN;
}

enum helper_result helper_open(struct helper *helper)
{
    if (!look(helper))
        return HELPER_ERROR;
    return helper->opened ? HELPER_OK : wait_on(helper);
}

/* False: the socket takes nothing now. */
static bool wish_for(struct helper *helper, enum decode_message_type type)
{
    const struct decode_message wish = {.type = type};
    size_t bytes = decode_message_build(&wish, helper->message);
    return send(helper->process.socket, helper->message, bytes, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0;
}

enum helper_result helper_picture(struct helper *helper, const unsigned char **ret_bytes,
                                  size_t *ret_count)
{
    if (helper->pictured == UNASKED && wish_for(helper, DECODE_PICTURE))
        helper->pictured = ASKED;
    if (!look(helper))
        return HELPER_ERROR;
    if (helper->pictured != ANSWERED)
        return wait_on(helper);
    *ret_bytes = helper->picture.bytes;
    *ret_count = helper->picture.whole;
    return HELPER_OK;
}

enum helper_result helper_measure(struct helper *helper)
{
    if (helper->loudness == UNMEASURED && wish_for(helper, DECODE_MEASURE))
        helper->loudness = MEASURING;
    if (!look(helper))
        return HELPER_ERROR;
    return helper->loudness == MEASURED ? HELPER_OK : HELPER_AGAIN;
}

/* --- reading --- */

static bool is_near(const struct helper *helper, int64_t frame)
{
    return helper->serial != 0 && frame >= helper->from &&
           (helper->ended || frame <= helper->to + (int64_t)(AHEAD_S * helper->rate_hz));
}

/* False: it cannot be told now, as with a process that is gone. */
static bool ask(struct helper *helper, int64_t frame)
{
    uint32_t serial = helper->serial == UINT32_MAX ? 1 : helper->serial + 1;
    struct decode_message seek = {.type = DECODE_SEEK, .serial = serial, .frame = frame};
    size_t bytes = decode_message_build(&seek, helper->message);
    if (send(helper->process.socket, helper->message, bytes, MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
        return false;
    helper->serial = serial;
    helper->from = helper->to = frame;
    helper->ended = false;
    return true;
}

static bool has_start(const struct helper *helper)
{
    return helper->ended || helper->to - helper->next >= (int64_t)(START_S * helper->rate_hz);
}

enum helper_result helper_seek(struct helper *helper, int64_t frame)
{
    if (frame > DECODE_FRAME_MAX)
        frame = DECODE_FRAME_MAX;
    helper->next = frame;
    if (!look(helper))
        return HELPER_ERROR;
    if (!is_near(helper, frame) && !ask(helper, frame))
        return wait_on(helper);
    if (!has_start(helper) && !look(helper))
        return HELPER_ERROR;
    if (!has_start(helper))
        return wait_on(helper);
    return helper->next < helper->to ? HELPER_OK : HELPER_END;
}

enum helper_result helper_read(struct helper *helper, float *frames, size_t count,
                               size_t *ret_count)
{
    if (!look(helper))
        return HELPER_ERROR;
    if (!is_near(helper, helper->next))
        return helper_seek(helper, helper->next) == HELPER_ERROR ? HELPER_ERROR : HELPER_AGAIN;
    if (helper->next >= helper->to)
        return helper->ended ? HELPER_END : wait_on(helper);
    int64_t at = helper->next % helper->room;
    int64_t there = helper->to - helper->next;
    if (there > helper->room - at)
        there = helper->room - at;
    if ((int64_t)count > there)
        count = (size_t)there;
    memcpy(frames, helper->ring + at * DECODE_CHANNELS, count * DECODE_FRAME_BYTES);
    helper->next += (int64_t)count;
    *ret_count = count;
    return HELPER_OK;
}
