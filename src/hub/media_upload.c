/*
 * media_upload.c: one track on its way to the disk, piece by piece.
 *
 * At its end it waits for the disk, in the background: the file first, then its name. Only then may
 * a row name it, so that what was acknowledged is there after a power cut.
 */
#include "measure.h"
#include "media_internal.h"
#include "store_internal.h"
#include "track_check.h"
#include "tutti/base/log.h"
#include "tutti/base/write_all.h"

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
#define NO_TRACK "data: "
#define REFUSAL_MAX (AUDIO_REFUSAL_MAX > HELPER_ERROR_MAX ? AUDIO_REFUSAL_MAX : HELPER_ERROR_MAX)
#define NO_BASE64 "data: base64 is wanted"

struct media_upload {
    struct media *media;
    struct media_upload *next;
    char part[MEDIA_FULL_PATH_MAX];
    char path[MEDIA_PATH_MAX]; /* "": it has no name yet */
    char full[MEDIA_FULL_PATH_MAX];
    int fd; /* -1: the file is gone */
    int64_t bytes;
    int64_t writing_bytes; /* of them, those on their way to the disk */
    struct track_check *check;
    enum measure_result measured;
    char unmeasured[HELPER_ERROR_MAX]; /* why */
    struct measurement track;
    EVP_ENCODE_CTX *base64; /* NULL: bytes come as they are */
    int status;             /* 0: good so far */
    const char *reason;
    char refusal[REFUSAL_MAX + sizeof NO_TRACK];
    bool settling; /* the background has it */
    bool settled;
    bool kept;
    bool orphaned; /* to be destroyed when it has settled */
    int result;    /* of the background: 0, or -errno */
    void (*done)(void *user);
    void *user;
};

static bool is_disk_short(const struct media *media, int64_t more)
{
    struct statvfs status;
    if (statvfs(media->directory, &status) < 0)
        return true;
    return (double)status.f_bavail * (double)status.f_frsize <
           (double)media->limits.free_bytes + (double)more;
}

/* Where all tracks together may not be much more than one, a part of them is room enough. */
#define ROOM_PART 4

