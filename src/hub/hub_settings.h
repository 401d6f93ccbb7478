/*
 * hub_settings.h: tutti-hub's options.
 */
#ifndef TUTTI_HUB_HUB_SETTINGS_H
#define TUTTI_HUB_HUB_SETTINGS_H

#include "tutti/core/options.h"

#include <stdbool.h>
#include <stdint.h>

#define HUB_TEXT_MAX 512

struct hub_settings {
    struct {
        char listen[128];
        char tls_certificate[HUB_TEXT_MAX];
        char tls_key[HUB_TEXT_MAX];
        int64_t connections;
        char names[HUB_TEXT_MAX];
        char trusted_proxy[256];
        bool announce;
    } server;
    struct {
        char directory[HUB_TEXT_MAX];
    } data;
    struct {
        char password[256];
        char password_file[HUB_TEXT_MAX];
        bool pairing;
    } house;
    struct {
        bool serve;
        char directory[HUB_TEXT_MAX];
    } page;
    struct {
        char formats[128];
    } media;
    struct {
        char directories[2048];
        int64_t tracks;
    } library;
    struct {
        bool advance;
        int resume; /* enum service_resume, same order */
    } session;
    struct {
        int64_t sessions;
        int64_t members;
        int64_t playlist_items;
        int64_t track_mb;
        int64_t disk_mb;
        int64_t disk_free_mb;
        int64_t pending_requests;
        int64_t requests_per_minute;
        int64_t messages_per_second;
        int64_t failures_per_minute;
        int64_t joins_per_minute;
        int64_t share_percent;
        int64_t body_kb_per_s;
        int64_t frame_kb;
        int64_t queue_kb;
        int64_t waiting_mb;
    } limits;
    struct {
        int level; /* enum log_level, same order */
    } log;
};

extern const struct option_table hub_settings_table;

/* What no single option shows. */
bool hub_settings_check(const struct hub_settings *settings, char error[OPTIONS_ERROR_MAX]);

/* "127.0.0.1:8700" or "[::1]:8700" in two. False when it is neither. */
bool hub_settings_split_listen(const char *listen, char address[128], int *ret_port);

#endif
