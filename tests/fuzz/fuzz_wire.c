/*
 * fuzz_wire.c: any bytes on connections to the hub's server: calls, forms, uploads, handshakes and
 * WebSocket frames, as they are cut and mixed.
 *
 * An input is steps, each ended by a byte that no text has (STEP_END). Its first byte says which of
 * the connections it is for, and how: '0' to '3' as it is, 'a' to 'd' as the payload of a text
 * frame, 'A' to 'D' closes the connection. In it @s is the session, @c its code, @h @g @x the
 * tokens of host, guest and stranger and @l how many bytes follow the next empty line.
 *
 * What must hold: no call is answered with 500, and when the connections are gone, so is all that
 * the hub had for them.
 */
#include "../../src/hub/media_internal.h"
#include "../../src/hub/server_internal.h"
#include "fuzz.h"
#include "fuzz_house.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define STEP_END 0xF7
#define STEPS_MAX 32
#define STEP_BYTES 16384
#define CONNECTIONS 4
/* So often nothing may come before the hub is believed to have done what it can. */
#define QUIET_PASSES 3
/* Far more than anything that ends takes; of lws's own time limits none may be needed. */
#define PASSES_MAX 2000

static struct service service;
static struct server *server;
static struct fuzz_house house;
static int connections[CONNECTIONS];

static void open_house(void)
{
    fuzz_house_open(&service, &(struct service_limits){.sessions = 4,
                                                       .members = 8,
                                                       .playlist_items = 8,
                                                       .pending_requests = 8,
                                                       .requests_per_minute = 100000,
                                                       .failures_per_minute = 100000,
                                                       .joins_per_minute = 100000,
                                                       .share_percent = 100,
                                                       .waiting_bytes = 1 << 20});
    server = server_create(
        &(struct server_config){
            .address = "127.0.0.1",
            .tls_certificate = "",
            .connections = 2 * CONNECTIONS,
            .frame_bytes = 4096,
            .queue_bytes = 65536,
            .waiting_bytes = 1 << 20,
            .names = "*",
            .trusted_proxy = "",
            .messages_per_second = 1000,
        },
        &service);
    FUZZ_CHECK(server);
    media_use_background(service.media, NULL,
                         NULL); /* without a thread, what happens is the same again */
    for (int i = 0; i < CONNECTIONS; i++)
        connections[i] = -1;
}

/* Whether anything came. A 500 begins an answer; further in, it may be what somebody sent, in the
 * news of it. */
static bool read_answers(void)
{
    static const char fault[] = "HTTP/1.1 500";
    static char answer[65536];
    bool came = false;
    for (int i = 0; i < CONNECTIONS; i++) {
        ssize_t got =
            connections[i] < 0 ? 0 : recv(connections[i], answer, sizeof answer - 1, MSG_DONTWAIT);
        came = came || got > 0;
        FUZZ_CHECK(got <= 0 || strncmp(answer, fault, sizeof fault - 1) != 0);
    }
    return came;
}

static void serve(void)
{
    for (int quiet = 0; quiet < QUIET_PASSES; quiet++) {
        lws_service(server->context, -1);
        if (read_answers())
            quiet = 0;
    }
}

static void connect_one(int i)
{
    int ends[2];
    FUZZ_CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) == 0);
    FUZZ_CHECK(lws_adopt_socket_vhost(server->vhost, ends[0]));
    connections[i] = ends[1];
}

static void disconnect_one(int i)
{
    if (connections[i] >= 0)
        close(connections[i]);
    connections[i] = -1;
}

static void say(int i, const char *bytes, size_t count)
{
    size_t sent = 0;
    if (connections[i] < 0)
        connect_one(i);
    for (int tries = 0; sent < count && tries < PASSES_MAX; tries++) {
        ssize_t done = send(connections[i], bytes + sent, count - sent, MSG_NOSIGNAL);
        if (done < 0 && errno != EAGAIN)
            return; /* the hub has hung up */
        sent += done > 0 ? (size_t)done : 0;
        serve();
    }
}

