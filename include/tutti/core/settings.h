/*
 * settings.h: tuttid's options: what they are called, what they take, what they default to.
 *
 * The table is read by options.h, which parses, validates and prints it.
 */
#ifndef TUTTI_CORE_SETTINGS_H
#define TUTTI_CORE_SETTINGS_H

#include "tutti/core/options.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SETTINGS_TEXT_MAX 512
#define SETTINGS_ERROR_MAX OPTIONS_ERROR_MAX

enum settings_role {
    SETTINGS_GUEST,
    SETTINGS_HOST,
};

enum settings_repeat {
    SETTINGS_REPEAT_OFF,
    SETTINGS_REPEAT_ALL,
};

enum settings_cache_mode {
    SETTINGS_CACHE_DISK,
    SETTINGS_CACHE_MEMORY,
};

enum settings_group_clock {
    SETTINGS_GROUP_AUTO,
    SETTINGS_GROUP_OFF,
};

enum settings_remote {
    SETTINGS_REMOTE_ALL,
    SETTINGS_REMOTE_VOLUME,
    SETTINGS_REMOTE_NONE,
};

struct settings {
    struct {
        char url[SETTINGS_TEXT_MAX];
        int role; /* enum settings_role */
        char name[128];
        char join_code[32];
        char session_id[128];
        char token[256];
        char token_file[SETTINGS_TEXT_MAX];
        char ca_file[SETTINGS_TEXT_MAX];
        char house_password[256];
        bool auto_advance;
        int repeat; /* enum settings_repeat */
    } backend;
    struct {
        char device[128];
        int channels; /* enum sink_channel_mode, same order */
        int64_t rate_hz;
        int quality; /* enum resampler_quality, same order */
        int64_t buffer_ms;
        double latency_ms;
        int64_t volume;
        int64_t max_volume;
        char mixer[128];
        char mixer_device[128];
        int replaygain; /* enum replaygain, same order */
        double idle_release_s;
        char on_play[SETTINGS_TEXT_MAX];
        char on_stop[SETTINGS_TEXT_MAX];
        double hook_timeout_s;
        double null_ppm;
    } audio;
    struct {
        double seek_threshold_ms;
        double max_slew_ppm;
        double resync_interval_s;
    } sync;
    struct {
        int clock; /* enum settings_group_clock */
        char peers[SETTINGS_TEXT_MAX];
        char key_file[SETTINGS_TEXT_MAX];
        char interface[16]; /* IFNAMSIZ */
        int64_t port;
    } group;
    struct {
        bool announce;
    } discovery;
    struct {
        char state_dir[SETTINGS_TEXT_MAX];
        char cache_dir[SETTINGS_TEXT_MAX];
        int cache_mode; /* enum settings_cache_mode */
        int64_t cache_max_mb;
        int64_t track_max_mb;
    } paths;
    struct {
        char socket[100]; /* sun_path holds 108 */
        char group[64];
        int remote; /* enum settings_remote */
    } control;
    struct {
        char listen[128]; /* "": no metrics */
    } metrics;
    struct {
        int level; /* enum log_level, same order */
    } log;
};

typedef void (*settings_warn)(void *user, const char *line);

extern const struct option_table settings_table;

void settings_init(struct settings *settings);

/*
 * Sets one option from text. False, with what is wrong and what is allowed in error, for an unknown
 * section or key and for a bad value; the settings are untouched then.
 */
bool settings_set(struct settings *settings, const char *section, const char *key,
                  const char *value, char error[SETTINGS_ERROR_MAX]);

/* What no single option shows: url missing, neither join code nor session nor host ... */
bool settings_check(const struct settings *settings, char error[SETTINGS_ERROR_MAX]);

/*
 * Calls each with one line for whatever is allowed and hardly what somebody meant: options that do
 * nothing in this role, a comment that has become part of a value.
 */
void settings_list_warnings(const struct settings *settings, settings_warn each, void *user);

/* The part of it that is about any program's texts. */
void options_list_warnings(const struct option_table *table, const void *target, settings_warn each,
                           void *user);

/* Calls each for every option that differs and that a running daemon cannot take over. */
void settings_list_restart(const struct settings *running, const struct settings *fresh,
                           void (*each)(void *user, const struct option_spec *spec), void *user);

#endif
