/*
 * track_upload.c: see track_upload.h.
 *
 * The file may be on a slow disk or another machine, so it is read beside the loop: while one piece
 * is sent, the next is read. A piece is whole groups of base64, and so needs no memory of the one
 * before it.
 */
#include "tutti/io/track_upload.h"

#include "tutti/io/background.h"
#include "tutti/io/http.h"

#include <cjson/cJSON.h>
#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PIECE_BYTES 98304 /* of the file; 128 KiB of base64 */
#define BASE64_BYTES(bytes) (((bytes) + 2) / 3 * 4)
/* What the file stands for while the JSON around it is made; no filename can hold it. */
#define MARK "\x01"
#define MARK_AS_JSON "\\u0001"

struct piece {
    unsigned char bytes[PIECE_BYTES];
    int64_t count; /* -1: it cannot be read */
};

struct track_upload {
    struct background *background;
    int fd;
    void (*more)(void *user);
    void *user;

    char *json; /* head and tail in one */
    size_t head_bytes, tail_at, tail_bytes;
    int64_t file_bytes;
    int64_t given_bytes;

    struct piece pieces[2];
    int giving;          /* the piece that is being sent */
    int64_t given_of_it; /* characters of its base64 */
    int64_t read_at;     /* in the file: the next to be read */
    bool reading;        /* the other piece, in the background */
    bool failed;
    bool waited_for; /* whoever sends has nothing to send */
    bool destroyed;
};

static char *make_json(const struct track_upload_config *config)
{
    cJSON *root = cJSON_CreateObject();
    cJSON_AddStringToObject(root, "track_id", config->track_id);
    cJSON_AddStringToObject(root, "name", config->name);
    if (config->duration_s >= 0)
        cJSON_AddNumberToObject(root, "duration_seconds", round(config->duration_s));
    cJSON *media = cJSON_AddObjectToObject(root, "media");
    cJSON_AddStringToObject(media, "filename", config->filename);
    cJSON_AddStringToObject(media, "content_type", config->content_type);
    cJSON_AddStringToObject(media, "data", MARK);
    char *json = cJSON_PrintUnformatted(root);
    cJSON_Delete(root);
    return json;
}

static bool make_frame(struct track_upload *upload, const struct track_upload_config *config)
{
    upload->json = make_json(config);
    char *mark = NULL;
    /* The last one: a name may hold anything. */
    for (char *at = upload->json; at && (at = strstr(at, MARK_AS_JSON)); at++)
        mark = at;
    if (!mark)
        return false;
    upload->head_bytes = (size_t)(mark - upload->json);
    upload->tail_at = upload->head_bytes + strlen(MARK_AS_JSON);
    upload->tail_bytes = strlen(upload->json + upload->tail_at);
    return true;
}

static void free_upload(struct track_upload *upload)
{
    close(upload->fd);
    free(upload->json);
    free(upload);
}

/* --- reading, in the background --- */

static void read_piece(void *job)
{
    struct track_upload *upload = job;
    struct piece *piece = &upload->pieces[1 - upload->giving];
    int64_t wanted = upload->file_bytes - upload->read_at;
    if (wanted > PIECE_BYTES)
        wanted = PIECE_BYTES;
    for (piece->count = 0; piece->count < wanted;) {
        ssize_t got = pread(upload->fd, piece->bytes + piece->count,
                            (size_t)(wanted - piece->count), upload->read_at + piece->count);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0) {
            piece->count = -1;
            return;
        }
        piece->count += got;
    }
}

static void piece_read(void *job)
{
    struct track_upload *upload = job;
    upload->reading = false;
    if (upload->destroyed) {
        free_upload(upload);
        return;
    }
    upload->failed = upload->pieces[1 - upload->giving].count < 0;
    if (!upload->failed)
        upload->read_at += upload->pieces[1 - upload->giving].count;
    if (!upload->waited_for)
        return;
    upload->waited_for = false;
    upload->more(upload->user);
}

static void read_ahead(struct track_upload *upload)
{
    if (upload->reading || upload->failed || upload->read_at >= upload->file_bytes ||
        upload->pieces[1 - upload->giving].count > 0)
        return;
    upload->reading = true;
    background_run(upload->background, read_piece, piece_read, upload);
}

