/*
 * settings.c: tuttid's table of options, and what no single one of them shows.
 */
#include "tutti/core/settings.h"

#include "tutti/core/server_address.h"

#define OPTION_TARGET struct settings
#include "tutti/core/option_rows.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* --- what some texts must be like --- */

static bool is_given(const char *text)
{
    return text[0] != '\0';
}

/* Of devices; audio/resampler.h has the same limit. */
#define RATE_MIN_HZ 8000

/* What is wrong with its rest, check_url() says. */
static bool is_backend_url(const char *text)
{
    if (strcmp(text, "auto") == 0)
        return true;
    size_t scheme = strncasecmp(text, "http://", 7) == 0    ? 7
                    : strncasecmp(text, "https://", 8) == 0 ? 8
                                                            : 0;
    return scheme > 0 && text[scheme] && text[scheme] != '/' && !strpbrk(text, " ?#");
}

static bool is_mixer(const char *text)
{
    const char *colon = strchr(text, ':');
    return strcmp(text, "auto") == 0 || strcmp(text, "none") == 0 ||
           strcmp(text, "software") == 0 || (colon && colon > text && colon[1]);
}

static bool is_listen(const char *text)
{
    const char *colon = strrchr(text, ':');
    if (!text[0])
        return true;
    if (!colon || colon == text || !colon[1] || strspn(colon + 1, "0123456789") > 5 ||
        colon[1 + strspn(colon + 1, "0123456789")])
        return false;
    return atoi(colon + 1) <= 65535;
}

/* --- the table --- */

/* clang-format off */
static const struct option_spec specs[] = {
    CHECKED(backend, url, "auto", "Address of the backend; its WebSocket's follows from it. auto: the only tutti-hub that announces itself on this network, or the one that the speaker is a member of.", "an address that begins with http:// or https://, or auto", is_backend_url),
    CHOICE(backend, role, "guest | host", "guest", "A guest joins a session; a host creates one and may command it."),
    TEXT(backend, name, "", "What this speaker is called in the session. Empty: the host name; tutti-XXXX where that says nothing."),
    TEXT(backend, join_code, "", "Guests: the invite code of the session to join."),
    TEXT(backend, session_id, "", "With a token: the session, instead of a join code."),
    SECRET(backend, token, "", "The member's token. Better kept in token_file."),
    TEXT(backend, token_file, "", "File that holds the token, or a name without /: a systemd credential. Refused if everybody may read it."),
    SECRET(backend, house_password, "", "Hosts: what a tutti-hub whose house has a password asks for at login."),
    TEXT(backend, ca_file, "", "Certificates to trust for https, PEM. Empty: the system's."),
    BOOLEAN(backend, auto_advance, "false", "Hosts: go on to the next track at the end of one."),
    CHOICE(backend, repeat, "off | all", "off", "Hosts with auto_advance: what follows the last track."),

    CHECKED(audio, device, "auto", "ALSA name of the sound device, as tuttid --list-devices shows it; auto: the only card that is not HDMI; null: none.", "an ALSA name of at most 127 bytes", is_given),
    CHOICE(audio, channels, "stereo | mono | left | right", "stereo", "What this speaker plays of the two channels."),
    INTEGER(audio, rate_hz, 0, 192000, "0", "Fixed rate of the device in Hz; 0: the nearest to the track's."),
    CHOICE(audio, quality, "high | low", "high", "How tracks are resampled; low: half the work, for boards without NEON, as Pi 1 and Zero."),
    INTEGER(audio, buffer_ms, 100, 5000, "1500", "Depth of the device's queue; it may give less."),
    REAL(audio, latency_ms, -2000, 2000, "0", "How much later than the card the sound comes out (amplifier, DSP, Bluetooth); positive: late."),
    INTEGER(audio, volume, 0, 100, "60", "Volume in percent at the first start; later the remembered one."),
    INTEGER(audio, max_volume, 0, 100, "100", "The volume is never above this."),
    CHECKED(audio, mixer, "auto", "Who sets the volume: the card where it can, nobody (full level), software, or this control of this card.", "auto | none | software | CARD:CONTROL", is_mixer),
    TEXT(audio, mixer_device, "", "ALSA name of the card whose mixer it is. Empty: the device's own."),
    CHOICE(audio, replaygain, "off | track | album", "off", "Play tracks, or albums as a whole, equally loud: by the gain that their tags tell, or that the hub has measured."),
    REAL(audio, idle_release_s, 0, 86400, "600", "Let the device go after so much silence; 0: never."),
    TEXT(audio, on_play, "", "Shell command that switches an amplifier on: run when something is about to sound."),
    TEXT(audio, on_stop, "", "Shell command that switches it off: run when the device was let go, and at the end."),
    REAL(audio, hook_timeout_s, 0.1, 60, "5", "A command that takes longer is ended."),
    REAL(audio, null_ppm, -500, 500, "0", "Device null only: how many ppm its clock is fast."),

    REAL(sync, seek_threshold_ms, 20, 5000, "200", "Beyond this error: seek; within: adjust the rate."),
    REAL(sync, max_slew_ppm, 100, 10000, "5000", "No rate adjustment is larger; 5000 is half a percent."),
    REAL(sync, resync_interval_s, 2, 600, "10", "How often the playlist is cross-checked; every sixth time, the whole state."),

    CHOICE(group, clock, "auto | off", "auto", "The session's speakers tell each other the time, as exactly as the network allows; off: each by itself."),
    TEXT(group, peers, "", "Numeric addresses of other speakers, with blanks between, for networks where multicast does not reach them."),
    TEXT(group, key_file, "", "File with a secret that this session's speakers share, instead of the session's id. Refused if everybody may read it."),
    TEXT(group, interface, "", "Speak through this network interface only. Empty: all."),
    INTEGER(group, port, 1024, 65527, "8750", "UDP port of multicast; each speaker has one of the eight that follow, too."),

    BOOLEAN(discovery, announce, "true", "Announce this speaker on the network, through Avahi where it runs."),

    CHECKED(paths, state_dir, "/var/lib/tutti", "Token, volume and learned clock rates are kept here.", "a directory", is_given),
    CHECKED(paths, cache_dir, "/var/cache/tutti", "Downloaded tracks are kept here.", "a directory", is_given),
    CHOICE(paths, cache_mode, "disk | memory", "disk", "memory: spare the SD card, download again after a restart."),
    INTEGER(paths, cache_max_mb, 16, 1048576, "1024", "Tracks that were not played for longest make room beyond this."),
    INTEGER(paths, track_max_mb, 1, 4096, "512", "A larger track is not downloaded."),

    CHECKED(control, socket, "/run/tutti/control.sock", "Where tuttictl finds the daemon.", "a path of at most 99 bytes", is_given),
    TEXT(control, group, "", "Group that may use the socket. Empty: the daemon's own."),
    CHOICE(control, remote, "all | volume | none", "all", "What others in the session may change of this speaker, over a tutti-hub: volume, mute and latency; volume and mute; nothing. And, unless nothing, sound a chime or clicks there."),

    CHECKED(metrics, listen, "", "Serve Prometheus metrics there, as 127.0.0.1:9109. Empty: do not.", "ADDRESS:PORT, or nothing", is_listen),

    CHOICE(log, level, "error | warn | info | debug", "info", "How much is logged."),
};
/* clang-format on */

