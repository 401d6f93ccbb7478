/*
 * group.c: the group of this speaker's session: datagrams to core/group, and what it decides to the
 * socket, the log and the link.
 *
 * There is one while this speaker is in a session; another session is another group. Everything
 * that is decided is decided in core/group. Without it (clock = off, no network) a speaker goes by
 * what it knows itself.
 */
#include "tutti/core/group.h"

#include "daemon_internal.h"
#include "tutti/base/log.h"
#include "tutti/core/playlist.h"
#include "tutti/io/group_socket.h"
#include "tutti/io/mono_clock.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

/* Configured peers that nothing is heard of for so long are said to be missing, once. */
static const int64_t MISSING_NS = 60 * NS_PER_S;
/* A change of roles is said when it has held for so long: elections take a moment. */
static const int64_t SAY_NS = 5 * NS_PER_S;
/* A socket that was not to be had is asked for again. */
static const int64_t RETRY_NS = 30 * NS_PER_S;

struct daemon_group {
    struct daemon *daemon;
    struct group machine;
    struct group_socket *socket;
    struct loop_timer *timer;
    char session_id[PROTOCOL_ID_MAX];
    struct mono_time began;
    bool missing_said;
    /* As it was said last, and as it is since changed_at. */
    enum group_role said_role;
    uint64_t said_reference;
    enum group_role role;
    uint64_t reference;
    struct mono_time changed_at;
};

/* --- saying ---------------------------------------------------------------------------------- */

static void name_reference(const struct daemon_group *group, char *to, size_t size)
{
    group_peer peer = group_address(&group->machine, group->machine.reference);
    if (peer == GROUP_PEER_ALL || !group_socket_peer_name(group->socket, peer, to, size))
        snprintf(to, size, "%s", "");
}

static void say_role(const struct daemon_group *group, const struct group_status *status)
{
    char name[GROUP_PEER_NAME_MAX];
    name_reference(group, name, sizeof name);
    switch (status->role) {
    case GROUP_ALONE:
        log_info("group: no other speaker is heard any more; going on with this one's clock");
        break;
    case GROUP_FOLLOWER:
        log_info("group: following the clock of the speaker at %s, one of %u", name,
                 status->members);
        break;
    case GROUP_REFERENCE:
        log_info("group: the %u speakers here follow this one's clock", status->members);
        break;
    case GROUP_APART:
        log_warn("group: other speakers are heard, but their clock contradicts what the backend "
                 "tells this one, or cannot be measured; going by itself");
        break;
    }
}

static void follow_role(struct daemon_group *group, struct mono_time now)
{
    struct group_status status = group_get_status(&group->machine, now);
    if (status.role != group->role || status.reference != group->reference) {
        group->role = status.role;
        group->reference = status.reference;
        group->changed_at = now;
        events_note(group->daemon, EVENTS_STATUS);
    }
    bool said = group->role == group->said_role &&
                (group->reference == group->said_reference || group->role == GROUP_ALONE);
    if (said || mono_sub(now, group->changed_at) < SAY_NS)
        return;
    group->said_role = group->role;
    group->said_reference = group->reference;
    say_role(group, &status);
}

static void say_missing(struct daemon_group *group, struct mono_time now)
{
    const char *peers = group->daemon->settings->group.peers;
    bool alone = group_get_status(&group->machine, now).members == 1;
    if (!alone || group->missing_said || !peers[0] || mono_sub(now, group->began) < MISSING_NS)
        return;
    group->missing_said = true;
    log_warn("group: nothing is heard of [group] peers = %s; each speaker goes by itself (does the "
             "network let UDP through, and are they in this session?)",
             peers);
}

/* --- running --------------------------------------------------------------------------------- */

/* All that is due is sent; and when the next is. */
static void flush(struct daemon_group *group)
{
    struct daemon *daemon = group->daemon;
    struct group_message message;
    group_peer to;
    while (group_next_send(&group->machine, mono_clock_now(), &to, &message))
        if (group_socket_send(group->socket, to, &message) == 0)
            group_sent(&group->machine, &message);
    if (daemon->stopping)
        return;
    loop_timer_set(group->timer, group_due(&group->machine));
    if (group_take_look(&group->machine)) {
        log_info("group: other speakers have heard of a change that did not come here; looking at "
                 "the whole state");
        link_doubt(daemon->link);
    }
}

static void fired(void *user, struct mono_time now)
{
    struct daemon_group *group = user;
    group_fired(&group->machine, now);
    flush(group);
    follow_role(group, now);
}

static void on_message(void *user, group_peer from, bool by_multicast,
                       const struct group_message *message, struct mono_time arrived)
{
    struct daemon_group *group = user;
    group_receive(&group->machine, from, by_multicast, message, arrived);
    flush(group);
}

