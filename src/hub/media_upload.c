/*
 * media_upload.c: one track on its way to the disk, piece by piece.
 */
#include "media_internal.h"
#include "mp3_check.h"
#include "store_internal.h"
#include "tutti/base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define WRITE_PIECE (1024 * 1024)
#define BASE64_PIECE 4096
#define NO_MP3 "data: "
#define NO_BASE64 "data: base64 is wanted"

struct media_upload {
    struct media *media;
    char part[MEDIA_FULL_PATH_MAX];
    int fd; /* -1: the file is finished, or gone */
    int64_t bytes;
    int64_t writing_bytes; /* of them, those on their way to the disk */
    struct mp3_check *check;
    EVP_ENCODE_CTX *base64; /* NULL: bytes come as they are */
    int status;             /* 0: good so far */
    const char *reason;
    char refusal[AUDIO_REFUSAL_MAX + sizeof NO_MP3];
};

static bool is_disk_short(const struct media *media, int64_t more)
{
    struct statvfs status;
    if (statvfs(media->directory, &status) < 0)
        return false;
    return (double)status.f_bavail * (double)status.f_frsize <
           (double)media->limits.free_bytes + (double)more;
}

static struct media_upload *refuse(int status, const char *reason, int *ret_status,
                                   const char **ret_reason)
{
    *ret_status = status;
    *ret_reason = reason;
    return NULL;
}

struct media_upload *media_upload_begin(struct media *media, int *ret_status,
                                        const char **ret_reason)
{
    char name[33], path[MEDIA_PATH_MAX];
    if (media->uploads >= MEDIA_UPLOADS_MAX)
        return refuse(429, "Too many uploads at once; try again", ret_status, ret_reason);
    if (media->used_bytes >= media->limits.disk_bytes || is_disk_short(media, 0))
        return refuse(507, "There is no room for more tracks", ret_status, ret_reason);
    struct media_upload *upload = calloc(1, sizeof *upload);
    if (!upload)
        return refuse(507, "There is no memory for an upload", ret_status, ret_reason);
    upload->media = media;
    media->uploads++;
    store_random_hex(name, 32);
    snprintf(path, sizeof path, "uploads/.%s", name);
    media_full_path(media, path, upload->part);
    upload->check = mp3_check_create();
    upload->fd = open(upload->part, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (upload->check && upload->fd >= 0)
        return upload;
    log_error("media file %s: %s", upload->part, strerror(errno));
    media_upload_destroy(upload);
    return refuse(507, "The track cannot be stored", ret_status, ret_reason);
}

static void discard(struct media_upload *upload)
{
    if (upload->fd < 0)
        return;
    close(upload->fd);
    unlink(upload->part);
    upload->fd = -1;
    upload->media->used_bytes -= upload->bytes;
}

static void fail(struct media_upload *upload, int status, const char *reason)
{
    if (upload->status)
        return;
    upload->status = status;
    upload->reason = reason;
    discard(upload);
}

static void refuse_kind(struct media_upload *upload)
{
    char why[AUDIO_REFUSAL_MAX];
    mp3_check_refusal(upload->check, why);
    snprintf(upload->refusal, sizeof upload->refusal, NO_MP3 "%s", why);
    fail(upload, 415, upload->refusal);
}

static bool write_all(struct media_upload *upload, const char *bytes, size_t count)
{
    while (count > 0) {
        ssize_t written = write(upload->fd, bytes, count);
        if (written < 0 && errno == EINTR)
            continue;
        if (written <= 0)
            return false;
        bytes += written;
        count -= (size_t)written;
    }
    return true;
}

/* Begun early and in pieces: once the kernel has gathered more than it likes, write() would wait
 * for a slow card, and the loop with it. */
static void start_writing(struct media_upload *upload)
{
    if (upload->bytes - upload->writing_bytes < WRITE_PIECE)
        return;
    sync_file_range(upload->fd, upload->writing_bytes, upload->bytes - upload->writing_bytes,
                    SYNC_FILE_RANGE_WRITE);
    upload->writing_bytes = upload->bytes;
}

void media_upload_feed(struct media_upload *upload, const void *bytes, size_t count)
{
    struct media *media = upload->media;
    if (upload->status || count == 0)
        return;
    if (upload->bytes + (int64_t)count > media->limits.track_bytes) {
        fail(upload, 413, "The track is too large for this hub");
        return;
    }
    if (media->used_bytes + (int64_t)count > media->limits.disk_bytes ||
        is_disk_short(media, (int64_t)count)) {
        fail(upload, 507, "There is no room for more tracks");
        return;
    }
    upload->bytes += (int64_t)count;
    media->used_bytes += (int64_t)count;
    if (!write_all(upload, bytes, count)) {
        log_error("media file %s: %s", upload->part, strerror(errno));
        fail(upload, 507, "The track cannot be stored");
        return;
    }
    start_writing(upload);
    mp3_check_feed(upload->check, bytes, count);
    if (mp3_check_is_refused(upload->check))
        refuse_kind(upload);
}

void media_upload_feed_base64(struct media_upload *upload, const char *text, size_t count)
{
    unsigned char bytes[BASE64_PIECE];
    if (!upload->base64) {
        upload->base64 = EVP_ENCODE_CTX_new();
        if (!upload->base64)
            fail(upload, 507, "There is no memory for an upload");
        else
            EVP_DecodeInit(upload->base64);
    }
    while (!upload->status && count > 0) {
        int piece = count < BASE64_PIECE ? (int)count : BASE64_PIECE;
        int got = 0;
        if (EVP_DecodeUpdate(upload->base64, bytes, &got, (const unsigned char *)text, piece) < 0)
            fail(upload, 415, NO_BASE64);
        else
            media_upload_feed(upload, bytes, (size_t)got);
        text += piece;
        count -= (size_t)piece;
    }
}

static void end_base64(struct media_upload *upload)
{
    unsigned char bytes[BASE64_PIECE];
    int got = 0;
    if (!upload->base64 || upload->status)
        return;
    if (EVP_DecodeFinal(upload->base64, bytes, &got) < 0)
        fail(upload, 415, NO_BASE64);
    else
        media_upload_feed(upload, bytes, (size_t)got);
}

/* Renaming is the last step: what bears a name is whole. */
static void name_file(struct media_upload *upload, char path[MEDIA_PATH_MAX])
{
    char name[33], full[MEDIA_FULL_PATH_MAX];
    store_random_hex(name, 32);
    snprintf(path, MEDIA_PATH_MAX, "uploads/%s.mp3", name);
    media_full_path(upload->media, path, full);
    if (rename(upload->part, full) < 0) {
        log_error("media file %s: %s", full, strerror(errno));
        fail(upload, 507, "The track cannot be stored");
        return;
    }
    close(upload->fd);
    upload->fd = -1;
}

bool media_upload_finish(struct media_upload *upload, char path[MEDIA_PATH_MAX],
                         double *ret_duration_s, int *ret_status, const char **ret_reason)
{
    double seconds;
    end_base64(upload);
    if (!upload->status && !mp3_check_result(upload->check, &seconds))
        refuse_kind(upload);
    if (!upload->status)
        name_file(upload, path);
    if (upload->status) {
        *ret_status = upload->status;
        *ret_reason = upload->reason;
        return false;
    }
    *ret_duration_s = seconds;
    return true;
}

void media_upload_destroy(struct media_upload *upload)
{
    if (!upload)
        return;
    discard(upload);
    upload->media->uploads--;
    mp3_check_destroy(upload->check);
    EVP_ENCODE_CTX_free(upload->base64);
    free(upload);
}
