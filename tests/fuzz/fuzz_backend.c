/*
 * fuzz_backend.c: any bytes as what a backend answers to the handshake and sends after it, to the
 * speaker's WebSocket client.
 *
 * The first byte of an input says what the client does meanwhile. The rest is steps, each ended by
 * a byte that no text has (STEP_END); @a in it is what the handshake's key has to be answered with.
 *
 * What must hold: texts end where they should, the end is told once and last, and when both sides
 * are gone, so is all that there was for them.
 */
#include "fuzz.h"
#include "tutti/base/log.h"
#include "tutti/io/loop.h"
#include "tutti/io/ws_client.h"

#include <arpa/inet.h>
#include <errno.h>
#include <libwebsockets.h>
#include <openssl/evp.h>
#include <openssl/sha.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define STEP_END 0xF7
#define STEPS_MAX 32
/* So often nothing may come before the client is believed to have done what it can. */
#define QUIET_PASSES 3
/* Far more than anything that ends takes; of lws's own time limits none may be needed. */
#define PASSES_MAX 2000
#define ACCEPT_BYTES 32

/* In the first byte of an input. */
enum {
    DESTROY_IN_OPEN = 1,
    DESTROY_IN_TEXT = 2,
    DESTROY_IN_END = 4,
    SPEAK = 8,
    LEAVE_FIRST = 16,
};

static struct loop *loop;
static int listener;
static char url[64];

static struct ws_client *client;
static uint8_t manner;
static bool ended;

static void destroy_client(void)
{
    ws_client_destroy(client);
    client = NULL;
}

static void on_open(void *user, struct mono_time now)
{
    (void)user;
    (void)now;
    FUZZ_CHECK(client && !ended && ws_client_is_open(client));
    if (manner & SPEAK)
        ws_client_send(client, "{\"type\":\"sync_ack\",\"payload\":{}}");
    if (manner & DESTROY_IN_OPEN)
        destroy_client();
}

static void on_text(void *user, const char *text, size_t bytes, struct mono_time received)
{
    (void)user;
    (void)received;
    FUZZ_CHECK(client && !ended);
    FUZZ_CHECK(text[bytes] == '\0' && bytes <= WS_CLIENT_MESSAGE_MAX_BYTES);
    if (manner & DESTROY_IN_TEXT)
        destroy_client();
}

static void on_end(void *user, enum ws_client_end end, int status, const char *reason)
{
    (void)user;
    FUZZ_CHECK(client && !ended);
    FUZZ_CHECK(end <= WS_CLIENT_TIMEOUT && status >= 0 && status < 65536 && reason[0]);
    FUZZ_CHECK(end != WS_CLIENT_REFUSED || (status >= 100 && status <= 999));
    ended = true;
    if (manner & DESTROY_IN_END)
        destroy_client();
}

static void open_loop(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    log_set_level(LOG_ERROR);
    loop = loop_create(NULL);
    listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    FUZZ_CHECK(loop && listener >= 0);
    FUZZ_CHECK(bind(listener, (struct sockaddr *)&address, size) == 0 && listen(listener, 8) == 0);
    FUZZ_CHECK(getsockname(listener, (struct sockaddr *)&address, &size) == 0);
    snprintf(url, sizeof url, "ws://127.0.0.1:%d/ws/sessions/s?token=t", ntohs(address.sin_port));
}

static void pass(void)
{
    lws_service(loop_lws_context(loop), -1);
}

/* What the client says is of no interest, but it must have room. */
static void serve(int peer)
{
    static char said[65536];
    for (int quiet = 0; quiet < QUIET_PASSES; quiet++) {
        pass();
        if (recv(peer, said, sizeof said, MSG_DONTWAIT) > 0)
            quiet = 0;
    }
}

static int accept_client(void)
{
    struct linger at_once = {.l_onoff = 1};
    int peer = -1;
    for (int tries = 0; peer < 0 && tries < PASSES_MAX; tries++) {
        pass();
        peer = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    }
    FUZZ_CHECK(peer >= 0);
    /* Else ports run out: each would be kept for a minute. */
    setsockopt(peer, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    return peer;
}

static void take_handshake(int peer, char accept[ACCEPT_BYTES])
{
    static const char name[] = "Sec-WebSocket-Key: ",
                      guid[] = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
    unsigned char hash[SHA_DIGEST_LENGTH];
    char request[4096] = "", key[128];
    size_t at = 0;
    for (int tries = 0; !strstr(request, "\r\n\r\n") && tries < PASSES_MAX; tries++) {
        pass();
        ssize_t got = recv(peer, request + at, sizeof request - 1 - at, MSG_DONTWAIT);
        at += got > 0 ? (size_t)got : 0;
        request[at] = '\0';
    }
    const char *found = strcasestr(request, name);
    FUZZ_CHECK(found);
    found += strlen(name);
    snprintf(key, sizeof key, "%.*s%s", (int)strcspn(found, "\r"), found, guid);
    SHA1((const unsigned char *)key, strlen(key), hash);
    EVP_EncodeBlock((unsigned char *)accept, hash, sizeof hash);
}

static void say(int peer, const char *bytes, size_t count)
{
    size_t sent = 0;
    for (int tries = 0; sent < count && tries < PASSES_MAX; tries++) {
        ssize_t done = send(peer, bytes + sent, count - sent, MSG_NOSIGNAL);
        if (done < 0 && errno != EAGAIN)
            return; /* the client has hung up */
        sent += done > 0 ? (size_t)done : 0;
        serve(peer);
    }
}

static void take_step(int peer, const char *step, const char *end, const char *accept)
{
    static char bytes[16384];
    size_t at = 0;
    while (step < end && at + ACCEPT_BYTES < sizeof bytes) {
        if (step[0] == '@' && step + 1 < end && step[1] == 'a') {
            at += (size_t)sprintf(bytes + at, "%s", accept);
            step += 2;
        } else {
            bytes[at++] = *step++;
        }
    }
    say(peer, bytes, at);
}

static void part(int peer, int files)
{
    if (manner & LEAVE_FIRST)
        destroy_client();
    serve(peer);
    close(peer);
    for (int tries = 0; client && !ended && tries < PASSES_MAX; tries++)
        pass();
    FUZZ_CHECK(!client || ended);
    destroy_client();
    for (int tries = 0; fuzz_open_files() > files && tries < PASSES_MAX; tries++)
        pass();
    FUZZ_CHECK(fuzz_open_files() <= files);
    pass(); /* what was deferred */
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct ws_client_handlers handlers = {on_open, on_text, on_end};
    char accept[ACCEPT_BYTES];
    if (size < 1)
        return 0;
    if (!loop)
        open_loop();
    int files = fuzz_open_files();
    manner = data[0];
    ended = false;
    client = ws_client_create(loop, url, &handlers, NULL);
    FUZZ_CHECK(client);
    int peer = accept_client();
    take_handshake(peer, accept);
    const char *at = (const char *)data + 1, *end = (const char *)data + size;
    for (int i = 0; i < STEPS_MAX && at < end; i++) {
        const char *step_end = memchr(at, STEP_END, (size_t)(end - at));
        step_end = step_end ? step_end : end;
        take_step(peer, at, step_end, accept);
        at = step_end + 1;
    }
    part(peer, files);
    return 0;
}
