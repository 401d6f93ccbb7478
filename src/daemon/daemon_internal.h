/*
 * daemon_internal.h: the daemon's parts, shared by daemon.c (wiring), status.c (what it says of
 * itself), control.c (what people ask of it) and events.c (what they are told unasked).
 */
#ifndef TUTTI_DAEMON_DAEMON_INTERNAL_H
#define TUTTI_DAEMON_DAEMON_INTERNAL_H

#include "own_tags.h"
#include "tutti/core/advance.h"
#include "tutti/core/control_cmd.h"
#include "tutti/core/notices.h"
#include "tutti/core/playlist.h"
#include "tutti/core/protocol.h"
#include "tutti/core/server_clock.h"
#include "tutti/core/session.h"
#include "tutti/core/settings.h"
#include "tutti/daemon/amplifier.h"
#include "tutti/daemon/daemon.h"
#include "tutti/daemon/library.h"
#include "tutti/daemon/link.h"
#include "tutti/daemon/volume.h"
#include "tutti/io/control_socket.h"
#include "tutti/io/http.h"
#include "tutti/io/loop.h"
#include "tutti/io/session_file.h"
#include "tutti/io/session_saver.h"
#include "tutti/playback/player.h"

#include <cjson/cJSON.h>

/* What subscribers have yet to be told. */
/* Of a track of a hub's library, with its end. */
#define FOUND_ID_MAX 33

#define EVENTS_STATUS 1u
#define EVENTS_PLAYLIST 2u
#define EVENTS_REQUESTS 4u

/* While it plays, the status goes out this often: for a progress bar and a plot of the drift. And
 * whatever happens, nobody is told more often. */
#define EVENTS_EVERY_NS (250 * NS_PER_MS)

struct events {
    struct loop_timer *timer;
    struct mono_time told_at;
    unsigned news;    /* EVENTS_*, ored */
    uint64_t *prints; /* of the playlist as subscribers know it */
    size_t print_count;
    enum transport_state state; /* as last noted */
    enum output_state output;
};

/* What this speaker says of itself to a hub. */
struct report {
    char key[40]; /* by which the hub knows it again; "": the machine has no id */
    struct speaker_report told;
    struct mono_time told_at;
    char command_id[PROTOCOL_COMMAND_ID_MAX]; /* as told */
    char command_refusal[PROTOCOL_REASON_MAX];
};

struct waiting;

/* Who has asked for a chime or clicks, and waits for them to be heard. */
#define CUES_WAITING_MAX 8
struct cues {
    struct mono_time asked_at;                /* by the first of those who wait */
    char command_id[PROTOCOL_COMMAND_ID_MAX]; /* over a hub; "": not */
    struct waiting *waiting[CUES_WAITING_MAX];
    unsigned waiting_count;
};

struct room_call;

/* What people may mean by a number: `number` is the first one's. */
struct found_tracks {
    int count;
    int number;
    char ids[CONTROL_LIMIT_MAX][FOUND_ID_MAX];
};

struct daemon {
    struct settings *settings;
    const char *config_path;
    struct session_state state;
    char token[PROTOCOL_TOKEN_MAX];

    struct loop *loop;
    /* What may wait, each for something of its own: */
    struct background *background; /* for our disk */
    struct background *files;      /* for where people have theirs */
    struct background *devices;    /* for ALSA, and what it is configured to ask */
    struct background *reader;     /* for nothing: it parses long texts */
    struct session_saver *saver;
    struct http *http;
    struct server_clock clock;
    struct player *player;
    struct volume *volume_setter;
    struct amplifier *amplifier;
    struct device_events *device_events;
    struct library *library;
    struct own_tags *own_tags;
    int current_fd; /* the current track's file, as the library has told it last; -1: none */
    struct link *link;
    struct daemon_group *group; /* NULL: off */
    struct finder *finder;      /* NULL: nothing to find or announce */
    struct control_socket *control;
    struct metrics_server *metrics; /* NULL: none */
    struct loop_timer *tick;
    struct loop_timer *slow; /* every ten seconds: wall clock, watchdog, status line */

    struct session replica;                /* the link's: it tells it what the backend says */
    const struct session *session;         /* the same, for everybody else */
    char item_problem_of[PROTOCOL_ID_MAX]; /* the track of which it was said; "" none */
    struct notices item_problems;

    struct events events;
    struct waiting *waiting; /* for an answer on the control socket */
    unsigned waiting_count;
    struct room_call *room_calls; /* to the hub, just now */
    struct found_tracks found;    /* by the last search in the hub's library */
    unsigned files_looked_at;     /* by files, just now */

    double volume; /* percent */
    bool muted;
    double latency_ms;
    bool automatic; /* [backend] url = auto was configured */
    bool unsaved;   /* the state has news since it was loaded */
    bool stopping;  /* what a signal could still change goes away */
    struct advance advance;
    struct report report;
    struct cues cues;
};

/* daemon_run.c: all set up, nothing running yet; NULL after one line in the log. */
struct daemon *daemon_create(struct settings *settings, const char *config_path);
void daemon_destroy(struct daemon *daemon);

/* daemon.c */
extern const struct library_handlers daemon_library_handlers;
extern const struct link_handlers daemon_link_handlers;
/* Lets the player do what is due, and sets the timer for its next time. */
void daemon_tick(struct daemon *daemon, struct mono_time now);

/* device_values.c: volume, mute and latency in force. */

