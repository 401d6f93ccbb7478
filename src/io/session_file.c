/*
 * session_file.c: JSON in one small file, replaced by rename so that it is never half written.
 */
#include "tutti/io/session_file.h"

#include "tutti/base/log.h"

#include <cjson/cJSON.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_NAME "state.json"
#define FILE_BYTES_MAX 65536
#define PATH_MAX_BYTES 1024

void session_state_init(struct session_state *state)
{
    memset(state, 0, sizeof *state);
    state->rate_ppm = state->volume = state->latency_ms = NAN;
}

static char *read_file(const char *path, size_t limit)
{
    FILE *file = fopen(path, "re");
    if (!file)
        return NULL;
    char *text = malloc(limit + 1);
    size_t bytes = text ? fread(text, 1, limit, file) : 0;
    fclose(file);
    if (text)
        text[bytes] = '\0';
    return text;
}

static void take_text(const cJSON *root, const char *name, char *to, size_t size)
{
    const cJSON *member = cJSON_GetObjectItemCaseSensitive(root, name);
    if (cJSON_IsString(member) && strlen(member->valuestring) < size)
        strcpy(to, member->valuestring);
}

static void take_number(const cJSON *root, const char *name, double *to)
{
    const cJSON *member = cJSON_GetObjectItemCaseSensitive(root, name);
    if (cJSON_IsNumber(member))
        *to = member->valuedouble;
}

void session_file_load(const char *state_dir, struct session_state *state)
{
    char path[PATH_MAX_BYTES];
    session_state_init(state);
    snprintf(path, sizeof path, "%s/" FILE_NAME, state_dir);
    char *text = read_file(path, FILE_BYTES_MAX);
    if (!text) {
        if (errno != ENOENT)
            log_warn("%s: cannot be read: %s; starting without it", path, strerror(errno));
        return;
    }
    cJSON *root = cJSON_Parse(text);
    free(text);
    if (!cJSON_IsObject(root)) {
        log_warn("%s: is damaged; starting without it", path);
        cJSON_Delete(root);
        return;
    }
    take_text(root, "url", state->url, sizeof state->url);
    take_text(root, "join_code", state->join_code, sizeof state->join_code);
    take_text(root, "session_id", state->session_id, sizeof state->session_id);
    take_text(root, "token", state->token, sizeof state->token);
    take_text(root, "code", state->code, sizeof state->code);
    take_text(root, "device", state->device, sizeof state->device);
    take_number(root, "rate_ppm", &state->rate_ppm);
    take_number(root, "volume", &state->volume);
    take_number(root, "latency_ms", &state->latency_ms);
    state->muted = cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(root, "muted"));
    cJSON_Delete(root);
}

static void put_number(cJSON *root, const char *name, double number)
{
    if (isfinite(number))
        cJSON_AddNumberToObject(root, name, number);
}

static char *print_state(const struct session_state *state)
{
    cJSON *root = cJSON_CreateObject();
    cJSON_AddStringToObject(root, "url", state->url);
    cJSON_AddStringToObject(root, "join_code", state->join_code);
    cJSON_AddStringToObject(root, "session_id", state->session_id);
    cJSON_AddStringToObject(root, "token", state->token);
    cJSON_AddStringToObject(root, "code", state->code);
    cJSON_AddStringToObject(root, "device", state->device);
    put_number(root, "rate_ppm", state->rate_ppm);
    put_number(root, "volume", state->volume);
    put_number(root, "latency_ms", state->latency_ms);
    cJSON_AddBoolToObject(root, "muted", state->muted);
    char *text = cJSON_Print(root);
    cJSON_Delete(root);
    return text;
}

static int write_whole(int fd, const char *text)
{
    size_t left = strlen(text);
    while (left > 0) {
        ssize_t written = write(fd, text, left);
        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0)
            return -errno;
        text += written;
        left -= (size_t)written;
    }
    return fsync(fd) < 0 ? -errno : 0;
}

/* The rename itself is durable only once its directory is. */
static void sync_directory(const char *directory)
{
    int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return;
    fsync(fd);
    close(fd);
}

static int replace_file(const char *directory, const char *path, const char *text)
{
    char temporary[PATH_MAX_BYTES + 8];
    snprintf(temporary, sizeof temporary, "%s.new", path);
    if (mkdir(directory, 0700) < 0 && errno != EEXIST)
        return -errno;
    int fd = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0)
        return -errno;
    int result = write_whole(fd, text);
    close(fd);
    if (result == 0 && rename(temporary, path) < 0)
        result = -errno;
    if (result == 0)
        sync_directory(directory);
    return result;
}

int session_file_save(const char *state_dir, const struct session_state *state)
{
    char path[PATH_MAX_BYTES];
    snprintf(path, sizeof path, "%s/" FILE_NAME, state_dir);
    char *text = print_state(state);
    int result = text ? replace_file(state_dir, path, text) : -ENOMEM;
    free(text);
    if (result < 0)
        log_error("%s: cannot be written: %s; the speaker will have to join again after a restart",
                  path, strerror(-result));
    return result;
}

bool session_file_read_secret(const char *path, char *to, unsigned size)
{
    struct stat status;
    if (stat(path, &status) < 0) {
        log_error("%s: cannot be read: %s", path, strerror(errno));
        return false;
    }
    if (status.st_mode & (S_IRWXG | S_IRWXO)) {
        log_error("%s: others than its owner may read this token; mend it with: chmod 600 %s", path,
                  path);
        return false;
    }
    char *text = read_file(path, size);
    if (!text)
        return false;
    text[strcspn(text, "\r\n")] = '\0';
    bool good = text[0] && strlen(text) < size;
    if (good)
        strcpy(to, text);
    else
        log_error("%s: holds no token", path);
    free(text);
    return good;
}
