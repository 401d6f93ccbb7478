/*
 * fuzz_frame.c: any bytes as a WebSocket frame of the backend: refused with a reason, or a message
 * all of whose fields are in bounds.
 */
#include "fuzz.h"
#include "tutti/core/protocol.h"
#include "tutti/core/web_url.h"

#include <math.h>
#include <string.h>

#define FITS(text) FUZZ_CHECK(memchr((text), '\0', sizeof(text)) != NULL)

static const char base[] = "https://speaker:8443/base/";

static void check_playback(const struct playback_state *playback)
{
    FITS(playback->track_id);
    FUZZ_CHECK(playback->position_ms >= 0 && playback->position_ms <= PROTOCOL_POSITION_MAX_MS);
    free(protocol_build_playback_command(&(struct playback_wish){
        PLAYBACK_SEEK, playback->track_id, playback->item_id, playback->position_ms}));
}

static void check_playlist(const struct playlist_message *playlist)
{
    char url[PROTOCOL_URL_MAX];
    FUZZ_CHECK(playlist->count <= PROTOCOL_PLAYLIST_MAX);
    for (size_t i = 0; i < playlist->count; i++) {
        const struct playlist_item *item = &playlist->items[i];
        FITS(item->id);
        FITS(item->track_id);
        FITS(item->name);
        FITS(item->media_url);
        FITS(item->media_type);
        FUZZ_CHECK(isfinite(item->duration_s) && item->position >= 0);
        const char *problem;
        if (web_url_resolve(base, item->media_url, url, sizeof url, &problem))
            FUZZ_CHECK(strncmp(url, "http://", 7) == 0 || strncmp(url, "https://", 8) == 0);
    }
}

static void check_request(const struct request_message *request)
{
    FITS(request->id);
    FITS(request->requester);
    FITS(request->type_word);
    FITS(request->summary);
    FITS(request->reason);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct protocol_message message;
    char reason[PROTOCOL_REASON_MAX] = "";
    if (!protocol_parse((const char *)data, size, &message, reason)) {
        FITS(reason);
        FUZZ_CHECK(reason[0]);
        FUZZ_CHECK(message.type <= MESSAGE_UNKNOWN);
        return 0;
    }
    if (message.type == MESSAGE_PLAYBACK_STATE || message.type == MESSAGE_NEXT_STATE)
        check_playback(&message.playback);
    else if (message.type == MESSAGE_PLAYLIST)
        check_playlist(&message.playlist);
    else if (message.type == MESSAGE_REQUEST)
        check_request(&message.request);
    else if (message.type == MESSAGE_ERROR)
        FITS(message.detail);
    protocol_message_finish(&message);
    return 0;
}
