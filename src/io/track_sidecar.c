/*
 * track_sidecar.c: {"url", "bytes", "etag", "last_modified"} beside the data.
 */
#include "http_header.h"
#include "track_store_internal.h"

#include <cjson/cJSON.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SIDECAR_MAX 16384

static cJSON *read_json(const char *path)
{
    char text[SIDECAR_MAX];
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0)
        return NULL;
    ssize_t got = read(fd, text, sizeof text - 1);
    close(fd);
    if (got < 0)
        return NULL;
    text[got] = '\0';
    return cJSON_Parse(text);
}

static const char *text_of(const cJSON *root, const char *name)
{
    const cJSON *member = cJSON_GetObjectItemCaseSensitive(root, name);
    return cJSON_IsString(member) ? member->valuestring : "";
}

/* What a header cannot hold vouches for nothing: it could not be sent back. */
static void keep_validator(const cJSON *root, const char *name, char to[TRACK_VALIDATOR_MAX])
{
    const char *text = text_of(root, name);
    bool good = strlen(text) < TRACK_VALIDATOR_MAX && http_header_is_value(text);
    snprintf(to, TRACK_VALIDATOR_MAX, "%s", good ? text : "");
}

/* -1: no length that a file can have. */
static int64_t bytes_of(const cJSON *root)
{
    const cJSON *member = cJSON_GetObjectItemCaseSensitive(root, "bytes");
    double bytes = cJSON_IsNumber(member) ? member->valuedouble : -1;
    return bytes >= 1 && bytes < 1e15 && bytes == floor(bytes) ? (int64_t)bytes : -1;
}

bool track_sidecar_read(const char *path, const char *url, struct track_sidecar *ret_sidecar)
{
    cJSON *root = read_json(path);
    int64_t bytes = bytes_of(root);
    bool good = bytes > 0 && (!url || strcmp(text_of(root, "url"), url) == 0);
    if (good) {
        ret_sidecar->bytes = bytes;
        keep_validator(root, "etag", ret_sidecar->etag);
        keep_validator(root, "last_modified", ret_sidecar->last_modified);
    }
    cJSON_Delete(root);
    return good;
}

char *track_sidecar_read_url(const char *path, int64_t *ret_bytes)
{
    cJSON *root = read_json(path);
    int64_t bytes = bytes_of(root);
    char *url = bytes > 0 && text_of(root, "url")[0] ? strdup(text_of(root, "url")) : NULL;
    if (url)
        *ret_bytes = bytes;
    cJSON_Delete(root);
    return url;
}

char *track_sidecar_print(const struct track_file *file)
{
    cJSON *root = cJSON_CreateObject();
    cJSON_AddStringToObject(root, "url", file->url);
    cJSON_AddNumberToObject(root, "bytes", (double)file->bytes);
    cJSON_AddStringToObject(root, "etag", file->etag);
    cJSON_AddStringToObject(root, "last_modified", file->last_modified);
    char *text = cJSON_PrintUnformatted(root);
    cJSON_Delete(root);
    return text;
}
