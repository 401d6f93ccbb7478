/*
 * fake_decode.c: a decoding process that does what its "file" says: crash, hang, talk nonsense, or
 * well. Stands in for tutti-decode in the tests of those who start it.
 */
#include "tutti/core/decode_message.h"

#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define SOCKET_FD 3
#define FILE_FD 4
#define RATE_HZ 8000
#define LENGTH 20000

static unsigned char bytes[DECODE_MESSAGE_MAX];

static void say(const struct decode_message *message)
{
    send(SOCKET_FD, bytes, decode_message_build(message, bytes), MSG_NOSIGNAL);
}

static void say_opened(void)
{
    say(&(struct decode_message){.type = DECODE_OPENED, .rate_hz = RATE_HZ, .frame = LENGTH});
}

/* Sample n of the track is n / 32768 on the left, and its negative on the right. */
static void say_pcm(uint32_t serial, int64_t frame, uint32_t count)
{
    float frames[DECODE_PCM_FRAMES_MAX * DECODE_CHANNELS];
    for (uint32_t i = 0; i < count; i++) {
        frames[2 * i] = (float)(frame + i) / 32768;
        frames[2 * i + 1] = -frames[2 * i];
    }
    memcpy(bytes + DECODE_HEAD_BYTES, frames, count * DECODE_FRAME_BYTES);
    say(&(struct decode_message){
        .type = DECODE_PCM, .serial = serial, .frame = frame, .count = count});
}

static bool hear(uint32_t *ret_serial, int64_t *ret_frame, int flags)
{
    struct decode_message message;
    unsigned char heard[DECODE_HEAD_BYTES];
    ssize_t got = recv(SOCKET_FD, heard, sizeof heard, flags);
    if (got == 0)
        _exit(0);
    if (got < 0 || !decode_message_parse(heard, (size_t)got, &message))
        return false;
    *ret_serial = message.serial;
    *ret_frame = message.frame;
    return true;
}

/* From there to the end, or to where it is asked for something else. */
static void play(uint32_t *serial, int64_t *frame)
{
    while (*frame < LENGTH) {
        uint32_t count = LENGTH - *frame < 700 ? (uint32_t)(LENGTH - *frame) : 700;
        say_pcm(*serial, *frame, count);
        *frame += count;
        hear(serial, frame, MSG_DONTWAIT);
    }
    say(&(struct decode_message){.type = DECODE_END, .serial = *serial, .frame = LENGTH});
}

static void be_good(void)
{
    uint32_t serial;
    int64_t frame;
    say_opened();
    while (hear(&serial, &frame, 0))
        play(&serial, &frame);
}

static void say_tag(enum track_tag tag, const char *text)
{
    struct decode_message message = {.type = DECODE_TAG, .tag = tag};
    strcpy(message.text, text);
    say(&message);
}

static void be_tagged(void)
{
    say_tag(TRACK_TAG_TITLE, "Har\x1b"
                             "bour");
    say_tag(TRACK_TAG_NUMBER, "3/12");
    say_tag(TRACK_TAG_TRACK_GAIN, "-6.50 dB");
    be_good();
}

/* So much of a picture that is said to have `whole` bytes, in pieces. */
static void say_picture(uint32_t bytes_said, uint32_t whole, const char *magic)
{
    uint32_t count;
    for (uint32_t at = 0; at < bytes_said; at += count) {
        count =
            bytes_said - at < DECODE_PICTURE_PIECE_MAX ? bytes_said - at : DECODE_PICTURE_PIECE_MAX;
        memset(bytes + DECODE_HEAD_BYTES, (int)(at / DECODE_PICTURE_PIECE_MAX), count);
        if (at == 0)
            memcpy(bytes + DECODE_HEAD_BYTES, magic, strlen(magic));
        say(&(struct decode_message){.type = DECODE_PICTURE, .count = count, .frame = whole});
    }
}

