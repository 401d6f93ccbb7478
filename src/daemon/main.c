/*
 * main.c: tuttid's command line.
 */
#include "check_config.h"
#include "tutti/audio/sink.h"
#include "tutti/daemon/daemon.h"
#include "tutti/daemon/test_tone.h"
#include "tutti/io/boot_file.h"
#include "tutti/io/settings_file.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>

#define DEFAULT_CONFIG "/etc/tutti/tuttid.conf"

static void print_line(void *user, const char *line)
{
    (void)user;
    puts(line);
}

static void print_help(void)
{
    printf(
        "Usage: tuttid [--config FILE] [--check-config | --list-devices | --test-tone[=DEVICE] |\n"
        "              --take-over[=DIRECTORY] | --print-config]\n"
        "\n"
        "Plays a session's music in step with every other speaker of it.\n"
        "\n"
        "  -c, --config FILE    default " DEFAULT_CONFIG "\n"
        "      --check-config   say whether the configuration is right, and what in it is odd\n"
        "      --list-devices   the sound devices that [audio] device can name\n"
        "      --test-tone[=DEVICE]\n"
        "                       left, right, both: on the configured device, or on this one\n"
        "      --take-over[=DIRECTORY]\n"
        "                       take tutti.conf over from the boot partition, or from there\n"
        "      --print-config   a commented configuration with every option's default\n"
        "      --print-man      the man page's list of options\n"
        "  -h, --help\n"
        "      --version\n"
        "\n"
        "Options of the configuration (or of the environment, as TUTTI_SECTION_KEY):\n\n");
    options_print(&settings_table, OPTIONS_HELP, print_line, NULL);
    printf("\nExit codes: 0 stopped, 1 failed, 2 wrong usage, 3 wrong configuration\n");
}

static void print_device(void *user, const char *name, const char *description)
{
    (void)user;
    printf("%-40s ", name);
    for (; *description; description++)
        putchar(*description == '\n' ? ' ' : *description);
    putchar('\n');
}

static void print_warning(void *user, const char *line)
{
    (void)user;
    fprintf(stderr, "tuttid: warning: %s\n", line);
}

/* Before anything is configured. */
static enum daemon_exit test_device(struct settings *settings, const char *device)
{
    char error[SETTINGS_ERROR_MAX];
    settings_init(settings);
    if (settings_set(settings, "audio", "device", device, error))
        return test_tone_run(settings);
    fprintf(stderr, "tuttid: %s\n", error);
    return DAEMON_EXIT_USAGE;
}

static enum daemon_exit take_over(const char *directory, const char *config_path)
{
    static const char *const partitions[] = {"/boot/firmware", "/boot"};
    if (directory)
        return boot_file_take(directory, config_path) == BOOT_FILE_REFUSED ? DAEMON_EXIT_CONFIG
                                                                           : DAEMON_EXIT_OK;
    for (size_t i = 0; i < sizeof partitions / sizeof *partitions; i++)
        if (boot_file_take(partitions[i], config_path) == BOOT_FILE_REFUSED)
            return DAEMON_EXIT_CONFIG;
    return DAEMON_EXIT_OK;
}

int main(int argc, char **argv)
{
    enum { CHECK = 256, LIST, TONE, TAKE, PRINT, MAN, VERSION };
    static const struct option options[] = {
        {"config", required_argument, NULL, 'c'},
        {"check-config", no_argument, NULL, CHECK},
        {"list-devices", no_argument, NULL, LIST},
        {"test-tone", optional_argument, NULL, TONE},
        {"take-over", optional_argument, NULL, TAKE},
        {"print-config", no_argument, NULL, PRINT},
        {"print-man", no_argument, NULL, MAN},
        {"version", no_argument, NULL, VERSION},
        {"help", no_argument, NULL, 'h'},
        {0},
    };
    static struct settings settings;
    const char *path = DEFAULT_CONFIG;
    bool check = false, tone = false, take = false;
    const char *tone_device = NULL, *take_from = NULL;
    int option;
    while ((option = getopt_long(argc, argv, "c:h", options, NULL)) != -1) {
        switch (option) {
        case 'c':
            path = optarg;
            break;
        case CHECK:
            check = true;
            break;
        case LIST:
            sink_list_devices(print_device, NULL);
            return DAEMON_EXIT_OK;
        case TONE:
            tone = true;
            tone_device = optarg;
            break;
        case TAKE:
            take = true;
            take_from = optarg;
            break;
        case PRINT:
            options_print(&settings_table, OPTIONS_CONFIG, print_line, NULL);
            return DAEMON_EXIT_OK;
        case MAN:
            options_print(&settings_table, OPTIONS_MAN, print_line, NULL);
            return DAEMON_EXIT_OK;
        case VERSION:
            printf("tuttid " TUTTI_VERSION "\n");
            return DAEMON_EXIT_OK;
        case 'h':
            print_help();
            return DAEMON_EXIT_OK;
        default:
            fprintf(stderr, "Try tuttid --help.\n");
            return DAEMON_EXIT_USAGE;
        }
    }
    if (optind < argc) {
        fprintf(stderr, "tuttid: unexpected argument %s\nTry tuttid --help.\n", argv[optind]);
        return DAEMON_EXIT_USAGE;
    }
    char error[SETTINGS_FILE_ERROR_MAX];
    if (tone_device)
        return (int)test_device(&settings, tone_device);
    if (take)
        return (int)take_over(take_from, path);
    /* A core dump would hold the token, and so would the memory for a process of the same user. */
    prctl(PR_SET_DUMPABLE, 0);
    if (!settings_file_load(&settings, path, error)) {
        fprintf(stderr, "tuttid: %s\n", error);
        return DAEMON_EXIT_CONFIG;
    }
    if (check) {
        check_config(&settings, print_warning, NULL);
        printf("%s: good\n", path);
        return DAEMON_EXIT_OK;
    }
    if (tone)
        return (int)test_tone_run(&settings);
    return (int)daemon_run(&settings, path);
}
