/*
 * serve.c: one thing at a time; a send waits until there is room, and for nothing else.
 */
#include "serve.h"

#include "loudness_meter.h"
#include "track.h"
#include "tutti/core/decode_message.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct service {
    int socket;
    struct track *track;
    uint32_t serial; /* of the seek in force; 0: none yet */
    int64_t next;
    bool idle;           /* there is nothing to do before the next seek */
    size_t unsaid_bytes; /* of the message */
    unsigned char message[DECODE_MESSAGE_MAX];
};

/* False: nobody is there any more. */
static bool say(int socket, const struct decode_message *message, unsigned char *to)
{
    size_t bytes = decode_message_build(message, to);
    ssize_t sent;
    do
        sent = send(socket, to, bytes, MSG_NOSIGNAL);
    while (sent < 0 && errno == EINTR);
    return sent >= 0;
}

void serve_refuse(int socket, const char *why)
{
    unsigned char to[DECODE_HEAD_BYTES + DECODE_TEXT_MAX];
    struct decode_message message = {.type = DECODE_FAILED};
    snprintf(message.text, sizeof message.text, "%s", why);
    say(socket, &message, to);
}

static void say_number(struct service *service, enum track_tag tag, double number)
{
    struct decode_message message = {.type = DECODE_TAG, .tag = tag};
    snprintf(message.text, sizeof message.text, "%.6f", number);
    if (number == number)
        say(service->socket, &message, service->message);
}

static void measure(struct service *service)
{
    struct loudness loudness;
    if (loudness_meter_run(service->track, &loudness)) {
        say_number(service, TRACK_TAG_TRACK_GAIN, loudness.track_gain_db);
        say_number(service, TRACK_TAG_TRACK_PEAK, loudness.track_peak);
    }
    struct decode_message end = {.type = DECODE_END, .frame = track_position(service->track)};
    say(service->socket, &end, service->message);
}

/* In pieces, as it is in the file. False: nobody is there any more. */
static bool say_picture(int socket, const struct track *track, unsigned char *to)
{
    size_t bytes;
    const unsigned char *picture = track_picture(track, &bytes);
    struct decode_message piece = {.type = DECODE_PICTURE, .frame = (int64_t)bytes};
    for (size_t at = 0; at < bytes; at += piece.count) {
        size_t left = bytes - at;
        piece.count = (uint32_t)(left < DECODE_PICTURE_PIECE_MAX ? left : DECODE_PICTURE_PIECE_MAX);
        memcpy(to + DECODE_HEAD_BYTES, picture + at, piece.count);
        if (!say(socket, &piece, to))
            return false;
    }
    return true;
}

static void show(struct service *service)
{
    const struct decode_message end = {.type = DECODE_END};
    if (say_picture(service->socket, service->track, service->message))
        say(service->socket, &end, service->message);
}

static void obey(struct service *service, const unsigned char *bytes, size_t count)
{
    struct decode_message message;
    if (!decode_message_parse(bytes, count, &message))
        return;
    if (message.type == DECODE_MEASURE && service->serial == 0)
        measure(service);
    if (message.type == DECODE_PICTURE && service->serial == 0)
        show(service);
    if (message.type != DECODE_SEEK)
        return;
    service->serial = message.serial;
    service->next = message.frame;
    service->idle = false;
    service->unsaid_bytes = 0; /* it belongs to the seek before */
    track_seek(service->track, message.frame);
}

/* The last of the commands that have come; waits for one if there is nothing to do. */
static bool listen_once(struct service *service)
{
    unsigned char bytes[DECODE_HEAD_BYTES];
    ssize_t got = recv(service->socket, bytes, sizeof bytes,
                       service->idle && service->unsaid_bytes == 0 ? 0 : MSG_DONTWAIT);
    if (got > 0)
        obey(service, bytes, (size_t)got);
    return got > 0 || (got < 0 && (errno == EAGAIN || errno == EINTR));
}

/* The next frames of the track, or its end, to be said. */
static void prepare(struct service *service)
{
    struct decode_message message = {.type = DECODE_PCM,
                                     .serial = service->serial,
                                     .frame = service->next,
                                     .damaged = track_damaged(service->track)};
    float frames[DECODE_PCM_FRAMES_MAX * DECODE_CHANNELS];
    size_t count = track_read(service->track, frames, DECODE_PCM_FRAMES_MAX);
    message.count = (uint32_t)count;
    if (count == 0) {
        message.type = DECODE_END;
        message.frame = track_position(service->track);
        service->idle = true;
    }
    memcpy(service->message + DECODE_HEAD_BYTES, frames, count * DECODE_FRAME_BYTES);
    service->next += (int64_t)count;
    service->unsaid_bytes = decode_message_build(&message, service->message);
}