/* As remembered for the configured sound device, else as configured. */
void daemon_take_device(struct daemon *daemon);
/* To the mixer and the player. */
void daemon_apply_volume(struct daemon *daemon, struct mono_time now);
void daemon_set_volume(struct daemon *daemon, double percent, bool muted, struct mono_time now);
void daemon_set_latency(struct daemon *daemon, double latency_ms);

/* remember.c: writes what must survive a restart, in the background; user: the daemon. */
void daemon_keep_state(void *user);
/* What is remembered of the configured sound device. */
struct session_device *daemon_device(struct daemon *daemon);

/* advance.c: goes on at the end of a track, where this speaker is to. When it wants to be called
 * again; far away if there is nothing to come. */
struct mono_time daemon_advance(struct daemon *daemon, struct mono_time now);
/* A state was told. */
void daemon_advance_heard(struct daemon *daemon, const struct playback_state *playback,
                          struct mono_time now);

/* report.c */
void daemon_report_init(struct daemon *daemon);
/* To a hub that has not heard it: with the next tick, which is soon. */
void daemon_report_anew(struct daemon *daemon);
/* As it is now, and counts as told; NULL: the machine has no id. */
const struct speaker_report *
daemon_report(struct daemon *daemon, const struct player_status *player, struct mono_time now);
/* Says it when there is news. */
void daemon_report_look(struct daemon *daemon, const struct player_status *player,
                        struct mono_time now);

/* remote.c: what a hub tells this speaker to change. Why it is not done; NULL: it may be. */
const char *daemon_remote_refusal(const struct daemon *daemon,
                                  const struct command_message *command);
/* How it ended is reported. */
void daemon_remote_ended(struct daemon *daemon, const char *command_id, const char *refusal);

/* cues.c. clicks: whether to go on for a while, or to stop; < 0: a chime. Why there is none; NULL: it
 * can be asked for. */
const char *daemon_cue_refusal(const struct daemon *daemon, int clicks, struct mono_time now);
void daemon_cue(struct daemon *daemon, int clicks, struct mono_time now);
/* What a hub tells it; how it ends is reported when that is known. */
void daemon_cue_remotely(struct daemon *daemon, const struct command_message *command,
                         struct mono_time now);
/* With each tick of the player. */
void daemon_cues_follow(struct daemon *daemon, const struct player_status *player,
                        struct mono_time now);

/* group.c: the session's other speakers; all of these do nothing where the group's clock is off. */
bool daemon_group_create(struct daemon *daemon);
void daemon_group_destroy(struct daemon *daemon);
/* The link has come, or gone: there may be another session by now. */
void daemon_group_follow_session(struct daemon *daemon);
/* arrived: NULL: it may be of any age. */
void daemon_group_heard(struct daemon *daemon, struct server_time updated_at,
                        const struct mono_time *arrived);
void daemon_group_playlist(struct daemon *daemon);
void daemon_group_rest(struct daemon *daemon, bool resting, struct mono_time now);
/* Every ten seconds: what is to be said or kept. */
void daemon_group_look(struct daemon *daemon, struct mono_time now);
void daemon_group_status(const struct daemon *daemon, cJSON *status, struct mono_time now);

/* track_facts.c */

/* What is known of the tags of the current track, or of none. */
struct track_tags daemon_current_tags(const struct daemon *daemon);
void daemon_know_tags(void *user); /* user: the daemon. More is known. */
/* The player is told how loud the current track and the next one are. */
void daemon_level_tracks(struct daemon *daemon);

/* reload.c */
void daemon_reload(struct daemon *daemon);
/* The host name or one of its own, where the configuration has no name. */
void daemon_name_speaker(const struct daemon *daemon, struct settings *settings);

/* status.c: the caller deletes or frees what is returned. */
cJSON *status_build(struct daemon *daemon, struct mono_time now);
/* What it may do in its session, as far as it has been told. */
struct control_rights daemon_rights(const struct daemon *daemon);
/* Why the current track is silent here, as one line; "" when nothing is wrong with it. */
const char *daemon_track_problem(const struct daemon *daemon, const struct player_status *player);
cJSON *status_build_session(const struct daemon *daemon);
void status_line(const struct daemon *daemon, char *line, size_t size, struct mono_time now);

/* list_json.c: the caller deletes what is returned. position: where it stands, 0-based. */
void status_add_tags(cJSON *json, const struct track_tags *tags);
cJSON *status_build_item(const struct playlist_item *item, int position, bool current);
cJSON *status_build_request(const struct request_message *request, bool mine);

/* metrics.c: the snapshot for Prometheus; user: the daemon. To be freed; NULL: out of memory. */
char *metrics_text(void *user);

/* control.c */
void control_take_line(void *user, struct control_client *client, char *line);
void control_client_gone(void *user, struct control_client *client);
void control_rooms_finish(struct daemon *daemon); /* while there is a link */
void control_forget_all(struct daemon *daemon);   /* at the end; nobody is answered any more */

/* news.c: something has changed; news: EVENTS_*, ored. */
void events_note(struct daemon *daemon, unsigned news);
/* What there is, which is told now. */
unsigned events_take_news(struct daemon *daemon, struct mono_time now);

/* events.c */
bool events_init(struct daemon *daemon);
/* There is a new subscriber, who is told the lists as they are now; the others must know them, too,
 * before. */
void events_start(struct daemon *daemon);
void events_finish(struct daemon *daemon);

#endif