struct track_upload *track_upload_create(struct background *background, int fd, int64_t file_bytes,
                                         const struct track_upload_config *config,
                                         void (*more)(void *user), void *user)
{
    struct track_upload *upload = calloc(1, sizeof *upload);
    if (!upload) {
        close(fd);
        return NULL;
    }
    upload->background = background;
    upload->fd = fd;
    upload->file_bytes = file_bytes;
    upload->more = more;
    upload->user = user;
    if (!make_frame(upload, config)) {
        free_upload(upload);
        return NULL;
    }
    read_ahead(upload);
    return upload;
}

void track_upload_destroy(struct track_upload *upload)
{
    if (!upload)
        return;
    upload->destroyed = true;
    if (!upload->reading)
        free_upload(upload);
}

int64_t track_upload_bytes(const struct track_upload *upload)
{
    return (int64_t)(upload->head_bytes + upload->tail_bytes) + BASE64_BYTES(upload->file_bytes);
}

int64_t track_upload_file_given(const struct track_upload *upload)
{
    int64_t given = (upload->given_bytes - (int64_t)upload->head_bytes) / 4 * 3;
    if (given < 0)
        return 0;
    return given < upload->file_bytes ? given : upload->file_bytes;
}

int64_t track_upload_given(const struct track_upload *upload)
{
    return upload->given_bytes;
}

/* --- giving --- */

/* The four characters that stand for up to three bytes. */
static void encode_group(const unsigned char *from, int64_t count, char to[4])
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    unsigned bits = (unsigned)from[0] << 16 | (count > 1 ? (unsigned)from[1] << 8 : 0) |
                    (count > 2 ? from[2] : 0);
    to[0] = digits[bits >> 18];
    to[1] = digits[bits >> 12 & 63];
    to[2] = digits[bits >> 6 & 63];
    to[3] = digits[bits & 63];
    if (count < 3)
        to[3] = '=';
    if (count < 2)
        to[2] = '=';
}

/* From the piece that is being given; 0 when it is all given. */
static size_t give_piece(struct track_upload *upload, char *to, size_t room)
{
    const struct piece *piece = &upload->pieces[upload->giving];
    size_t done = 0;
    while (done < room && upload->given_of_it < BASE64_BYTES(piece->count)) {
        char group[4];
        int64_t at = upload->given_of_it / 4 * 3;
        size_t skip = (size_t)(upload->given_of_it % 4);
        size_t count = 4 - skip < room - done ? 4 - skip : room - done;
        encode_group(piece->bytes + at, piece->count - at, group);
        memcpy(to + done, group + skip, count);
        done += count;
        upload->given_of_it += (int64_t)count;
    }
    return done;
}

static void next_piece(struct track_upload *upload)
{
    upload->pieces[upload->giving].count = 0;
    upload->giving = 1 - upload->giving;
    upload->given_of_it = 0;
    read_ahead(upload);
}

static int64_t give_file(struct track_upload *upload, char *to, size_t room)
{
    size_t done = give_piece(upload, to, room);
    if (done > 0)
        return (int64_t)done;
    if (upload->failed)
        return HTTP_BODY_FAILED;
    if (!upload->reading && upload->pieces[1 - upload->giving].count > 0) {
        next_piece(upload);
        return (int64_t)give_piece(upload, to, room);
    }
    upload->waited_for = true;
    return HTTP_BODY_WAIT;
}

/* Part of a text that stands at start in the whole body. */
static int64_t give_text(const char *text, size_t bytes, int64_t from, char *to, size_t room)
{
    size_t left = bytes - (size_t)from;
    size_t count = left < room ? left : room;
    memcpy(to, text + from, count);
    return (int64_t)count;
}

int64_t track_upload_give(struct track_upload *upload, char *to, size_t room)
{
    int64_t head = (int64_t)upload->head_bytes, file = BASE64_BYTES(upload->file_bytes);
    int64_t at = upload->given_bytes, given;
    if (at < head)
        given = give_text(upload->json, upload->head_bytes, at, to, room);
    else if (at < head + file)
        given = give_file(upload, to, room);
    else
        given = give_text(upload->json + upload->tail_at, upload->tail_bytes, at - head - file, to,
                          room);
    if (given > 0)
        upload->given_bytes += given;
    return given;
}
