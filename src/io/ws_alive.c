/*
 * ws_alive.c: whether the peer of an open WebSocket is still there.
 *
 * Whatever arrives shows it: messages, answers, and the peer's own pings, which libwebsockets
 * answers without a word; of those the kernel knows. Only a silent peer is pinged, by a frame of
 * our own, and given up when that brings nothing either. Who pings us (uvicorn, every 20 s) is
 * trusted for longer than that, so that our pings and its own never meet.
 */
#include "tutti/io/mono_clock.h"
#include "ws_client_internal.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/socket.h>

/* What comes within this after the opening may be TLS's own, and is no ping. */
#define SETTLING_NS NS_PER_S
/* The kernel tells milliseconds, counted in ticks of its own. */
#define KERNEL_GRAIN_NS (20 * NS_PER_MS)

struct ws_client_patience ws_client_patience = {
    .silence_ns = 12 * NS_PER_S, /* probes are answered every 10 s; and 20 s is far enough away */
    .pinged_silence_ns = 25 * NS_PER_S,
    .answer_ns = 10 * NS_PER_S, /* a Wi-Fi that roams is silent for some seconds */
};

/* When the kernel has last received anything on it; heard_at where it does not tell. */
static struct mono_time arrived_at(const struct ws_client *client, struct mono_time now)
{
    struct tcp_info info = {0};
    socklen_t size = sizeof info;
    int fd = client->wsi ? lws_get_socket_fd(client->wsi) : -1;
    if (fd < 0 || getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size) < 0 ||
        size < offsetof(struct tcp_info, tcpi_last_ack_recv))
        return client->heard_at;
    return mono_add(now, -(int64_t)info.tcpi_last_data_recv * NS_PER_MS);
}

/* For how long nothing has come, not even a ping. */
static int64_t silence_of(const struct ws_client *client, struct mono_time now)
{
    struct mono_time arrived = arrived_at(client, now);
    bool later = mono_sub(arrived, client->heard_at) > 0;
    int64_t silence_ns = mono_sub(now, later ? arrived : client->heard_at);
    return silence_ns > 0 ? silence_ns : 0;
}

/* Something has come that was no message and no pong. */
static void notice_its_pings(struct ws_client *client, int64_t silence_ns, struct mono_time now)
{
    int64_t unexplained_ns = mono_sub(now, client->heard_at) - silence_ns;
    if (unexplained_ns > KERNEL_GRAIN_NS &&
        mono_sub(mono_add(now, -silence_ns), client->opened_at) > SETTLING_NS)
        client->peer_pings = true;
}

static int64_t patience_ns(const struct ws_client *client)
{
    return client->peer_pings ? ws_client_patience.pinged_silence_ns
                              : ws_client_patience.silence_ns;
}

static void give_up(struct ws_client *client, int64_t silence_ns)
{
    char reason[WS_REASON_MAX];
    snprintf(reason, sizeof reason, "nothing was heard for %lld s, not even an answer to pings",
             (long long)(silence_ns / NS_PER_S));
    ws_client_drop_connection(client);
    ws_client_end(client, WS_CLIENT_TIMEOUT, 0, reason);
}

void ws_alive_begin(struct ws_client *client)
{
    client->opened_at = client->heard_at;
    loop_timer_set(client->timer, mono_add(client->heard_at, ws_client_patience.silence_ns));
}

void ws_alive_check(struct ws_client *client, struct mono_time now)
{
    int64_t silence_ns = silence_of(client, now);
    int64_t since_ping_ns = mono_sub(now, client->pinged_at);
    notice_its_pings(client, silence_ns, now);
    if (silence_ns < since_ping_ns)
        client->pinged = false;
    if (client->pinged && since_ping_ns >= ws_client_patience.answer_ns) {
        give_up(client, silence_ns);
        return;
    }
    if (!client->pinged && silence_ns >= patience_ns(client)) {
        ws_queue_add(client, LWS_WRITE_PING, "", 0);
        client->pinged = true;
        client->pinged_at = now;
    }
    loop_timer_set(client->timer, client->pinged
                                      ? mono_add(client->pinged_at, ws_client_patience.answer_ns)
                                      : mono_add(now, patience_ns(client) - silence_ns));
}
