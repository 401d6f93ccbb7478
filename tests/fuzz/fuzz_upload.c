/*
 * fuzz_upload.c: any bytes as the body of an upload to the hub, in pieces of any size: a track, or
 * JSON with a track in it. The first byte says which, the second how large the pieces are. Whether
 * it is music does not depend on the pieces, and what was refused leaves no file.
 */
#include "../../src/hub/body.h"
#include "../../src/hub/track_check.h"
#include "fuzz.h"
#include "tutti/base/log.h"
#include "tutti/codecs/helper.h"

#include <dirent.h>
#include <math.h>
#include <stdbool.h>

#define HEAD_BYTES 2
#define TRACK_BYTES_MAX 65536

static struct media *media;

static int count_files(void)
{
    char path[512];
    const struct dirent *item;
    int count = 0;
    snprintf(path, sizeof path, "%s/uploads", fuzz_directory());
    DIR *directory = opendir(path);
    FUZZ_CHECK(directory);
    while ((item = readdir(directory)))
        count += item->d_name[0] != '.' || (item->d_name[1] && item->d_name[1] != '.');
    closedir(directory);
    return count;
}

static int is_used(void *user, const char *path)
{
    (void)user;
    (void)path;
    return 0;
}

static bool hold(void *user, size_t bytes)
{
    (void)user;
    return bytes <= BODY_JSON_MAX;
}

static struct media_upload *open_upload(void *user, int *ret_status, const char **ret_reason)
{
    (void)user;
    return media_upload_begin(media, ret_status, ret_reason);
}

static bool check_in_pieces(const char *bytes, size_t size, size_t piece, double *ret_seconds)
{
    struct track_check *check = track_check_create(formats_played());
    FUZZ_CHECK(check);
    for (size_t at = 0; at < size; at += piece)
        track_check_feed(check, bytes + at, size - at < piece ? size - at : piece);
    *ret_seconds = 0;
    bool good = track_check_result(check, ret_seconds);
    track_check_destroy(check);
    return good;
}

static void as_music(const char *bytes, size_t size, size_t piece)
{
    double whole_s, pieces_s;
    bool whole = check_in_pieces(bytes, size, size ? size : 1, &whole_s);
    bool pieces = check_in_pieces(bytes, size, piece, &pieces_s);
    FUZZ_CHECK(whole == pieces);
    FUZZ_CHECK(fabs(whole_s - pieces_s) < 1e-9);
    FUZZ_CHECK((whole_s >= 0 || whole_s == -1) && isfinite(whole_s));
}

static void as_body(enum body_kind kind, const char *bytes, size_t size, size_t piece)
{
    struct body *body =
        body_create(kind, NULL, &(struct body_door){.open = open_upload, .hold = hold});
    cJSON *json = NULL;
    struct media_upload *upload = NULL;
    char path[MEDIA_PATH_MAX];
    struct measurement track;
    int status = 0;
    const char *reason = NULL;
    bool stored = false;
    FUZZ_CHECK(body);
    for (size_t at = 0; at < size; at += piece)
        body_feed(body, bytes + at, size - at < piece ? size - at : piece);
    struct reply reply = body_finish(body, &json, &upload);
    if (reply.status == 200 && upload) {
        stored = media_upload_finish(upload, path, &track, &status, &reason);
        FUZZ_CHECK(stored ? track.seconds >= 0 || track.seconds == -1 : status >= 400 && reason);
        if (stored)
            media_upload_keep(upload);
    }
    body_destroy(body);
    FUZZ_CHECK(count_files() == stored);
    cJSON_Delete(json);
    cJSON_Delete(reply.body);
    FUZZ_CHECK(media_sweep(media, is_used, NULL) == stored);
    FUZZ_CHECK(media_purge(media, 0) == stored);
    FUZZ_CHECK(count_files() == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < HEAD_BYTES)
        return 0;
    if (!media) {
        log_set_level(LOG_ERROR);
        helper_set_program("/nowhere"); /* its own target is fuzz_decode */
        media = media_create(
            fuzz_directory(),
            &(struct media_limits){TRACK_BYTES_MAX, 4 * TRACK_BYTES_MAX, 0, formats_played()});
        FUZZ_CHECK(media);
    }
    const char *bytes = (const char *)data + HEAD_BYTES;
    size_t piece = (size_t)data[1] * data[1] + 1;
    size -= HEAD_BYTES;
    if (data[0] % 3 == 0)
        as_music(bytes, size, piece);
    else
        as_body(data[0] % 3 == 1 ? BODY_JSON : BODY_TRACK, bytes, size, piece);
    return 0;
}
