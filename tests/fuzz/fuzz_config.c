/*
 * fuzz_config.c: any bytes as tuttid.conf: read, or refused in one line that names the line.
 */
#include "fuzz.h"
#include "tutti/io/settings_file.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static int fd = -1;
    static struct settings settings;
    char path[64], error[SETTINGS_FILE_ERROR_MAX] = "";
    if (fd < 0)
        fd = memfd_create("tuttid.conf", MFD_CLOEXEC);
    if (ftruncate(fd, 0) < 0 || pwrite(fd, data, size, 0) != (ssize_t)size)
        return 0;
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    bool good = settings_file_load(&settings, path, error);
    FUZZ_CHECK(strlen(error) < sizeof error);
    FUZZ_CHECK(good == (error[0] == '\0'));
    FUZZ_CHECK(!strchr(error, '\n'));
    if (good) {
        FUZZ_CHECK(strncasecmp(settings.backend.url, "http", 4) == 0 ||
                   strcmp(settings.backend.url, "auto") == 0);
        FUZZ_CHECK(settings.audio.volume >= 0 && settings.audio.volume <= 100);
        FUZZ_CHECK(strlen(settings.backend.token) < sizeof settings.backend.token);
    }
    return 0;
}
