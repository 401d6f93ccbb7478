/*
 * session_file.c: JSON in one small file, replaced by rename so that it is never half written.
 */
#include "tutti/io/session_file.h"

#include "disk.h"
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
#define ASIDE_MAX 8 /* more than that replace the last */
#define PATH_MAX_BYTES 1024
/* Beyond these, a number is damage. */
#define RATE_PPM_MAX 1000
#define LATENCY_MS_MAX 2000

void session_state_init(struct session_state *state)
{
    memset(state, 0, sizeof *state);
}

static void name_device(struct session_device *device, const char *name)
{
    *device = (struct session_device){
        .rate_ppm = NAN, .volume = NAN, .latency_ms = NAN, .latency_configured_ms = NAN};
    snprintf(device->name, sizeof device->name, "%s", name);
}

struct session_device *session_state_device(struct session_state *state, const char *name)
{
    struct session_device found;
    int at = 0;
    while (at < SESSION_DEVICES_MAX - 1 && state->devices[at].name[0] &&
           strcmp(state->devices[at].name, name) != 0)
        at++;
    found = state->devices[at];
    if (strcmp(found.name, name) != 0)
        name_device(&found, name);
    memmove(state->devices + 1, state->devices, (size_t)at * sizeof found);
    state->devices[0] = found;
    return state->devices;
}

static int find_device(const struct session_state *state, const char *name)
{
    for (int i = 0; i < SESSION_DEVICES_MAX; i++)
        if (strcmp(state->devices[i].name, name) == 0)
            return i;
    return -1;
}

void session_state_inherit(struct session_state *state, const char *name, const char *was)
{
    int from = find_device(state, was);
    if (from >= 0 && find_device(state, name) < 0)
        snprintf(state->devices[from].name, sizeof state->devices[from].name, "%s", name);
}

/* A regular file, at most limit bytes of it, as text. NULL with errno. */
static char *read_file(int fd, size_t limit)
{
    struct stat status;
    char *text = malloc(limit + 1);
    if (!text || fstat(fd, &status) < 0 || !S_ISREG(status.st_mode)) {
        if (text)
            errno = EINVAL;
        free(text);
        return NULL;
    }
    ssize_t bytes = read(fd, text, limit);
    if (bytes < 0) {
        free(text);
        return NULL;
    }
    text[bytes > 0 ? bytes : 0] = '\0';
    return text;
}

/* A FIFO in its place must not keep us waiting. */
static int open_file(const char *path)
{
    return open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
}

static void take_text(const cJSON *root, const char *name, char *to, size_t size)
{
    const cJSON *member = cJSON_GetObjectItemCaseSensitive(root, name);
    if (cJSON_IsString(member) && strlen(member->valuestring) < size)
        strcpy(to, member->valuestring);
}

static void take_number(const cJSON *root, const char *name, double low, double high, double *to)
{
    const cJSON *member = cJSON_GetObjectItemCaseSensitive(root, name);
    if (cJSON_IsNumber(member) && member->valuedouble >= low && member->valuedouble <= high)
        *to = member->valuedouble;
}

static void take_device(const cJSON *item, struct session_device *device)
{
    const cJSON *name = cJSON_GetObjectItemCaseSensitive(item, "name");
    name_device(device, cJSON_IsString(name) ? name->valuestring : "");
    take_number(item, "rate_ppm", -RATE_PPM_MAX, RATE_PPM_MAX, &device->rate_ppm);
    take_number(item, "volume", 0, 100, &device->volume);
    take_number(item, "latency_ms", -LATENCY_MS_MAX, LATENCY_MS_MAX, &device->latency_ms);
    take_number(item, "latency_configured_ms", -LATENCY_MS_MAX, LATENCY_MS_MAX,
                &device->latency_configured_ms);
    device->muted = cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(item, "muted"));
}

static void take_peers(const cJSON *array, struct session_state *state)
{
    const cJSON *item;
    int count = 0;
    cJSON_ArrayForEach(item, array)
    {
        if (count < SESSION_PEERS_MAX && cJSON_IsString(item) && item->valuestring[0] &&
            strlen(item->valuestring) < SESSION_PEER_TEXT_MAX)
            strcpy(state->peers[count++], item->valuestring);
    }
}