#define JPEG "\xff\xd8\xff"
/* What a mode that begins with "picture" shows. */
static void show(const char *mode)
{
    if (strcmp(mode, "picture") == 0)
        say_picture(20000, 20000, JPEG);
    if (strcmp(mode, "picture short") == 0)
        say_picture(19999, 20000, JPEG);
    if (strcmp(mode, "picture long") == 0)
        say_picture(20001, 20000, JPEG);
    if (strcmp(mode, "picture largest") == 0)
        say_picture(PICTURE_BYTES_MAX, PICTURE_BYTES_MAX, JPEG);
    if (strcmp(mode, "picture too large") == 0)
        say_picture(PICTURE_BYTES_MAX + 1, PICTURE_BYTES_MAX + 1, JPEG);
    if (strcmp(mode, "picture svg") == 0)
        say_picture(20000, 20000, "<svg xmlns='http://www.w3.org/2000/svg'>");
}

static void be_pictured(const char *mode)
{
    uint32_t serial;
    int64_t frame;
    if (strcmp(mode, "picture unasked") == 0)
        say_picture(20000, 20000, JPEG);
    say_opened();
    while (hear(&serial, &frame, 0)) {
        show(mode);
        say(&(struct decode_message){.type = DECODE_END});
    }
}

static void hang(void)
{
    for (;;)
        pause();
}

/* --- asked about many files --- */

static int receive_file(void)
{
    unsigned char heard[DECODE_HEAD_BYTES];
    union {
        struct cmsghdr head;
        char room[CMSG_SPACE(sizeof(int))];
    } control;
    struct iovec part = {heard, sizeof heard};
    struct msghdr message = {.msg_iov = &part,
                             .msg_iovlen = 1,
                             .msg_control = &control,
                             .msg_controllen = sizeof control};
    int file = -1;
    if (recvmsg(SOCKET_FD, &message, 0) > 0 && CMSG_FIRSTHDR(&message))
        memcpy(&file, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof file);
    return file;
}

static void be_asked(const char *mode)
{
    if (strcmp(mode, "crash") == 0)
        raise(SIGABRT);
    if (strcmp(mode, "exit") == 0)
        _exit(5);
    if (strcmp(mode, "hang") == 0)
        hang();
    if (strcmp(mode, "noise") == 0)
        send(SOCKET_FD, "noise", 5, MSG_NOSIGNAL);
    if (strcmp(mode, "refuse") == 0)
        say(&(struct decode_message){.type = DECODE_FAILED, .text = "there is no \x1b[2Jsound"});
    if (strcmp(mode, "tagged") == 0)
        say_tag(TRACK_TAG_TITLE, "Harbour");
    for (int i = 0; strcmp(mode, "chatter") == 0 && i < 1000; i++)
        say_tag(TRACK_TAG_TITLE, "Harbour");
    show(mode);
    if (strcmp(mode, "tagged") == 0 || strcmp(mode, "good") == 0 ||
        strncmp(mode, "picture", 7) == 0)
        say_opened();
}

static void be_asked_about_files(void)
{
    int file;
    while ((file = receive_file()) >= 0) {
        char mode[32] = "";
        if (pread(file, mode, sizeof mode - 1, 0) > 0)
            be_asked(mode);
        close(file);
    }
}

int main(int argc, char **argv)
{
    char mode[32] = "";
    uint32_t serial = 0;
    int64_t frame = 0;
    if (argc > 1 && strcmp(argv[1], "files") == 0) {
        be_asked_about_files();
        return 0;
    }
    ssize_t got = pread(FILE_FD, mode, sizeof mode - 1, 0);
    if (got <= 0)
        return 3;
    if (strcmp(mode, "good") == 0)
        be_good();
    if (strcmp(mode, "tagged") == 0)
        be_tagged();
    if (strncmp(mode, "picture", 7) == 0)
        be_pictured(mode);
    if (strcmp(mode, "exit") == 0)
        return 5;
    if (strcmp(mode, "crash") == 0)
        raise(SIGABRT);
    if (strcmp(mode, "hang") == 0)
        hang();
    if (strcmp(mode, "refuse") == 0)
        say(&(struct decode_message){.type = DECODE_FAILED, .text = "there is no \x1b[2Jsound"});
    if (strcmp(mode, "noise") == 0)
        send(SOCKET_FD, "noise", 5, MSG_NOSIGNAL);
    if (strcmp(mode, "twice") == 0) {
        say_opened();
        say_opened();
    }
    if (strcmp(mode, "elsewhere") == 0) {
        say_opened();
        hear(&serial, &frame, 0);
        say_pcm(serial, frame + 1, 10);
    }
    if (strcmp(mode, "silent") == 0)
        say_opened();
    hang();
}
