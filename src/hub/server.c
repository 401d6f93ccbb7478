/*
 * server.c: the libwebsockets context; HTTP and WebSocket share a port and a protocol.
 */
#include "server.h"

#include "hub_clock.h"
#include "names.h"
#include "page.h"
#include "server_internal.h"
#include "tutti/base/log.h"
#include "tutti/io/background.h"
#include "tutti/io/lws_log.h"
#include "tutti/io/notify.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#define RX_BYTES 4096
/* lws takes no more of them together. */
#define HEADERS_MAX 4096
/* Listeners, files, the database. */
#define OWN_FDS 96
/* Of these, what lws does not count. */
#define SPARE_FDS 32
/* One decoder that hangs (codecs/helper.c), and a little. */
#define MEASURING_PATIENCE_NS (6 * NS_PER_S)
/* What is left off is looked at after the next start. */
#define DESCRIBING_PATIENCE_NS (NS_PER_S / 2)
#define WATCH_US (2 * LWS_USEC_PER_SEC)
/* While something plays: a third of what counts as having been away. */
#define ALIVE_WATCHES 10

static const lws_retry_bo_t idle_policy = {
    .secs_since_valid_ping = 20,
    .secs_since_valid_hangup = 40,
};

static void tune_socket(struct lws *wsi)
{
    int one = 1;
    setsockopt(lws_get_socket_fd(wsi), IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
}

/* lws 4.1 uses a connection after it has freed it, when an upgrade to anything but a WebSocket is
 * asked for: such a call ends here. */
static bool is_upgrade_to_websocket(struct lws *wsi)
{
    char text[16];
    return lws_hdr_copy(wsi, text, sizeof text, WSI_TOKEN_UPGRADE) > 0 &&
           strcasecmp(text, "websocket") == 0;
}

/* --- who calls, and whom ------------------------------------------------------------------- */

void server_take_address(const struct server *server, struct lws *wsi, struct caller_address *ret)
{
    char text[ADDRESS_MAX] = "", forwarded[HEADERS_MAX];
    const char *trusted = server->config.trusted_proxy;
    lws_get_peer_simple(wsi, text, sizeof text);
    if (!address_group(text, ret->group))
        snprintf(ret->group, sizeof ret->group, "%s", text);
    ret->is_proxy = address_is_listed(text, trusted);
    if (!ret->is_proxy || lws_hdr_total_length(wsi, WSI_TOKEN_X_FORWARDED_FOR) <= 0)
        return;
    int length = lws_hdr_copy(wsi, forwarded, sizeof forwarded, WSI_TOKEN_X_FORWARDED_FOR);
    if (length <= 0)
        snprintf(ret->group, sizeof ret->group, "unreadable"); /* all of whom are one */
    else if (!address_forwarded(forwarded, trusted, ret->group))
        return;
    ret->is_proxy = false;
}

bool server_is_called_rightly(const struct server *server, struct lws *wsi,
                              struct reply *ret_refusal)
{
    char host[256] = "", origin[300];
    const char *names = server->config.names;
    struct reply refusal = {0};
    bool has_host = lws_hdr_copy(wsi, host, sizeof host, WSI_TOKEN_HOST) > 0;
    if (!has_host || !names_have_host(host, server->machine, names))
        refusal = reply_error(421, "This hub is not known by the name it was called: see "
                                   "[server] names");
    else if (lws_hdr_total_length(wsi, WSI_TOKEN_ORIGIN) > 0 &&
             (lws_hdr_copy(wsi, origin, sizeof origin, WSI_TOKEN_ORIGIN) <= 0 ||
              !names_have_origin(origin, host, server->machine, names)))
        refusal = reply_error(403, "This page may not call this hub: see [server] names");
    if (refusal.status == 0)
        return true;
    if (ret_refusal)
        *ret_refusal = refusal;
    else
        cJSON_Delete(refusal.body);
    return false;
}

/* --- connections --------------------------------------------------------------------------- */

/* Each address has its share of them. Whom lws tells of is remembered beside the connection. */
static int count_in(struct server *server, struct lws *wsi)
{
    struct caller_address address;
    char text[ADDRESS_MAX] = "";
    lws_get_peer_simple(wsi, text, sizeof text);
    if (!address_group(text, address.group))
        return 0; /* no network's: nobody else's either */
    bool is_proxy = address_is_listed(text, server->config.trusted_proxy);
    int64_t percent = is_proxy ? 100 : server->service->limits.share_percent;
    char *kept = strdup(address.group);
    /* Of all together lws accepts no more than that, and the rest wait: only shares are cut off. */
    int64_t limit = (int64_t)server->config.connections + OWN_FDS;
    if (kept && share_take(&server->connections, address.group, limit, percent)) {
        lws_set_opaque_user_data(wsi, kept);
        return 0;
    }
    free(kept);
    return -1;
}

static void count_out(struct server *server, struct lws *wsi)
{
    char *address = lws_get_opaque_user_data(wsi);
    if (!address)
        return;
    lws_set_opaque_user_data(wsi, NULL);
    share_give(&server->connections, address);
    free(address);
}

static void close_connection(struct server *server, struct connection *connection)
{
    if (connection->is_peer)
        ws_closed(server, &connection->peer);
    connection->is_peer = false;
    http_finish(&connection->exchange);
}

static int write_peer(struct server *server, struct peer *peer)
{
    int result = peer_write(peer);
    if (result == 0)
        ws_tell_pending(server, peer);
    return result;
}

static int serve(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in,
                 size_t len)
{
    struct connection *connection = user;
    struct lws_context *context = lws_get_context(wsi);
    struct server *server = context ? lws_context_user(context) : NULL;
    switch (reason) {
    case LWS_CALLBACK_SERVER_NEW_CLIENT_INSTANTIATED:
        return count_in(server, wsi);
    case LWS_CALLBACK_WSI_DESTROY:
        if (server)
            count_out(server, wsi);
        return 0;
    case LWS_CALLBACK_EVENT_WAIT_CANCELLED:
        if (server && server->background)
            background_finish(server->background);
        if (server && server->measuring)
            background_finish(server->measuring);
        if (server && server->describing)
            background_finish(server->describing);
        if (server && server->service->library)
            library_finish(server->service->library);
        return 0;
    case LWS_CALLBACK_HTTP_BIND_PROTOCOL:
        memset(connection, 0, sizeof *connection);
        connection->exchange.file = -1;
        return 0;
    case LWS_CALLBACK_HTTP:
        tune_socket(wsi);
        return http_begin(server, wsi, &connection->exchange, in);
    case LWS_CALLBACK_HTTP_BODY:
        return http_body(&connection->exchange, in, len);
    case LWS_CALLBACK_HTTP_BODY_COMPLETION:
        return http_body_complete(&connection->exchange);
    case LWS_CALLBACK_HTTP_WRITEABLE:
        return http_writable(&connection->exchange);
    case LWS_CALLBACK_TIMER:
        return connection->is_peer ? 0 : http_timer(&connection->exchange);
    case LWS_CALLBACK_HTTP_CONFIRM_UPGRADE:
        return is_upgrade_to_websocket(wsi) ? 0 : -1;
    case LWS_CALLBACK_FILTER_PROTOCOL_CONNECTION:
        return ws_admit(server, wsi) ? 0 : -1;
    case LWS_CALLBACK_ESTABLISHED:
        tune_socket(wsi);
        connection->is_peer = true;
        connection->exchange.file = -1;
        ws_established(server, wsi, &connection->peer);
        return 0;
    case LWS_CALLBACK_RECEIVE:
        return ws_receive(server, wsi, &connection->peer, in, len);
    case LWS_CALLBACK_SERVER_WRITEABLE:
        return write_peer(server, &connection->peer);
    case LWS_CALLBACK_CLOSED:
    case LWS_CALLBACK_CLOSED_HTTP:
    case LWS_CALLBACK_HTTP_DROP_PROTOCOL:
        if (connection && server)
            close_connection(server, connection);
        return 0;
    default:
        return 0;
    }
}

static const struct lws_protocols protocols[] = {
    {.name = "tutti-hub",
     .callback = serve,
     .per_session_data_size = sizeof(struct connection),
     .rx_buffer_size = RX_BYTES},
    {0},
};

/* --- speakers ------------------------------------------------------------------------------ */

/* Each is told at most once a second; all that are due, at once. */
static void tell_speakers(lws_sorted_usec_list_t *timer)
{
    struct server *server = lws_container_of(timer, struct server, tell);
    char session_id[STORE_ID_MAX];
    cJSON *speaker;
    int64_t next_ns;
    while (service_tell_speaker(server->service, &next_ns, session_id, &speaker))
        peers_broadcast(&server->peers, session_id, "speaker_update", speaker);
    if (next_ns == SPEAKERS_NEVER)
        return;
    int64_t wait_us = (next_ns - hub_clock_steady_ns()) / NS_PER_US + 1;
    lws_sul_schedule(server->context, 0, &server->tell, tell_speakers, wait_us > 0 ? wait_us : 1);
}

void server_tell_speakers(struct server *server)
{
    if (server->context)
        lws_sul_schedule(server->context, 0, &server->tell, tell_speakers, 1);
}

static bool is_connected(void *user, const char *session_id, const char *device_id)
{
    const struct server *server = user;
    return peers_find_device(&server->peers, session_id, device_id) != NULL;
}

static void tell_speaker(void *user, const char *session_id, const char *device_id,
                         const char *type, cJSON *payload)
{
    struct server *server = user;
    struct peer *peer = peers_find_device(&server->peers, session_id, device_id);
    if (peer)
        peer_send(peer, type, payload);
    else
        cJSON_Delete(payload);
}

static void speaker_news(void *user)
{
    server_tell_speakers(user);
}

/* --- playing on ---------------------------------------------------------------------------- */

/* What could not be stored is tried again then. */
#define TURN_AGAIN_US LWS_USEC_PER_SEC
/* The clock may be set meanwhile: it is looked at so often, however far away the end is. */
#define TURN_LOOK_US (2 * LWS_USEC_PER_SEC)

static void take_turns(lws_sorted_usec_list_t *timer)
{
    struct server *server = lws_container_of(timer, struct server, turn);
    int64_t next_ns = STORE_NEVER;
    int64_t wait_us = TURN_AGAIN_US;
    if (service_take_turns(server->service, &next_ns) == 0)
        wait_us = (next_ns - hub_clock_now().ns + NS_PER_US - 1) / NS_PER_US;
    if (next_ns == STORE_NEVER || wait_us > TURN_LOOK_US)
        wait_us = TURN_LOOK_US;
    lws_sul_schedule(server->context, 0, &server->turn, take_turns, wait_us > 0 ? wait_us : 1);
}

/* Soon, and not within whatever is under way. */
static void look_at_turns(struct server *server)
{
    if (server->context)
        lws_sul_schedule(server->context, 0, &server->turn, take_turns, 1);
}

static void announce(void *user, const char *session_id, const char *type, cJSON *payload)
{
    struct server *server = user;
    peers_broadcast(&server->peers, session_id, type, payload);
    look_at_turns(server);
}

/* Nothing that could be resumed is lost where it could not be stored: next time. */
static void stay_alive(struct server *server)
{
    if (store_is_playing(server->service->store) == 1 && service_stay_alive(server->service) < 0)
        log_debug("it could not be stored that the hub runs");
}

/* tutti-hub session delete works on the database, beside us. And systemd hears that we go round. */
static void watch(lws_sorted_usec_list_t *timer)
{
    struct server *server = lws_container_of(timer, struct server, watch);
    if (store_was_changed(server->service->store) == 1) {
        log_info("the database was changed from outside; looking at who is still admitted");
        peers_forget_playlist(&server->peers);
        ws_review(server);
        service_sweep(server->service);
    }
    if (tidy_is_due(&server->tidy, hub_clock_now().ns, hub_clock_steady_ns()))
        service_tidy(server->service);
    if (++server->watched % ALIVE_WATCHES == 0) /* not at the start: how long it was away counts */
        stay_alive(server);
    notify_alive();
    lws_sul_schedule(server->context, 0, &server->watch, watch, WATCH_US);
}

/* Each connection may have a track open, besides. How many lws may have: it must not accept what
 * there is then no descriptor for. */
static unsigned allow_files(unsigned connections)
{
    struct rlimit limit;
    unsigned wanted = 2 * connections + OWN_FDS;
    if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur >= wanted)
        return connections + OWN_FDS - SPARE_FDS;
    limit.rlim_cur = limit.rlim_max < wanted ? limit.rlim_max : wanted;
    bool granted = setrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur == wanted;
    if (granted)
        return connections + OWN_FDS - SPARE_FDS;
    log_warn("the system grants %lu open files, where [server] connections needs %u",
             (unsigned long)limit.rlim_cur, wanted);
    unsigned left = limit.rlim_cur > OWN_FDS ? (unsigned)limit.rlim_cur - OWN_FDS : 0;
    return left / 2 + OWN_FDS - SPARE_FDS;
}