/* The mask is 0: the hub cannot tell. */
static size_t make_frame(const char *text, size_t count, char frame[STEP_BYTES + 16])
{
    size_t at = 0;
    frame[at++] = (char)0x81;
    if (count < 126) {
        frame[at++] = (char)(0x80 | count);
    } else {
        frame[at++] = (char)0xfe;
        frame[at++] = (char)(count >> 8);
        frame[at++] = (char)count;
    }
    memset(frame + at, 0, 4);
    memcpy(frame + at + 4, text, count);
    return at + 4 + count;
}

/* What stands for the letter after an @; NULL: it is no such letter. */
static const char *meaning(char letter)
{
    switch (letter) {
    case 's':
        return house.session_id;
    case 'c':
        return house.code;
    case 'h':
        return house.host.token;
    case 'g':
        return house.guest.token;
    case 'x':
        return house.stranger.token;
    default:
        return NULL;
    }
}

/* The head of a call ends where the first empty line does. */
static const char *end_of_head(const char *from, const char *end)
{
    const char *blank = memmem(from, (size_t)(end - from), "\r\n\r\n", 4);
    return blank ? blank + 4 : end;
}

static size_t substitute(const char *from, const char *end, const char *length, char *to,
                         size_t room)
{
    size_t at = 0;
    while (from < end && at + STORE_TOKEN_MAX < room) {
        bool marked = from[0] == '@' && from + 1 < end;
        const char *with = marked ? meaning(from[1]) : NULL;
        if (marked && from[1] == 'l')
            with = length;
        if (with) {
            at += (size_t)sprintf(to + at, "%s", with);
            from += 2;
        } else {
            to[at++] = *from++;
        }
    }
    return at;
}

static size_t make_bytes(const char *from, const char *end, char to[STEP_BYTES])
{
    static char body[STEP_BYTES / 2];
    char length[24];
    const char *head_end = end_of_head(from, end);
    size_t body_bytes = substitute(head_end, end, "", body, sizeof body);
    snprintf(length, sizeof length, "%zu", body_bytes);
    size_t head_bytes = substitute(from, head_end, length, to, STEP_BYTES - sizeof body);
    memcpy(to + head_bytes, body, body_bytes);
    return head_bytes + body_bytes;
}

static void take_step(const char *step, const char *end)
{
    static char bytes[STEP_BYTES], frame[STEP_BYTES + 16];
    char how = *step;
    size_t count = make_bytes(step + 1, end, bytes);
    if (how >= '0' && how < '0' + CONNECTIONS)
        say(how - '0', bytes, count);
    else if (how >= 'a' && how < 'a' + CONNECTIONS)
        say(how - 'a', frame, make_frame(bytes, count, frame));
    else if (how >= 'A' && how < 'A' + CONNECTIONS)
        disconnect_one(how - 'A');
}

static void end_all(int files)
{
    for (int i = 0; i < CONNECTIONS; i++)
        disconnect_one(i);
    for (int pass = 0; pass < PASSES_MAX && (server->peers.count > 0 || fuzz_open_files() > files);
         pass++)
        lws_service(server->context, -1);
    FUZZ_CHECK(server->peers.count == 0);
    FUZZ_CHECK(service.media->uploads == 0);
    FUZZ_CHECK(fuzz_open_files() <= files);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (!server)
        open_house();
    fuzz_house_start_over(&service, &house);
    peers_forget_playlist(&server->peers);
    int files = fuzz_open_files();
    const char *at = (const char *)data, *end = at + size;
    for (int i = 0; i < STEPS_MAX && at < end; i++) {
        const char *step_end = memchr(at, STEP_END, (size_t)(end - at));
        step_end = step_end ? step_end : end;
        if (step_end > at)
            take_step(at, step_end);
        at = step_end + 1;
    }
    end_all(files);
    return 0;
}
