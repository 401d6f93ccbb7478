/*
 * helper_files.c: see helper_files.h.
 */
#include "tutti/codecs/helper_files.h"

#include "helper_process.h"
#include "picture_pieces.h"
#include "tutti/base/text.h"
#include "tutti/core/decode_message.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

/* What is said of a file comes within this; else it hangs. */
#define HANG_MS 5000
/* Whatever a process has lost or learnt by then, it loses it. */
#define FILES_EACH 500

struct helper_files {
    struct helper_process process;
    int asked;                     /* of this process */
    struct picture_pieces picture; /* of the last file */
    unsigned char message[DECODE_MESSAGE_MAX];
};

struct helper_files *helper_files_create(void)
{
    struct helper_files *files = calloc(1, sizeof *files);
    if (files)
        files->process.socket = -1;
    return files;
}

static void end_process(struct helper_files *files)
{
    helper_process_kill(&files->process);
    files->asked = 0;
}

void helper_files_destroy(struct helper_files *files)
{
    if (!files)
        return;
    end_process(files);
    picture_pieces_forget(&files->picture);
    free(files);
}

static bool have_process(struct helper_files *files, char *error)
{
    if (files->asked >= FILES_EACH)
        end_process(files);
    return files->process.socket >= 0 || helper_process_start_for_files(&files->process, error);
}

static bool hand_over(struct helper_files *files, int fd, int64_t bytes, uint32_t what)
{
    const struct decode_message file = {.type = DECODE_FILE, .serial = what, .frame = bytes};
    union {
        struct cmsghdr head;
        char room[CMSG_SPACE(sizeof(int))];
    } control = {.room = {0}};
    struct iovec part = {files->message, decode_message_build(&file, files->message)};
    struct msghdr message = {.msg_iov = &part,
                             .msg_iovlen = 1,
                             .msg_control = &control,
                             .msg_controllen = sizeof control};
    control.head.cmsg_len = CMSG_LEN(sizeof fd);
    control.head.cmsg_level = SOL_SOCKET;
    control.head.cmsg_type = SCM_RIGHTS;
    memcpy(CMSG_DATA(&control.head), &fd, sizeof fd);
    files->asked++;
    return sendmsg(files->process.socket, &message, MSG_NOSIGNAL) >= 0;
}

/* Waits for it. False: none comes, or it makes no sense. */
static bool receive(struct helper_files *files, struct decode_message *ret)
{
    struct pollfd wait = {.fd = files->process.socket, .events = POLLIN};
    if (poll(&wait, 1, HANG_MS) <= 0)
        return false;
    ssize_t bytes = recv(wait.fd, files->message, sizeof files->message, MSG_DONTWAIT | MSG_TRUNC);
    return bytes > 0 && (size_t)bytes <= sizeof files->message &&
           decode_message_parse(files->message, (size_t)bytes, ret);
}

/* What comes first, up to the first message that is no piece of it. */
static bool take_picture(struct helper_files *files, bool wanted, struct decode_message *ret_last)
{
    while (receive(files, ret_last)) {
        if (ret_last->type != DECODE_PICTURE)
            return picture_pieces_are_whole(&files->picture);
        if (!wanted || !picture_pieces_take(&files->picture, ret_last))
            return false;
    }
    return false;
}

/* True: all of it was said, the last in *ret_last. There are no more tags than kinds of them, and no more of a
 * picture than it says there is. */
static bool listen_to(struct helper_files *files, bool picture, struct helper_told *told,
                      struct decode_message *ret_last)
{
    if (!take_picture(files, picture, ret_last))
        return false;
    for (int i = 0; i <= TRACK_TAGS; i++) {
        if (ret_last->type != DECODE_TAG)
            return ret_last->type == DECODE_OPENED || ret_last->type == DECODE_FAILED;
        track_tags_take(&told->tags, ret_last->tag, ret_last->text, strlen(ret_last->text));
        if (!receive(files, ret_last))
            return false;
    }
    return false;
}

enum helper_files_result helper_files_ask(struct helper_files *files, int fd, int64_t bytes,
                                          enum audio_kind kind, bool picture,
                                          struct helper_told *ret, char error[HELPER_ERROR_MAX])
{
    const uint32_t what =
        (kind == AUDIO_MP3 ? DECODE_FILE_MP3 : 0) | (picture ? DECODE_FILE_PICTURE : 0);
    struct decode_message last;
    picture_pieces_forget(&files->picture);
    *ret = (struct helper_told){.length_frames = -1, .tags = track_tags_none()};
    if (!have_process(files, error))
        return HELPER_FILE_NOT_ASKED;
    if (!hand_over(files, fd, bytes, what) || !listen_to(files, picture, ret, &last)) {
        snprintf(error, HELPER_ERROR_MAX, "its decoder hangs, crashed or makes no sense");
        end_process(files);
        return HELPER_FILE_REFUSED;
    }
    if (last.type == DECODE_FAILED) {
        text_defuse(last.text, '?');
        snprintf(error, HELPER_ERROR_MAX, "%s", last.text);
        return HELPER_FILE_REFUSED;
    }
    ret->rate_hz = last.rate_hz;
    ret->length_frames = last.frame;
    ret->picture = files->picture.bytes;
    ret->picture_bytes = files->picture.whole;
    return HELPER_FILE_TOLD;
}
