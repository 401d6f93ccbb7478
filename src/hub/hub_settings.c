/*
 * hub_settings.c: tutti-hub's table of options.
 */
#include "hub_settings.h"

#include "formats.h"
#include "library_keeper.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Of an item as it is told, with names of usual length. */
#define ITEM_BYTES 512

#define OPTION_TARGET struct hub_settings
#include "tutti/core/option_rows.h"

static bool is_given(const char *text)
{
    return text[0] != '\0';
}

bool hub_settings_split_listen(const char *listen, char address[128], int *ret_port)
{
    const char *colon = strrchr(listen, ':');
    char *end;
    bool bracketed = listen[0] == '[';
    if (!colon || colon == listen || colon - listen >= 128)
        return false;
    if (bracketed && (colon[-1] != ']' || colon - listen < 3))
        return false;
    size_t length = (size_t)(colon - listen) - (bracketed ? 2 : 0);
    long port = strtol(colon + 1, &end, 10);
    if (end == colon + 1 || *end || port < 0 || port > 65535)
        return false;
    snprintf(address, 128, "%.*s", (int)length, listen + (bracketed ? 1 : 0));
    *ret_port = (int)port;
    return true;
}

static bool is_listen(const char *text)
{
    char address[128];
    int port;
    return hub_settings_split_listen(text, address, &port);
}

static bool is_formats(const char *text)
{
    formats_t formats;
    return formats_parse(text, &formats);
}

static bool are_directories(const char *text)
{
    return library_are_directories(text);
}

/* clang-format off */
static const struct option_spec specs[] = {
    CHECKED(server, listen, "127.0.0.1:8700", "Where speakers and people find the hub. 127.0.0.1: this machine only; 0.0.0.0: every IPv4 network; [::]: IPv6. Port 0: any free one.", "ADDRESS:PORT", is_listen),
    TEXT(server, tls_certificate, "", "Certificate chain for https and wss, PEM. Empty: http and ws."),
    TEXT(server, tls_key, "", "The certificate's private key, PEM."),
    INTEGER(server, connections, 16, 65536, "1024", "Open connections; more have to wait."),

    TEXT(server, names, "", "Names, beside addresses, localhost and the machine's own (also with .local, .lan, .home and .internal), under which people and web pages call the hub; blanks between them. Calls to any other name are refused: so no web page can pass itself off as the hub. *: any."),
    TEXT(server, trusted_proxy, "", "Addresses of proxies before the hub, blanks between them. Of what they pass on, the caller is whom their X-Forwarded-For names."),
    BOOLEAN(server, announce, "true", "Announce the hub on the network, through Avahi where it runs, so that speakers find it; not while it listens on this machine only."),

    CHECKED(data, directory, "/var/lib/tutti-hub", "Database and tracks are kept here.", "a directory", is_given),

    SECRET(house, password, "", "Asked of whoever logs in as host. Empty: anybody who reaches the hub may. Better kept in password_file."),
    TEXT(house, password_file, "", "File that holds the password of the house, or a name without /: a systemd credential. Refused if everybody may read it."),
    BOOLEAN(house, pairing, "true", "Speakers that are members nowhere may ask to be let in; a host says yes or no."),

    BOOLEAN(page, serve, "true", "The page for browsers, at the hub's address."),
    TEXT(page, directory, "", "Its files. Empty: those that were installed with the hub."),

    CHECKED(media, formats, "mp3 mp4 flac ogg wav aiff", "What is taken of what people add. Speakers play all of it, all but mp3 with the package tutti-codecs; browsers at the hub's page play mp3.", "mp3, mp4, flac, ogg, wav or aiff, blanks between them", is_formats),

    CHECKED(library, directories, "", "Music that is played from where it is: /srv/music, …. Up to 16 directories; they are only read, looked through in the background and watched for changes. Links in them are not followed.", "directories from / on, with commas between them", are_directories),
    INTEGER(library, tracks, 1, 1000000, "200000", "Tracks of these directories; more are left out."),

    BOOLEAN(session, advance, "true", "At the end of a track whose length is known its session goes on to the next, by itself. The host may decide otherwise for a session: tuttictl session advance off."),
    CHOICE(session, resume, "auto | playing | paused", "auto", "What was playing when the hub was stopped or lost its power, once it is back. playing: plays on; paused: waits for somebody to play; auto: paused after more than a minute, else as if nothing had been."),

    INTEGER(limits, sessions, 1, 10000, "200", "Sessions that the hub keeps."),
    INTEGER(limits, members, 1, 10000, "500", "Members of a session; everyone who joins is a new one."),
    INTEGER(limits, playlist_items, 1, 20000, "1000", "Items of a playlist."),
    INTEGER(limits, track_mb, 1, 4096, "100", "Size of a track."),
    INTEGER(limits, disk_mb, 1, 1048576, "10240", "Size of all tracks together."),
    INTEGER(limits, disk_free_mb, 0, 1048576, "256", "Uploads leave so much of the disk free."),
    INTEGER(limits, pending_requests, 1, 10000, "200", "Requests of a session that wait for the host."),
    INTEGER(limits, requests_per_minute, 1, 100000, "60", "Requests that a guest may make, at once or within a minute."),
    INTEGER(limits, messages_per_second, 1, 100000, "100", "Messages that a WebSocket may send, over a few seconds."),
    INTEGER(limits, failures_per_minute, 1, 100000, "20", "Wrong invite codes and passwords from an address."),
    INTEGER(limits, joins_per_minute, 1, 100000, "60", "Logins, joins and new sessions from an address."),
    INTEGER(limits, share_percent, 1, 100, "25", "What one member, or one address, may have at most of what is free of sessions, members, pending requests, connections, uploads and their room. 100: all of it."),
    INTEGER(limits, body_kb_per_s, 0, 1024, "2", "What is uploaded, or any call's body, has to come so fast; slower ones are hung up on. 0: however slowly."),
    INTEGER(limits, frame_kb, 1, 16384, "64", "Size of a WebSocket message to the hub."),
    INTEGER(limits, queue_kb, 64, 65536, "4096", "What may wait for a client that reads slowly; more closes its socket. A queue that is empty takes any message."),
    INTEGER(limits, waiting_mb, 1, 4096, "16", "What may wait for all clients together; more closes those for whose address most of it waits."),

    CHOICE(log, level, "error | warn | info | debug", "info", "How much is logged."),
};
/* clang-format on */

const struct option_table hub_settings_table = {specs, sizeof specs / sizeof *specs, "TUTTI_HUB"};

static bool wrong(char *error, const char *what)
{
    snprintf(error, OPTIONS_ERROR_MAX, "%s", what);
    return false;
}

bool hub_settings_check(const struct hub_settings *settings, char error[OPTIONS_ERROR_MAX])
{
    if (!settings->server.tls_certificate[0] != !settings->server.tls_key[0])
        return wrong(error, "[server] tls_certificate and tls_key go together");
    if (settings->house.password[0] && settings->house.password_file[0])
        return wrong(error, "[house] password and password_file are both set; one is enough");
    if (settings->limits.queue_kb > settings->limits.waiting_mb * 1024)
        return wrong(error, "[limits] queue_kb is more than waiting_mb: one client's queue has to "
                            "fit into that of all");
    if (settings->limits.frame_kb > settings->limits.queue_kb)
        return wrong(error,
                     "[limits] frame_kb is more than queue_kb: the answer to a message has to "
                     "fit into the queue");
    if (settings->limits.playlist_items * ITEM_BYTES > settings->limits.waiting_mb * 1024 * 1024)
        return wrong(error, "[limits] playlist_items make a message of more than waiting_mb");
    return true;
}
