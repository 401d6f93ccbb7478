/*
 * fuzz_boot.c: any bytes as tutti.conf: refused in lines that repeat nothing, or a drop-in that tuttid's
 * own reader understands, and that says the same when it is read again.
 */
#include "fuzz.h"
#include "tutti/core/boot_settings.h"
#include "tutti/io/settings_file.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static void take_problem(void *user, const char *line)
{
    FUZZ_CHECK(strncmp(line, "line ", 5) == 0 && !strpbrk(line, "\r\n"));
    ++*(int *)user;
}

static void expect_read(const char *text, const struct boot_settings *boot)
{
    static int fd = -1;
    static struct settings read, applied;
    char path[64], error[SETTINGS_FILE_ERROR_MAX];
    if (fd < 0)
        fd = memfd_create("50-boot.conf", MFD_CLOEXEC);
    if (ftruncate(fd, 0) < 0 || pwrite(fd, text, strlen(text), 0) != (ssize_t)strlen(text))
        return;
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    FUZZ_CHECK(options_file_load(&settings_table, &read, path, error));
    settings_init(&applied);
    boot_settings_apply(boot, &applied);
    for (size_t i = 0; i < settings_table.count; i++)
        FUZZ_CHECK(options_are_equal(&settings_table.specs[i], &read, &applied));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct boot_settings boot = {0}, again = {0};
    char text[BOOT_SETTINGS_TEXT_MAX], second[BOOT_SETTINGS_TEXT_MAX];
    int problems = 0;
    bool good = boot_settings_parse((const char *)data, size, &boot, take_problem, &problems);
    FUZZ_CHECK(good == (problems == 0));
    boot_settings_print(&boot, text);
    FUZZ_CHECK(strlen(text) + 1 < sizeof text);
    FUZZ_CHECK(boot_settings_parse(text, strlen(text), &again, take_problem, &problems));
    boot_settings_print(&again, second);
    FUZZ_CHECK(strcmp(text, second) == 0);
    expect_read(text, &boot);
    return 0;
}