static struct daemon_group *running(const struct daemon *daemon)
{
    return daemon->group && daemon->group->socket ? daemon->group : NULL;
}

void daemon_group_heard(struct daemon *daemon, struct server_time updated_at,
                        const struct mono_time *arrived)
{
    struct daemon_group *group = running(daemon);
    if (!group)
        return;
    group_heard(&group->machine, updated_at, arrived, loop_now(daemon->loop));
    flush(group);
}

void daemon_group_playlist(struct daemon *daemon)
{
    struct daemon_group *group = running(daemon);
    if (!group)
        return;
    group_set_playlist(&group->machine, playlist_id_digest(&daemon->session->playlist),
                       loop_now(daemon->loop));
    flush(group);
}

void daemon_group_rest(struct daemon *daemon, bool resting, struct mono_time now)
{
    struct daemon_group *group = running(daemon);
    if (!group || group->machine.resting == resting)
        return;
    group_rest(&group->machine, resting, now);
    flush(group);
}

/* --- peers of the last time ------------------------------------------------------------------ */

static bool is_kept(const struct session_state *state, const char *name)
{
    for (int i = 0; i < SESSION_PEERS_MAX; i++)
        if (strcmp(state->peers[i], name) == 0)
            return true;
    return false;
}

/* The oldest makes room. */
static void keep_peer(struct session_state *state, const char *name)
{
    int last = 0;
    while (last < SESSION_PEERS_MAX - 1 && state->peers[last][0])
        last++;
    memmove(state->peers + 1, state->peers, (size_t)last * sizeof *state->peers);
    snprintf(state->peers[0], sizeof state->peers[0], "%s", name);
}

/* Written only when there is a new one: a network's addresses rarely change. */
static void remember_peers(struct daemon_group *group)
{
    struct session_state *state = &group->daemon->state;
    char name[GROUP_PEER_NAME_MAX];
    group_peer peer;
    bool news = false;
    for (size_t index = 0; group_next_address(&group->machine, &index, &peer);) {
        if (!group_socket_peer_name(group->socket, peer, name, sizeof name) || is_kept(state, name))
            continue;
        keep_peer(state, name);
        news = true;
    }
    if (news)
        daemon_keep_state(group->daemon);
}

static void add_peers(struct daemon_group *group)
{
    char peers[SETTINGS_TEXT_MAX], *rest = peers;
    snprintf(peers, sizeof peers, "%s", group->daemon->settings->group.peers);
    for (const char *name; (name = strtok_r(rest, " ,\t", &rest));) {
        group_peer peer = group_socket_peer(group->socket, name);
        if (peer == GROUP_PEER_ALL)
            log_warn("[group] peers: %s is not an IP address; it is left out", name);
        else
            group_add_peer(&group->machine, peer);
    }
    const struct session_state *state = &group->daemon->state;
    for (int i = 0; i < SESSION_PEERS_MAX && state->peers[i][0]; i++) {
        group_peer peer = group_socket_peer(group->socket, state->peers[i]);
        if (peer != GROUP_PEER_ALL)
            group_add_peer(&group->machine, peer);
    }
}

/* --- life ------------------------------------------------------------------------------------ */

static bool open_socket(struct daemon_group *group)
{
    static const struct group_socket_handlers handlers = {on_message};
    const struct settings *settings = group->daemon->settings;
    char secret[SETTINGS_TEXT_MAX];
    snprintf(secret, sizeof secret, "%s", group->session_id);
    if (settings->group.key_file[0] &&
        !session_file_read_secret(settings->group.key_file, secret, sizeof secret))
        return false;
    struct group_socket_config config = {
        .secret = secret,
        .secret_bytes = strlen(secret),
        .session_id = group->session_id,
        .port = (int)settings->group.port,
        .interface = settings->group.interface,
    };
    group->socket = group_socket_create(group->daemon->loop, &config, &handlers, group);
    return group->socket != NULL;
}

static void start(struct daemon_group *group)
{
    struct group_config config;
    struct daemon *daemon = group->daemon;
    struct mono_time now = mono_clock_now();
    if (getrandom(&config, sizeof config, 0) != (ssize_t)sizeof config || !open_socket(group)) {
        group->began = now;
        return;
    }
    config.id |= 1;
    group_init(&group->machine, &config, &daemon->clock, now);
    group_set_wired(&group->machine, group_socket_is_wired(group->socket));
    group->began = group->changed_at = now;
    group->missing_said = false;
    group->role = group->said_role = GROUP_ALONE;
    group->reference = group->said_reference = 0;
    add_peers(group);
    if (daemon->session->has_playback)
        daemon_group_heard(daemon, daemon->session->playback.updated_at, NULL);
    daemon_group_playlist(daemon);
    flush(group);
}