/* Without room for it, waits for that, or for a command. False: nobody is there any more. */
static bool say_prepared(struct service *service)
{
    struct pollfd wait = {.fd = service->socket, .events = POLLIN | POLLOUT};
    if (send(service->socket, service->message, service->unsaid_bytes,
             MSG_DONTWAIT | MSG_NOSIGNAL) >= 0) {
        service->unsaid_bytes = 0;
        return true;
    }
    if (errno != EAGAIN && errno != EINTR)
        return false;
    return poll(&wait, 1, -1) >= 0 || errno == EINTR;
}

static bool say_tags(int socket, const struct track *track, unsigned char *to)
{
    for (enum track_tag tag = 0; tag < TRACK_TAGS; tag++) {
        const char *text = track_tag(track, tag);
        struct decode_message message = {.type = DECODE_TAG, .tag = tag};
        if (text)
            track_tags_copy_text(message.text, text, strlen(text));
        if (message.text[0] && !say(socket, &message, to))
            return false;
    }
    return true;
}

static bool say_opened(int socket, const struct track *track, unsigned char *to)
{
    const struct decode_message opened = {
        .type = DECODE_OPENED, .rate_hz = track_rate_hz(track), .frame = track_length(track)};
    return say_tags(socket, track, to) && say(socket, &opened, to);
}

static void decode(struct service *service)
{
    while (listen_once(service)) {
        if (service->unsaid_bytes == 0 && !service->idle)
            prepare(service);
        if (service->unsaid_bytes > 0 && !say_prepared(service))
            return;
    }
}

void serve(int socket, int file, int64_t file_bytes, bool is_mp3)
{
    char why[DECODE_TEXT_MAX];
    struct service service = {.socket = socket, .idle = true};
    service.track = track_open(file, file_bytes, is_mp3, why);
    if (!service.track) {
        serve_refuse(socket, why);
        return;
    }
    if (say_opened(socket, service.track, service.message))
        decode(&service);
    track_close(service.track);
}

/* --- many files ---------------------------------------------------------------------------- */

/* The descriptor that came with a message. -1: none did. */
static int take_descriptor(struct msghdr *message)
{
    int file = -1;
    const struct cmsghdr *with = CMSG_FIRSTHDR(message);
    if (with && with->cmsg_level == SOL_SOCKET && with->cmsg_type == SCM_RIGHTS)
        memcpy(&file, CMSG_DATA(with), sizeof file);
    return file;
}

/* The next file, and what was said of it. -1: there is none any more. */
static int receive_file(int socket, struct decode_message *ret)
{
    unsigned char bytes[DECODE_HEAD_BYTES];
    union {
        struct cmsghdr head;
        char room[CMSG_SPACE(sizeof(int))];
    } control;
    struct iovec part = {bytes, sizeof bytes};
    struct msghdr message = {.msg_iov = &part,
                             .msg_iovlen = 1,
                             .msg_control = &control,
                             .msg_controllen = sizeof control};
    ssize_t got;
    do
        got = recvmsg(socket, &message, 0);
    while (got < 0 && errno == EINTR);
    bool good =
        got > 0 && decode_message_parse(bytes, (size_t)got, ret) && ret->type == DECODE_FILE;
    return good ? take_descriptor(&message) : -1;
}

static void serve_file(int socket, int file, const struct decode_message *asked, unsigned char *to)
{
    char why[DECODE_TEXT_MAX];
    struct track *track =
        track_open(file, asked->frame, (asked->serial & DECODE_FILE_MP3) != 0, why);
    if (!track) {
        serve_refuse(socket, why);
        return;
    }
    if ((asked->serial & DECODE_FILE_PICTURE) == 0 || say_picture(socket, track, to))
        say_opened(socket, track, to);
    track_close(track);
}

void serve_files(int socket)
{
    static unsigned char to[DECODE_MESSAGE_MAX];
    struct decode_message asked;
    int file;
    while ((file = receive_file(socket, &asked)) >= 0) {
        serve_file(socket, file, &asked, to);
        close(file);
    }
}
