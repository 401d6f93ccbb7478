/*
 * settings.c: the table of options and the little that reads it.
 */
#include "tutti/core/settings.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum kind {
    KIND_TEXT,
    KIND_INTEGER,
    KIND_REAL,
    KIND_BOOL,
    KIND_CHOICE,
};

struct option {
    const char *section;
    const char *key;
    enum kind kind;
    size_t offset;
    size_t size; /* texts: of the array, the terminator included */
    double low, high;
    const char *choices; /* "a | b": their order is the enum's */
    const char *fallback;
    const char *help;
};

#define AT(member) offsetof(struct settings, member)
#define TEXT(section, key, fallback, help)                                                         \
    {                                                                                              \
#section, #key, KIND_TEXT, AT(section.key), sizeof(((struct settings *)0)->section.key),   \
            0, 0, NULL, fallback, help                                                             \
    }
#define INTEGER(section, key, low, high, fallback, help)                                           \
    {                                                                                              \
#section, #key, KIND_INTEGER, AT(section.key), 0, low, high, NULL, fallback, help          \
    }
#define REAL(section, key, low, high, fallback, help)                                              \
    {                                                                                              \
#section, #key, KIND_REAL, AT(section.key), 0, low, high, NULL, fallback, help             \
    }
#define BOOLEAN(section, key, fallback, help)                                                      \
    {                                                                                              \
#section, #key, KIND_BOOL, AT(section.key), 0, 0, 0, NULL, fallback, help                  \
    }
#define CHOICE(section, key, choices, fallback, help)                                              \
    {                                                                                              \
#section, #key, KIND_CHOICE, AT(section.key), 0, 0, 0, choices, fallback, help             \
    }

/* clang-format off */
static const struct option options[] = {
    TEXT(backend, url, "", "Address of the backend, http:// or https://; its WebSocket follows from it."),
    CHOICE(backend, role, "guest | host", "guest", "A guest joins a session; a host creates one and may command it."),
    TEXT(backend, name, "", "What this speaker is called in the session. Empty: the host name."),
    TEXT(backend, join_code, "", "Guests: the invite code of the session to join."),
    TEXT(backend, session_id, "", "With a token: the session, instead of a join code."),
    TEXT(backend, token, "", "The member's token. Better kept in token_file."),
    TEXT(backend, token_file, "", "File that holds the token; only its owner may read it."),
    TEXT(backend, ca_file, "", "Certificates to trust for https, PEM. Empty: the system's."),
    BOOLEAN(backend, auto_advance, "false", "Hosts: go on to the next track at the end of one."),
    CHOICE(backend, repeat, "off | all", "off", "Hosts with auto_advance: what follows the last track."),

    TEXT(audio, device, "default", "ALSA name of the sound device, as tuttid --list-devices shows it; null: none."),
    CHOICE(audio, channels, "stereo | mono | left | right", "stereo", "What this speaker plays of the two channels."),
    INTEGER(audio, rate_hz, 0, 192000, "0", "Fixed rate of the device in Hz; 0: the nearest to the track's."),
    INTEGER(audio, buffer_ms, 100, 5000, "1500", "Depth of the device's queue; it may give less."),
    REAL(audio, latency_ms, -2000, 2000, "0", "How much later than the card the sound comes out (amplifier, DSP, Bluetooth); positive: late."),
    INTEGER(audio, volume, 0, 100, "60", "Volume in percent at the first start; later the remembered one."),
    INTEGER(audio, max_volume, 0, 100, "100", "The volume is never above this."),
    TEXT(audio, mixer, "auto", "auto | none | software | CARD:CONTROL: who sets the volume."),
    REAL(audio, idle_release_s, 0, 86400, "600", "Let the device go after so much silence; 0: never."),
    REAL(audio, null_ppm, -500, 500, "0", "Device null only: how many ppm its clock is fast."),

    REAL(sync, seek_threshold_ms, 20, 5000, "200", "Beyond this error: seek; within: adjust the rate."),
    REAL(sync, max_slew_ppm, 100, 10000, "5000", "No rate adjustment is larger; 5000 is half a percent."),
    REAL(sync, resync_interval_s, 2, 600, "10", "How often the playlist is cross-checked."),

    TEXT(paths, state_dir, "/var/lib/tutti", "Token, volume and learned clock rates are kept here."),
    TEXT(paths, cache_dir, "/var/cache/tutti", "Downloaded tracks are kept here."),
    CHOICE(paths, cache_mode, "disk | memory", "disk", "memory: spare the SD card, download again after a restart."),
    INTEGER(paths, cache_max_mb, 16, 1048576, "1024", "Tracks that were not played for longest make room beyond this."),
    INTEGER(paths, track_max_mb, 1, 4096, "512", "A larger track is not downloaded."),

    TEXT(control, socket, "/run/tutti/control.sock", "Where tuttictl finds the daemon."),
    TEXT(control, group, "", "Group that may use the socket. Empty: the daemon's own."),

    CHOICE(log, level, "error | warn | info | debug", "info", "How much is logged."),
};
/* clang-format on */

#define OPTION_COUNT (sizeof options / sizeof *options)

static const struct option *find(const char *section, const char *key)
{
    for (size_t i = 0; i < OPTION_COUNT; i++)
        if (strcmp(options[i].section, section) == 0 && strcmp(options[i].key, key) == 0)
            return &options[i];
    return NULL;
}

static bool section_exists(const char *section)
{
    for (size_t i = 0; i < OPTION_COUNT; i++)
        if (strcmp(options[i].section, section) == 0)
            return true;
    return false;
}

