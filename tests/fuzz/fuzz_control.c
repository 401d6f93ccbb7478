/*
 * fuzz_control.c: any lines on the control socket, to a daemon that has a playlist, is not
 * connected, and plays into nothing. The first byte says whether it is a host.
 */
#include "../../src/daemon/daemon_internal.h"
#include "fuzz.h"
#include "tutti/base/log.h"
#include "tutti/io/background.h"

#include <math.h>
#include <string.h>

static struct settings settings;
static struct daemon *kitchen;

static void make_playlist(void)
{
    static const char text[] = "[{\"id\":1,\"track_id\":\"a\",\"name\":\"A\"},"
                               "{\"id\":\"2\",\"track_id\":\"b\",\"name\":\"B\","
                               "\"duration_seconds\":75}]";
    char reason[PROTOCOL_REASON_MAX];
    struct session_opening opening = {.playback = {.has_track = true, .track_id = "b"}};
    FUZZ_CHECK(protocol_parse_playlist(text, strlen(text), &opening.playlist, reason));
    session_adopt(&kitchen->replica, &opening, -1, loop_now(kitchen->loop));
}

static void make_daemon(void)
{
    settings_init(&settings);
    strcpy(settings.backend.url, "http://127.0.0.1:9");
    strcpy(settings.audio.device, "null");
    strcpy(settings.audio.mixer, "software");
    settings.paths.cache_mode = SETTINGS_CACHE_MEMORY;
    settings.log.level = LOG_ERROR;
    snprintf(settings.paths.state_dir, sizeof settings.paths.state_dir, "%s", fuzz_directory());
    snprintf(settings.control.socket, sizeof settings.control.socket, "%s/control.sock",
             fuzz_directory());
    kitchen = daemon_create(&settings, "/nowhere");
    FUZZ_CHECK(kitchen);
    make_playlist();
}

/* Nobody runs the loop, so what is saved beside it is waited for here, now and then. */
static void let_background_end(void)
{
    static unsigned count;
    if (++count % 64)
        return;
    session_saver_destroy(kitchen->saver);
    background_destroy(kitchen->background);
    background_destroy(kitchen->files);
    background_destroy(kitchen->devices);
    kitchen->background = background_create(kitchen->loop);
    kitchen->files = background_create(kitchen->loop);
    kitchen->devices = background_create(kitchen->loop);
    kitchen->saver = session_saver_create(kitchen->background, settings.paths.state_dir);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1)
        return 0;
    if (!kitchen)
        make_daemon();
    settings.backend.role = data[0] & 1 ? SETTINGS_HOST : SETTINGS_GUEST;
    char *text = malloc(size);
    if (!text)
        return 0;
    memcpy(text, data + 1, size - 1);
    text[size - 1] = '\0';
    char *rest = text;
    for (char *line; (line = strsep(&rest, "\n"));)
        control_take_line(kitchen, NULL, line);
    free(text);
    let_background_end();
    FUZZ_CHECK(kitchen->volume >= 0 && kitchen->volume <= 100);
    FUZZ_CHECK(fabs(kitchen->latency_ms) <= 2000);
    return 0;
}
