/*
 * session_file.h: what a speaker must not forget: its membership, its cards' rates and volumes.
 *
 * One JSON file, state.json, in the state directory: 0600 in a directory 0700, replaced atomically.
 */
#ifndef TUTTI_IO_SESSION_FILE_H
#define TUTTI_IO_SESSION_FILE_H

#include <stdbool.h>

#define SESSION_FILE_TEXT_MAX 512

/* What belongs to one sound device: with another card come its own volume and latency. */
struct session_device {
    char name[128];  /* as configured */
    double rate_ppm; /* NAN: unknown */
    double volume;   /* percent; NAN: never set */
    bool muted;
    double latency_ms;            /* set at run time; NAN: as configured */
    double latency_configured_ms; /* then; whoever has edited the file since meant it */
};

#define SESSION_DEVICES_MAX 8
#define SESSION_PEERS_MAX 16
#define SESSION_PEER_TEXT_MAX 80

struct session_state {
    char url[SESSION_FILE_TEXT_MAX]; /* the backend that the membership is of */
    char join_code[64];              /* that it was joined with; "" for hosts */
    char session_id[128];
    char token[256];
    char code[64]; /* the invite code; hosts only */
    /* Somebody has told the speaker to join elsewhere, or to leave: it holds for as long as the
     * configured join code or session is what it was then. */
    char asked_code[64];
    char asked_instead_of[128];
    bool left;
    char device_secret[65];                               /* tutti/io/device_key.h; "": none yet */
    char peers[SESSION_PEERS_MAX][SESSION_PEER_TEXT_MAX]; /* other speakers' addresses; "": none */
    struct session_device devices[SESSION_DEVICES_MAX];   /* the last used first; name "": none */
};

void session_state_init(struct session_state *state);

/* The device of this name, moved to the first place; the longest unused one makes room for a new
 * one, of which nothing is known. */
struct session_device *session_state_device(struct session_state *state, const char *name);

/* What is remembered of the device that was is of the one that takes its place, if nothing is remembered of that. */
void session_state_inherit(struct session_state *state, const char *name, const char *was);

/*
 * Missing: the initial state. Unreadable or corrupt: the same, after the file was set aside as
 * state.json.damaged (or -2, -3 ...) and one line in the log said so: what is written next must not
 * take its place. False, said: that cannot be done, or may pass by itself; nothing may follow.
 */
bool session_file_load(const char *state_dir, struct session_state *state);

/* Written and synced before it returns. 0, or -errno after one line in the log. */
int session_file_save(const char *state_dir, const struct session_state *state);

/* The same without the line, from any thread; and the line. */
int session_file_write(const char *state_dir, const struct session_state *state);
void session_file_explain(const char *state_dir, int error);

/*
 * The first line of a secret's file, and a secret to the log from then on. A name without "/" is
 * one of systemd's credentials, where there are any. False, logged: unreadable, empty, or readable
 * by everybody.
 */
bool session_file_read_secret(const char *path, char *to, unsigned size);

#endif