static void describe_allowed(const struct option *option, char *to, size_t size)
{
    switch (option->kind) {
    case KIND_TEXT:
        snprintf(to, size, "a text of at most %zu bytes", option->size - 1);
        break;
    case KIND_INTEGER:
        snprintf(to, size, "a whole number from %.0f to %.0f", option->low, option->high);
        break;
    case KIND_REAL:
        snprintf(to, size, "a number from %g to %g", option->low, option->high);
        break;
    case KIND_BOOL:
        snprintf(to, size, "true or false");
        break;
    case KIND_CHOICE:
        snprintf(to, size, "%s", option->choices);
        break;
    }
}

/* strtod knows the locale's decimal point; ours is always a point. Programs that never call
 * setlocale() run in "C", and the daemon is one. */
static bool parse_number(const char *value, double *ret_number)
{
    char *end;
    if (*value == '\0')
        return false;
    errno = 0;
    double number = strtod(value, &end);
    if (errno || *end != '\0' || !isfinite(number))
        return false;
    *ret_number = number;
    return true;
}

static bool parse_bool(const char *value, bool *ret)
{
    static const char *const yes[] = {"true", "yes", "on", "1"};
    static const char *const no[] = {"false", "no", "off", "0"};
    for (size_t i = 0; i < 4; i++) {
        if (strcasecmp(value, yes[i]) == 0 || strcasecmp(value, no[i]) == 0) {
            *ret = strcasecmp(value, yes[i]) == 0;
            return true;
        }
    }
    return false;
}

static bool parse_choice(const char *choices, const char *value, int *ret)
{
    size_t length = strlen(value);
    int index = 0;
    for (const char *at = choices; length > 0; index++) {
        size_t here = strcspn(at, " ");
        if (here == length && strncmp(at, value, length) == 0) {
            *ret = index;
            return true;
        }
        at = strchr(at, '|');
        if (!at)
            return false;
        at += 2;
    }
    return false;
}

static bool assign(struct settings *settings, const struct option *option, const char *value)
{
    void *member = (char *)settings + option->offset;
    double number;
    switch (option->kind) {
    case KIND_TEXT:
        if (strlen(value) >= option->size)
            return false;
        strcpy(member, value);
        return true;
    case KIND_INTEGER:
        if (!parse_number(value, &number) || number < option->low || number > option->high ||
            number != floor(number))
            return false;
        *(int64_t *)member = (int64_t)number;
        return true;
    case KIND_REAL:
        if (!parse_number(value, &number) || number < option->low || number > option->high)
            return false;
        *(double *)member = number;
        return true;
    case KIND_BOOL:
        return parse_bool(value, member);
    case KIND_CHOICE:
        return parse_choice(option->choices, value, member);
    }
    return false;
}

void settings_init(struct settings *settings)
{
    memset(settings, 0, sizeof *settings);
    for (size_t i = 0; i < OPTION_COUNT; i++)
        assign(settings, &options[i], options[i].fallback);
}

bool settings_set(struct settings *settings, const char *section, const char *key,
                  const char *value, char error[SETTINGS_ERROR_MAX])
{
    const struct option *option = find(section, key);
    if (!option && !section_exists(section)) {
        snprintf(error, SETTINGS_ERROR_MAX,
                 "unknown section [%.64s]; there are backend, audio, sync, paths, control and log",
                 section);
        return false;
    }
    if (!option) {
        int at = snprintf(error, SETTINGS_ERROR_MAX, "[%s] has no key %.64s; it has", section, key);
        for (size_t i = 0; i < OPTION_COUNT && at < SETTINGS_ERROR_MAX; i++)
            if (strcmp(options[i].section, section) == 0)
                at +=
                    snprintf(error + at, (size_t)(SETTINGS_ERROR_MAX - at), " %s", options[i].key);
        return false;
    }
    if (assign(settings, option, value))
        return true;
    char allowed[SETTINGS_TEXT_MAX];
    bool secret = strcmp(key, "token") == 0;
    describe_allowed(option, allowed, sizeof allowed);
    snprintf(error, SETTINGS_ERROR_MAX, "[%s] %s = %.64s is not allowed; it takes %.256s", section,
             key, secret ? "***" : value, allowed);
    return false;
}

static bool wrong(char *error, const char *what)
{
    snprintf(error, SETTINGS_ERROR_MAX, "%s", what);
    return false;
}

bool settings_check(const struct settings *settings, char error[SETTINGS_ERROR_MAX])
{
    const char *url = settings->backend.url;
    bool token = settings->backend.token[0] || settings->backend.token_file[0];
    bool session = settings->backend.session_id[0];
    if (!url[0])
        return wrong(error, "[backend] url is missing; it takes the backend's http:// or https:// "
                            "address");
    if (strncmp(url, "http://", 7) != 0 && strncmp(url, "https://", 8) != 0)
        return wrong(error, "[backend] url must begin with http:// or https://");
    if (settings->backend.token[0] && settings->backend.token_file[0])
        return wrong(error, "[backend] token and token_file are both set; one is enough");
    if (token != session)
        return wrong(error, "[backend] session_id and token (or token_file) go together");
    if (settings->backend.role == SETTINGS_GUEST && !session && !settings->backend.join_code[0])
        return wrong(error, "[backend] a guest needs join_code, or session_id and a token");
    return true;
}

bool settings_row(size_t index, struct settings_row *ret_row)
{
    static char allowed[SETTINGS_TEXT_MAX];
    if (index >= OPTION_COUNT)
        return false;
    const struct option *option = &options[index];
    describe_allowed(option, allowed, sizeof allowed);
    *ret_row = (struct settings_row){option->section, option->key, allowed, option->fallback,
                                     option->help};
    return true;
}