const struct option_table settings_table = {specs, sizeof specs / sizeof *specs, "TUTTI"};

void settings_init(struct settings *settings)
{
    memset(settings, 0, sizeof *settings);
    options_init(&settings_table, settings);
}

bool settings_set(struct settings *settings, const char *section, const char *key,
                  const char *value, char error[SETTINGS_ERROR_MAX])
{
    return options_set(&settings_table, settings, section, key, value, error);
}

static bool wrong(char *error, const char *what)
{
    snprintf(error, SETTINGS_ERROR_MAX, "%s", what);
    return false;
}

static bool check_url(const char *url, char *error)
{
    struct server_address address;
    const char *problem;
    if (server_address_parse(url, &address, &problem))
        return true;
    snprintf(error, SETTINGS_ERROR_MAX, "[backend] url cannot be used: %s", problem);
    return false;
}

bool settings_check(const struct settings *settings, char error[SETTINGS_ERROR_MAX])
{
    const char *url = settings->backend.url;
    bool token = settings->backend.token[0] || settings->backend.token_file[0];
    bool session = settings->backend.session_id[0];
    if (strcmp(url, "auto") == 0) {
        /* Whoever announces himself first would be told them. */
        if (token || settings->backend.house_password[0])
            return wrong(error, "[backend] url = auto cannot go with a token or house_password, "
                                "which are for one backend; name it in url");
    } else if (!check_url(url, error)) {
        return false;
    }
    if (settings->backend.token[0] && settings->backend.token_file[0])
        return wrong(error, "[backend] token and token_file are both set; one is enough");
    if (token != session)
        return wrong(error, "[backend] session_id and token (or token_file) go together");
    if (settings->audio.rate_hz > 0 && settings->audio.rate_hz < RATE_MIN_HZ)
        return wrong(error, "[audio] rate_hz is too low; it takes 0, or 8000 to 192000");
    return true;
}

/* What daemon's reload takes over while the music plays. */
static bool is_live(const struct option_spec *spec)
{
    static const char *const live[] = {"auto_advance", "repeat",     "device", "latency_ms",
                                       "volume",       "max_volume", "level",  "sync",
                                       "remote",       "replaygain"};
    for (size_t i = 0; i < sizeof live / sizeof *live; i++) {
        if (strcmp(spec->key, live[i]) == 0 || strcmp(spec->section, live[i]) == 0)
            return true;
    }
    return false;
}

void settings_list_restart(const struct settings *running, const struct settings *fresh,
                           void (*each)(void *user, const struct option_spec *spec), void *user)
{
    for (size_t i = 0; i < settings_table.count; i++) {
        if (!is_live(&specs[i]) && !options_are_equal(&specs[i], running, fresh))
            each(user, &specs[i]);
    }
}