static void take_state(const cJSON *root, struct session_state *state)
{
    const cJSON *item;
    int count = 0;
    take_text(root, "url", state->url, sizeof state->url);
    take_text(root, "join_code", state->join_code, sizeof state->join_code);
    take_text(root, "session_id", state->session_id, sizeof state->session_id);
    take_text(root, "token", state->token, sizeof state->token);
    take_text(root, "code", state->code, sizeof state->code);
    take_text(root, "asked_code", state->asked_code, sizeof state->asked_code);
    take_text(root, "asked_instead_of", state->asked_instead_of, sizeof state->asked_instead_of);
    take_text(root, "device_secret", state->device_secret, sizeof state->device_secret);
    take_peers(cJSON_GetObjectItemCaseSensitive(root, "peers"), state);
    state->left = cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(root, "left"));
    cJSON_ArrayForEach(item, cJSON_GetObjectItemCaseSensitive(root, "devices"))
    {
        if (count == SESSION_DEVICES_MAX)
            break;
        take_device(item, &state->devices[count]);
        count += state->devices[count].name[0] != '\0';
    }
}

static char *read_private(const char *path)
{
    struct stat status;
    int fd = open_file(path);
    if (fd < 0)
        return NULL;
    if (fstat(fd, &status) == 0 && (status.st_mode & (S_IRWXG | S_IRWXO)) && fchmod(fd, 0600) == 0)
        log_warn("%s: others could read it, and the token in it; no more", path);
    char *text = read_file(fd, FILE_BYTES_MAX);
    int error = errno;
    close(fd);
    errno = error;
    return text;
}

static int set_aside(const char *path, char to[PATH_MAX_BYTES + 16])
{
    struct stat status;
    snprintf(to, PATH_MAX_BYTES + 16, "%s.damaged", path);
    for (int i = 2; i <= ASIDE_MAX && lstat(to, &status) == 0; i++)
        snprintf(to, PATH_MAX_BYTES + 16, "%s.damaged-%d", path, i);
    return rename(path, to) < 0 ? -errno : 0;
}

/* Of the process, not of the file: it may be read by the next start. */
static bool may_pass(int error)
{
    return error == ENOMEM || error == EMFILE || error == ENFILE;
}

/* error: why it cannot be read; 0: it can, and is damaged. */
static bool start_without(const char *path, int error)
{
    char to[PATH_MAX_BYTES + 16];
    int result = may_pass(error) ? -error : set_aside(path, to);
    if (result < 0)
        log_error("%s: can neither be used nor set aside: %s; not started, so that no other "
                  "membership takes its place",
                  path, strerror(-result));
    else if (error)
        log_warn("%s: cannot be read: %s; kept as %s, starting without it", path, strerror(error),
                 to);
    else
        log_warn("%s: is damaged; kept as %s, starting without it", path, to);
    return result == 0;
}

bool session_file_load(const char *state_dir, struct session_state *state)
{
    char path[PATH_MAX_BYTES];
    session_state_init(state);
    snprintf(path, sizeof path, "%s/" FILE_NAME, state_dir);
    char *text = read_private(path);
    if (!text)
        return errno == ENOENT || start_without(path, errno);
    cJSON *root = cJSON_Parse(text);
    bool good = cJSON_IsObject(root);
    if (good)
        take_state(root, state);
    cJSON_Delete(root);
    free(text);
    return good || start_without(path, 0);
}

static void put_number(cJSON *root, const char *name, double number)
{
    if (isfinite(number))
        cJSON_AddNumberToObject(root, name, number);
}

static void put_device(cJSON *array, const struct session_device *device)
{
    cJSON *item = cJSON_CreateObject();
    cJSON_AddStringToObject(item, "name", device->name);
    put_number(item, "rate_ppm", device->rate_ppm);
    put_number(item, "volume", device->volume);
    put_number(item, "latency_ms", device->latency_ms);
    put_number(item, "latency_configured_ms", device->latency_configured_ms);
    cJSON_AddBoolToObject(item, "muted", device->muted);
    cJSON_AddItemToArray(array, item);
}

