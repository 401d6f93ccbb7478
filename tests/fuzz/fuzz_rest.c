/*
 * fuzz_rest.c: any bytes as the body of a REST answer, and as the texts that are taken out of one:
 * times, media URLs, ids and tokens that become part of a URL. The first byte says which.
 */
#include "fuzz.h"
#include "tutti/core/protocol.h"
#include "tutti/core/web_url.h"

#include <string.h>
#include <strings.h>

static void as_bodies(const char *text, size_t size)
{
    char reason[PROTOCOL_REASON_MAX];
    struct playlist_message playlist;
    struct playback_state playback;
    struct session_answer session;
    struct login_answer login;
    struct request_message request;
    struct playlist_item item;
    if (protocol_parse_playlist(text, size, &playlist, reason))
        playlist_message_finish(&playlist);
    if (protocol_parse_playback(text, size, &playback, reason))
        FUZZ_CHECK(playback.position_ms >= 0);
    if (protocol_parse_snapshot(text, size, &playback, &playlist, reason))
        playlist_message_finish(&playlist);
    if (protocol_parse_item(text, size, &item))
        FUZZ_CHECK(strlen(item.media_url) < PROTOCOL_URL_MAX);
    if (protocol_parse_request(text, size, &request, reason))
        FUZZ_CHECK(request.new_position >= -1 && strlen(request.item_id) < PROTOCOL_ID_MAX);
    if (protocol_parse_login(text, size, &login))
        FUZZ_CHECK(strlen(login.token) < PROTOCOL_TOKEN_MAX);
    if (protocol_parse_session(text, size, &session))
        FUZZ_CHECK(strlen(session.session_id) < PROTOCOL_ID_MAX &&
                   strlen(session.token) < PROTOCOL_TOKEN_MAX);
    protocol_error_detail(text, size, reason);
    FUZZ_CHECK(strlen(reason) < sizeof reason);
}

/* What is printed of a time reads as that time again, to the microsecond that is printed. */
static void as_time(const char *text)
{
    struct server_time time, again;
    char printed[PROTOCOL_TIME_MAX];
    if (!protocol_parse_time(text, &time))
        return;
    protocol_format_time(time.ns, printed);
    /* A zone can take a time just out of the years that are read. */
    if (time.ns >= 0 && strncmp(printed, "2201", 4) != 0) {
        FUZZ_CHECK(protocol_parse_time(printed, &again));
        FUZZ_CHECK(time.ns - again.ns >= 0 && time.ns - again.ns < NS_PER_US);
    }
}

static void as_urls(const char *text)
{
    static const char base[] = "http://127.0.0.1:8700/";
    char url[PROTOCOL_URL_MAX];
    const char *problem;
    if (web_url_resolve(base, text, url, sizeof url, &problem)) {
        char again[PROTOCOL_URL_MAX];
        FUZZ_CHECK(strncmp(url, "http://", 7) == 0 || strncmp(url, "https://", 8) == 0);
        FUZZ_CHECK(!strpbrk(url, " \t\r\n#\x7f"));
        if (web_url_resolve("", url, again, sizeof again, &problem))
            FUZZ_CHECK(strcmp(url, again) == 0);
    } else {
        FUZZ_CHECK(problem[0]);
    }
    if (protocol_ws_url(url, sizeof url, base, text, text)) {
        FUZZ_CHECK(strncmp(url, "ws://127.0.0.1:8700/ws/sessions/", 32) == 0);
        FUZZ_CHECK(!strpbrk(url, " \r\n\"#"));
        FUZZ_CHECK(strchr(url, '?') == strrchr(url, '?'));
    }
    if (protocol_ws_url(url, sizeof url, text, "id", "token"))
        FUZZ_CHECK(strncmp(url, "ws", 2) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1)
        return 0;
    as_bodies((const char *)data + 1, size - 1);
    char *text = malloc(size);
    if (!text)
        return 0;
    memcpy(text, data + 1, size - 1);
    text[size - 1] = '\0';
    if (data[0] & 1)
        as_time(text);
    else
        as_urls(text);
    free(text);
    return 0;
}
