/*
 * fuzz_state.c: any bytes as state.json: taken as far as they are sound, never worse than nothing;
 * and what was taken is the same after it was saved and loaded again.
 */
#include "fuzz.h"
#include "tutti/base/log.h"
#include "tutti/io/session_file.h"

#include <fcntl.h>
#include <math.h>
#include <string.h>
#include <unistd.h>

static bool same_number(double a, double b)
{
    return (isnan(a) && isnan(b)) || a == b;
}

static bool same_device(const struct session_device *a, const struct session_device *b)
{
    return strcmp(a->name, b->name) == 0 && same_number(a->rate_ppm, b->rate_ppm) &&
           same_number(a->volume, b->volume) && a->muted == b->muted &&
           same_number(a->latency_ms, b->latency_ms) &&
           same_number(a->latency_configured_ms, b->latency_configured_ms);
}

static void check_same(const struct session_state *a, const struct session_state *b)
{
    FUZZ_CHECK(strcmp(a->url, b->url) == 0 && strcmp(a->join_code, b->join_code) == 0);
    FUZZ_CHECK(strcmp(a->session_id, b->session_id) == 0 && strcmp(a->token, b->token) == 0);
    FUZZ_CHECK(strcmp(a->code, b->code) == 0);
    for (int i = 0; i < SESSION_DEVICES_MAX && a->devices[i].name[0]; i++)
        FUZZ_CHECK(same_device(&a->devices[i], &b->devices[i]));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct session_state loaded, again;
    const char *directory = fuzz_directory();
    char path[64];
    log_set_level(LOG_ERROR);
    snprintf(path, sizeof path, "%s/state.json", directory);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    FUZZ_CHECK(fd >= 0 && write(fd, data, size) == (ssize_t)size);
    close(fd);
    session_file_load(directory, &loaded);
    for (int i = 0; i < SESSION_DEVICES_MAX && loaded.devices[i].name[0]; i++)
        FUZZ_CHECK(isnan(loaded.devices[i].volume) || loaded.devices[i].volume <= 100);
    if (session_file_save(directory, &loaded) < 0)
        return 0; /* a full disk is no finding */
    session_file_load(directory, &again);
    check_same(&loaded, &again);
    return 0;
}