int64_t media_lacking(const struct media *media)
{
    const struct media_limits *limits = &media->limits;
    int64_t most = limits->disk_bytes / ROOM_PART;
    int64_t room = limits->track_bytes < most ? limits->track_bytes : most;
    int64_t lacking = media->used_bytes + room - limits->disk_bytes;
    struct statvfs status;
    if (statvfs(media->directory, &status) < 0)
        return lacking;
    double free_bytes = (double)status.f_bavail * (double)status.f_frsize;
    double of_disk = (double)(limits->free_bytes + room) - free_bytes;
    return of_disk > (double)lacking ? (int64_t)of_disk : lacking;
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
        return refuse(
            507, "There is no room for more tracks ([limits] disk_mb, disk_free_mb of the hub)",
            ret_status, ret_reason);
    struct media_upload *upload = calloc(1, sizeof *upload);
    if (!upload)
        return refuse(507, "There is no memory for an upload", ret_status, ret_reason);
    upload->media = media;
    upload->next = media->first;
    media->first = upload;
    media->uploads++;
    store_random_hex(name, 32);
    snprintf(path, sizeof path, MEDIA_UPLOADS ".%s", name);
    media_full_path(media, path, upload->part);
    upload->track.tags = track_tags_none();
    upload->check = track_check_create(media->limits.formats);
    upload->fd = open(upload->part, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (upload->check && upload->fd >= 0)
        return upload;
    log_error("media file %s: %s", upload->part, strerror(errno));
    media_upload_destroy(upload);
    return refuse(507, "The track cannot be stored", ret_status, ret_reason);
}

int64_t media_upload_bytes(const struct media_upload *upload)
{
    return upload->bytes;
}

bool media_is_coming(const struct media *media, const char *path)
{
    for (const struct media_upload *upload = media->first; upload; upload = upload->next)
        if (strcmp(upload->path, path) == 0)
            return true;
    return false;
}

static void discard(struct media_upload *upload)
{
    if (upload->fd < 0)
        return;
    close(upload->fd);
    upload->fd = -1;
    if (upload->kept)
        return;
    unlink(upload->part);
    if (upload->path[0])
        unlink(upload->full);
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

static void refuse_track(struct media_upload *upload, const char *why)
{
    snprintf(upload->refusal, sizeof upload->refusal, NO_TRACK "%s", why);
    fail(upload, 415, upload->refusal);
}

static void refuse_kind(struct media_upload *upload)
{
    char why[AUDIO_REFUSAL_MAX];
    track_check_refusal(upload->check, why);
    refuse_track(upload, why);
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
        fail(upload, 413, "The track is larger than [limits] track_mb of the hub allows");
        return;
    }
    if (media->used_bytes + (int64_t)count > media->limits.disk_bytes ||
        is_disk_short(media, (int64_t)count)) {
        fail(upload, 507,
             "There is no room for more tracks ([limits] disk_mb, disk_free_mb of the hub)");
        return;
    }
    upload->bytes += (int64_t)count;
    media->used_bytes += (int64_t)count;
    int result = write_all(upload->fd, bytes, count);
    if (result < 0) {
        log_error("media file %s: %s", upload->part, strerror(-result));
        fail(upload, 507, "The track cannot be stored");
        return;
    }
    start_writing(upload);
    track_check_feed(upload->check, bytes, count);
    if (track_check_is_refused(upload->check))
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

/* --- to the disk --------------------------------------------------------------------------- */

static void choose_name(struct media_upload *upload)
{
    char name[33], ending[8];
    store_random_hex(name, 32);
    formats_ending(track_check_kind(upload->check), ending);
    snprintf(upload->path, sizeof upload->path, MEDIA_UPLOADS "%s.%s", name, ending);
    media_full_path(upload->media, upload->path, upload->full);
}

/* In the background, which touches nothing else of the upload meanwhile. */
static void sync_and_name(void *job)
{
    struct media_upload *upload = job;
    if (fsync(upload->fd) < 0 || rename(upload->part, upload->full) < 0)
        upload->result = -errno;
    else
        upload->result = media_sync_directory(upload->media, MEDIA_UPLOADS);
}

static void settled(void *job)
{
    struct media_upload *upload = job;
    upload->settling = false;
    upload->settled = true;
    if (upload->result < 0) {
        log_error("media file %s: %s", upload->full, strerror(-upload->result));
        fail(upload, 507, "The track cannot be stored");
    }
    if (upload->orphaned)
        media_upload_destroy(upload);
    else if (upload->done)
        upload->done(upload->user);
}

static void store(struct media_upload *upload)
{
    if (upload->status) {
        settled(upload);
        return;
    }
    choose_name(upload);
    upload->settling = true;
    media_run(upload->media->background, sync_and_name, settled, upload);
}

/* In a background of its own, for a decoder may take its time: uploads of mp3s do not wait for it.
 */
static void measure(void *job)
{
    struct media_upload *upload = job;
    upload->measured = measure_track(upload->fd, &upload->track, upload->unmeasured);
}

static void measured(void *job)
{
    struct media_upload *upload = job;
    upload->settling = false;
    if (upload->measured == MEASURE_NOT_KNOWN)
        log_warn("the length of an uploaded track is not known: %s", upload->unmeasured);
    else if (upload->measured == MEASURE_REFUSED)
        refuse_track(upload, upload->unmeasured);
    if (upload->orphaned)
        media_upload_destroy(upload);
    else
        store(upload);
}

void media_upload_settle(struct media_upload *upload, void (*done)(void *user), void *user)
{
    upload->done = done;
    upload->user = user;
    end_base64(upload);
    if (!upload->status && !track_check_result(upload->check, &upload->track.seconds))
        refuse_kind(upload);
    upload->track.kind = track_check_kind(upload->check);
    if (upload->status || !audio_kind_needs_codecs(upload->track.kind)) {
        store(upload);
        return;
    }
    upload->settling = true;
    media_run(upload->media->measuring, measure, measured, upload);
}

bool media_upload_finish(struct media_upload *upload, char path[MEDIA_PATH_MAX],
                         struct measurement *ret_track, int *ret_status, const char **ret_reason)
{
    if (!upload->settled) {
        struct background *background = upload->media->background;
        struct background *measuring = upload->media->measuring;
        media_use_background(upload->media, NULL, NULL); /* at once */
        media_upload_settle(upload, NULL, NULL);
        media_use_background(upload->media, background, measuring);
    }
    if (upload->status) {
        *ret_status = upload->status;
        *ret_reason = upload->reason;
        return false;
    }
    snprintf(path, MEDIA_PATH_MAX, "%s", upload->path);
    *ret_track = upload->track;
    return true;
}

void media_upload_keep(struct media_upload *upload)
{
    upload->kept = true;
}

static void unlist(struct media_upload *upload)
{
    struct media_upload **at = &upload->media->first;
    while (*at != upload)
        at = &(*at)->next;
    *at = upload->next;
    upload->media->uploads--;
}

void media_upload_destroy(struct media_upload *upload)
{
    if (!upload)
        return;
    if (upload->settling) {
        upload->orphaned = true;
        return;
    }
    discard(upload);
    unlist(upload);
    track_check_destroy(upload->check);
    EVP_ENCODE_CTX_free(upload->base64);
    free(upload);
}