void server_reconfigure(struct server *server, const struct server_config *config)
{
    server->config = *config;
    server->peers.queue_bytes = config->queue_bytes;
    server->peers.waiting_bytes = config->waiting_bytes;
}

static void wake_loop(void *user)
{
    const struct server *server = user;
    if (server->context)
        lws_cancel_service(server->context);
}

struct server *server_create(const struct server_config *config, struct service *service)
{
    struct server *server = calloc(1, sizeof *server);
    if (!server)
        return NULL;
    server->service = service;
    server_reconfigure(server, config);
    gethostname(server->machine, sizeof server->machine - 1);
    server->background = background_create_woken(wake_loop, server);
    if (config->serves_page)
        server->page = page_load(config->page_directory);
    server->measuring = background_create_woken(wake_loop, server);
    background_set_patience(server->measuring, MEASURING_PATIENCE_NS);
    media_use_background(service->media, server->background, server->measuring);
    server->describing = background_create_woken(wake_loop, server);
    background_set_patience(server->describing, DESCRIBING_PATIENCE_NS);
    service->describing = server->describing;
    if (service->library)
        library_wake_by(service->library, wake_loop, server);
    service->announce = announce;
    service->is_connected = is_connected;
    service->tell_speaker = tell_speaker;
    service->speaker_news = speaker_news;
    service->user = server;
    lws_log_start();
    struct lws_context_creation_info info = {
        .port = config->port,
        .iface = config->address,
        .protocols = protocols,
        .gid = -1,
        .uid = -1,
        .options = LWS_SERVER_OPTION_EXPLICIT_VHOSTS | LWS_SERVER_OPTION_FAIL_UPON_UNABLE_TO_BIND,
        .user = server,
        .fd_limit_per_thread = allow_files(config->connections),
        .max_http_header_data = HEADERS_MAX,
        .keepalive_timeout = 60,
        .ka_time = 60, /* who vanished in the middle of a download is noticed */
        .ka_probes = 3,
        .ka_interval = 20,
        .retry_and_idle_policy = &idle_policy,
        .alpn =
            "http/1.1", /* HTTP/2, which lws would speak as well, is nothing that we asked for */
    };
    if (!strchr(config->address, ':')) /* where there is no IPv6, lws would complain */
        info.options |= LWS_SERVER_OPTION_DISABLE_IPV6;
    if (config->tls_certificate[0]) {
        info.options |= LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT;
        info.ssl_cert_filepath = config->tls_certificate;
        info.ssl_private_key_filepath = config->tls_key;
    }
    server->context = lws_create_context(&info);
    if (server->context)
        server->vhost = lws_create_vhost(server->context, &info);
    if (!server->vhost) {
        log_error("cannot listen on %s port %d%s", config->address, config->port,
                  config->tls_certificate[0] ? ", or not use the certificate and its key" : "");
        server_destroy(server);
        return NULL;
    }
    watch(&server->watch);
    look_at_turns(server); /* once it runs: until then its owner may say what is to go on */
    return server;
}

int server_port(const struct server *server)
{
    return lws_get_vhost_listen_port(server->vhost);
}

void server_run(struct server *server, const volatile bool *stop, volatile bool *wanted,
                void (*reload)(void *user), void *user)
{
    while (!*stop && lws_service(server->context, 0) >= 0) {
        if (!*wanted)
            continue;
        *wanted = false;
        reload(user);
    }
}

void server_wake(struct server *server)
{
    lws_cancel_service(server->context);
}

void server_destroy(struct server *server)
{
    if (!server)
        return;
    struct lws_context *context = server->context;
    server->context = NULL; /* nothing is planned any more by those that are closed now */
    if (context)
        lws_context_destroy(context);
    media_use_background(server->service->media, NULL, NULL);
    server->service->describing = NULL;
    background_destroy(server->describing);
    if (server->service->library)
        library_wake_by(server->service->library, NULL, NULL);
    background_destroy(server->measuring);
    background_destroy(server->background);
    peers_forget_playlist(&server->peers);
    share_end(&server->connections);
    share_end(&server->held);
    share_end(&server->sockets);
    page_destroy(server->page);
    free(server);
}
