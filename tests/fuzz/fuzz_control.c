/*
 * fuzz_control.c: any lines on the control socket, to a daemon that has a playlist, is not
 * connected, and plays into nothing. The first byte says whether it is a host.
 */
#include "../../src/daemon/daemon_internal.h"
#include "fuzz.h"
#include "tutti/base/log.h"
#include "tutti/io/background.h"
#include "tutti/io/mono_clock.h"

#include <math.h>
#include <string.h>

static struct settings settings;
static struct daemon kitchen = {.settings = &settings};

static void nothing(void *user, struct mono_time now)
{
    (void)user;
    (void)now;
}

static struct mono_time local_now(void *clock)
{
    (void)clock;
    return mono_clock_now();
}

static void make_playlist(void)
{
    static const char text[] = "[{\"id\":1,\"track_id\":\"a\",\"name\":\"A\"},"
                               "{\"id\":\"2\",\"track_id\":\"b\",\"name\":\"B\","
                               "\"duration_seconds\":75}]";
    char reason[PROTOCOL_REASON_MAX];
    FUZZ_CHECK(protocol_parse_playlist(text, strlen(text), &kitchen.playlist, reason));
    kitchen.has_playback = kitchen.playback.has_track = true;
    strcpy(kitchen.playback.track_id, "b");
}

static void make_daemon(void)
{
    log_set_level(LOG_ERROR);
    settings_init(&settings);
    strcpy(settings.backend.url, "http://127.0.0.1:9");
    strcpy(settings.audio.device, "null");
    snprintf(settings.paths.state_dir, sizeof settings.paths.state_dir, "%s", fuzz_directory());
    strcpy(settings.audio.mixer, "software");
    server_clock_init(&kitchen.clock, NS_PER_S);
    kitchen.requests = calloc(DAEMON_REQUESTS_MAX, sizeof *kitchen.requests);
    kitchen.loop = loop_create(NULL);
    kitchen.background = background_create(kitchen.loop);
    kitchen.http = http_create(kitchen.loop, &(struct http_config){0});
    kitchen.tick = loop_timer_create(kitchen.loop, nothing, NULL);
    kitchen.slow = loop_timer_create(kitchen.loop, nothing, NULL);
    kitchen.player = player_create(&(struct player_config){
        .output = {.sink = {.device = "null",
                            .preferred_rate_hz = 48000,
                            .buffer_ns = 100 * NS_PER_MS,
                            .now = local_now,
                            .clock_id = mono_clock_id()},
                   .remembered_ppm = NAN},
        .drift = {0.2, 5000},
        .clock = &kitchen.clock,
    });
    kitchen.volume_setter = volume_create("software", "");
    kitchen.library = library_create(kitchen.loop, kitchen.http,
                                     &(struct library_config){kitchen.background, NULL, 1, 1},
                                     &daemon_library_handlers, &kitchen);
    kitchen.link =
        link_create(kitchen.loop, kitchen.http,
                    &(struct link_config){&settings, &kitchen.state, &kitchen.clock, NULL},
                    &daemon_link_handlers, &kitchen);
    FUZZ_CHECK(kitchen.link && kitchen.library && kitchen.player && kitchen.volume_setter);
    make_playlist();
}

/* Nobody runs the loop, so what is saved beside it is waited for here, now and then. */
static void let_background_end(void)
{
    static unsigned count;
    if (++count % 64)
        return;
    background_destroy(kitchen.background);
    kitchen.background = background_create(kitchen.loop);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1)
        return 0;
    if (!kitchen.link)
        make_daemon();
    settings.backend.role = data[0] & 1 ? SETTINGS_HOST : SETTINGS_GUEST;
    char *text = malloc(size);
    if (!text)
        return 0;
    memcpy(text, data + 1, size - 1);
    text[size - 1] = '\0';
    char *rest = text;
    for (char *line; (line = strsep(&rest, "\n"));)
        control_take_line(&kitchen, NULL, line);
    free(text);
    let_background_end();
    FUZZ_CHECK(kitchen.volume >= 0 && kitchen.volume <= 100);
    FUZZ_CHECK(fabs(kitchen.latency_ms) <= 2000);
    return 0;
}
