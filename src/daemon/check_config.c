/*
 * check_config.c: the configuration against this machine.
 */
#include "check_config.h"

#include "tutti/audio/sink.h"
#include "tutti/io/mono_clock.h"
#include "tutti/io/reach.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* As systemd/tuttid.service has it. */
#define UNIT_USER "tutti"

struct check {
    settings_warn each;
    void *user;
    struct reach_user reader;
    bool unit; /* reader is the unit's; else it is ourselves */
};

/* Root looks after the unit; anybody else runs the daemon as he is. */
static void choose_reader(struct check *check)
{
    check->unit = geteuid() == 0 && reach_find_user(UNIT_USER, &check->reader);
}

static void check_file(const struct check *check, const char *option, const char *path)
{
    char why[REACH_WHY_MAX], line[REACH_WHY_MAX + 200];
    bool credential = !strchr(path, '/'); /* the service's alone */
    if (!path[0] || credential)
        return;
    if (check->unit && !reach_unit_can_read(path, &check->reader, why))
        snprintf(line, sizeof line, "%s: the unit's user " UNIT_USER " cannot read it: %s", option,
                 why);
    else if (!check->unit && access(path, R_OK) < 0)
        snprintf(line, sizeof line, "%s: %s: %s", option, path, strerror(errno));
    else
        return;
    check->each(check->user, line);
}

static struct mono_time local_now(void *clock)
{
    (void)clock;
    return mono_clock_now();
}

static void check_device(const struct check *check, const struct settings *settings)
{
    struct sink_config config = {
        .device = settings->audio.device,
        .preferred_rate_hz = 44100,
        .fixed_rate_hz = (unsigned)settings->audio.rate_hz,
        .buffer_ns = settings->audio.buffer_ms * NS_PER_MS,
        .now = local_now,
        .clock_id = mono_clock_id(),
    };
    char error[SINK_TEXT_MAX], line[SINK_TEXT_MAX + 120];
    struct sink *sink = NULL;
    int result = sink_open(&config, &sink, error);
    sink_close(sink);
    if (result != -ENOENT && result != -ENODEV && result != -ENXIO)
        return;
    snprintf(line, sizeof line, "[audio] device: %s; tuttid --list-devices shows what there is",
             error);
    check->each(check->user, line);
}

void check_config(const struct settings *settings, settings_warn each, void *user)
{
    struct check check = {.each = each, .user = user};
    choose_reader(&check);
    settings_list_warnings(settings, each, user);
    check_file(&check, "[backend] token_file", settings->backend.token_file);
    check_file(&check, "[backend] ca_file", settings->backend.ca_file);
    check_file(&check, "[group] key_file", settings->group.key_file);
    check_device(&check, settings);
}