static void stop(struct daemon_group *group)
{
    if (!group->socket)
        return;
    group_leave(&group->machine, mono_clock_now());
    flush(group);
    loop_timer_cancel(group->timer);
    group_socket_destroy(group->socket);
    group->socket = NULL;
    server_clock_set_group(&group->daemon->clock, NULL, mono_clock_now());
}

bool daemon_group_create(struct daemon *daemon)
{
    if (daemon->settings->group.clock == SETTINGS_GROUP_OFF)
        return true;
    daemon->group = calloc(1, sizeof *daemon->group);
    if (!daemon->group)
        return false;
    daemon->group->daemon = daemon;
    daemon->group->timer = loop_timer_create(daemon->loop, fired, daemon->group);
    return daemon->group->timer != NULL;
}

void daemon_group_destroy(struct daemon *daemon)
{
    struct daemon_group *group = daemon->group;
    if (!group)
        return;
    stop(group);
    loop_timer_destroy(group->timer);
    free(group);
    daemon->group = NULL;
}

void daemon_group_follow_session(struct daemon *daemon)
{
    struct daemon_group *group = daemon->group;
    if (!group || !daemon->link || daemon->stopping)
        return;
    enum link_state state = link_get_state(daemon->link);
    const char *session_id = link_session_id(daemon->link);
    bool member = state == LINK_LIVE || state == LINK_LOST;
    if (group->socket && (!member || strcmp(group->session_id, session_id) != 0))
        stop(group);
    if (group->socket || state != LINK_LIVE)
        return;
    snprintf(group->session_id, sizeof group->session_id, "%s", session_id);
    start(group);
}

void daemon_group_look(struct daemon *daemon, struct mono_time now)
{
    struct daemon_group *group = daemon->group;
    if (!group)
        return;
    if (!group->socket && link_is_live(daemon->link) && mono_sub(now, group->began) > RETRY_NS)
        daemon_group_follow_session(daemon);
    if (!group->socket)
        return;
    group_set_wired(&group->machine, group_socket_is_wired(group->socket));
    follow_role(group, now);
    say_missing(group, now);
    remember_peers(group);
}

/* --- status ---------------------------------------------------------------------------------- */

static double rounded(double x, double unit)
{
    return (double)(int64_t)(x / unit + (x < 0 ? -0.5 : 0.5)) * unit;
}

static void add_counters(const struct daemon_group *group, cJSON *json)
{
    struct group_socket_counters counters = group_socket_counters(group->socket);
    cJSON *datagrams = cJSON_AddObjectToObject(json, "datagrams");
    cJSON_AddNumberToObject(datagrams, "sent", (double)counters.sent);
    cJSON_AddNumberToObject(datagrams, "send_errors", (double)counters.send_errors);
    cJSON_AddNumberToObject(datagrams, "received", (double)counters.received);
    cJSON_AddNumberToObject(datagrams, "other_group", (double)counters.other_group);
    cJSON_AddNumberToObject(datagrams, "odd", (double)counters.odd);
    cJSON_AddNumberToObject(datagrams, "forged", (double)counters.forged);
    cJSON_AddNumberToObject(datagrams, "replayed", (double)counters.replayed);
    cJSON_AddNumberToObject(datagrams, "over_rate", (double)counters.over_rate);
}

void daemon_group_status(const struct daemon *daemon, cJSON *status, struct mono_time now)
{
    const struct daemon_group *group = running(daemon);
    char name[GROUP_PEER_NAME_MAX] = "";
    cJSON *json = cJSON_AddObjectToObject(status, "group");
    if (!group) {
        bool off = daemon->settings->group.clock == SETTINGS_GROUP_OFF;
        cJSON_AddStringToObject(json, "role", off ? "off" : "alone");
        cJSON_AddNumberToObject(json, "members", 1);
        return;
    }
    struct group_status state = group_get_status(&group->machine, now);
    cJSON_AddStringToObject(json, "role", group_role_name(state.role));
    cJSON_AddNumberToObject(json, "members", state.members);
    name_reference(group, name, sizeof name);
    cJSON_AddStringToObject(json, "reference", name);
    if (state.measured) {
        cJSON_AddNumberToObject(json, "round_trip_ms",
                                rounded(ns_to_ms(state.round_trip_ns), 1e-3));
        cJSON_AddNumberToObject(json, "apart_us", rounded(ns_to_us(state.apart_ns), 0.1));
    }
    add_counters(group, json);
}