static char *print_state(const struct session_state *state)
{
    cJSON *root = cJSON_CreateObject();
    cJSON_AddStringToObject(root, "url", state->url);
    cJSON_AddStringToObject(root, "join_code", state->join_code);
    cJSON_AddStringToObject(root, "session_id", state->session_id);
    cJSON_AddStringToObject(root, "token", state->token);
    cJSON_AddStringToObject(root, "code", state->code);
    cJSON_AddStringToObject(root, "asked_code", state->asked_code);
    cJSON_AddStringToObject(root, "asked_instead_of", state->asked_instead_of);
    cJSON_AddBoolToObject(root, "left", state->left);
    if (state->device_secret[0])
        cJSON_AddStringToObject(root, "device_secret", state->device_secret);
    cJSON *peers = cJSON_AddArrayToObject(root, "peers");
    for (int i = 0; i < SESSION_PEERS_MAX && state->peers[i][0]; i++)
        cJSON_AddItemToArray(peers, cJSON_CreateString(state->peers[i]));
    cJSON *devices = cJSON_AddArrayToObject(root, "devices");
    for (int i = 0; i < SESSION_DEVICES_MAX && state->devices[i].name[0]; i++)
        put_device(devices, &state->devices[i]);
    char *text = cJSON_Print(root);
    cJSON_Delete(root);
    return text;
}

/* --- saving --- */

int session_file_write(const char *state_dir, const struct session_state *state)
{
    char path[PATH_MAX_BYTES];
    snprintf(path, sizeof path, "%s/" FILE_NAME, state_dir);
    if (mkdir(state_dir, 0700) < 0 && errno != EEXIST)
        return -errno;
    char *text = print_state(state);
    int result = text ? disk_replace_file(path, text, 0600) : -ENOMEM;
    free(text);
    if (result == 0)
        disk_sync_directory(state_dir);
    return result;
}

void session_file_explain(const char *state_dir, int error)
{
    log_error("%s/" FILE_NAME ": cannot be written: %s; what is new in it will be lost with the "
              "next restart",
              state_dir, strerror(error));
}

int session_file_save(const char *state_dir, const struct session_state *state)
{
    int result = session_file_write(state_dir, state);
    if (result < 0)
        session_file_explain(state_dir, -result);
    return result;
}

/* --- secrets --- */

static void secret_path(const char *name, char path[PATH_MAX_BYTES])
{
    const char *credentials = getenv("CREDENTIALS_DIRECTORY");
    if (credentials && !strchr(name, '/'))
        snprintf(path, PATH_MAX_BYTES, "%s/%s", credentials, name);
    else
        snprintf(path, PATH_MAX_BYTES, "%s", name);
}

/* Who owns it mends it for himself; what root keeps for a group stays readable for it. */
static bool is_for_everybody(int fd, const char *path)
{
    struct stat status;
    if (fstat(fd, &status) < 0 || !(status.st_mode & S_IRWXO))
        return false;
    bool own = status.st_uid == geteuid();
    log_error("%s: everybody may read this secret; mend it with: chmod %s %s", path,
              own ? "600" : "o-rwx", path);
    return true;
}

static bool take_secret(const char *path, char *text, char *to, unsigned size)
{
    size_t length = strcspn(text, "\r\n");
    while (length > 0 && text[length - 1] == ' ')
        length--;
    text[length] = '\0';
    if (length == 0 || length >= size) {
        log_error("%s: there is no secret in its first line", path);
        return false;
    }
    strcpy(to, text);
    log_add_secret(to);
    return true;
}

bool session_file_read_secret(const char *name, char *to, unsigned size)
{
    char path[PATH_MAX_BYTES];
    bool good = false;
    secret_path(name, path);
    int fd = open_file(path);
    char *text = fd < 0 ? NULL : read_file(fd, size);
    if (!text)
        log_error("%s: cannot be read: %s", path, strerror(errno));
    else
        good = !is_for_everybody(fd, path) && take_secret(path, text, to, size);
    if (fd >= 0)
        close(fd);
    if (text)
        explicit_bzero(text, strlen(text));
    free(text);
    return good;
}
