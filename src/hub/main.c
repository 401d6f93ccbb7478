/*
 * main.c: tutti-hub's command line.
 */
#include "check_config.h"
#include "commands.h"
#include "hub_settings.h"
#include "run.h"
#include "tutti/base/log.h"
#include "tutti/io/session_file.h"
#include "tutti/io/settings_file.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#define DEFAULT_CONFIG "/etc/tutti/tutti-hub.conf"

enum {
    EXIT_STOPPED = 0,
    EXIT_USAGE = 2,
    EXIT_CONFIG = 3,
};

static void print_line(void *user, const char *line)
{
    (void)user;
    puts(line);
}

static void print_help(void)
{
    printf(
        "Usage: tutti-hub [--config FILE] [--data DIR] [--listen ADDRESS:PORT]\n"
        "       tutti-hub [--config FILE] --check-config | --print-config\n"
        "       tutti-hub [--config FILE] [--data DIR] session list | show CODE | delete CODE |"
        " host CODE [MEMBER] |\n"
        "                 link CODE\n"
        "       tutti-hub [--config FILE] [--data DIR] media list | restore [FILE CODE] | purge\n"
        "       tutti-hub [--config FILE] [--data DIR] backup FILE | restore FILE | check |"
        " repair\n"
        "\n"
        "A backend for a household of tutti speakers.\n"
        "\n"
        "  -c, --config FILE          default " DEFAULT_CONFIG ", if there is one\n"
        "  -d, --data DIR             instead of [data] directory\n"
        "  -l, --listen ADDRESS:PORT  instead of [server] listen\n"
        "      --log-level LEVEL      instead of [log] level\n"
        "  -y, --yes                  to what a command asks\n"
        "      --check-config         say whether the configuration is right, and what in it is "
        "odd\n"
        "      --print-config         a commented configuration with every option's default\n"
        "      --print-man            the man page's list of options\n"
        "  -h, --help\n"
        "      --version\n"
        "\n"
        "Prints the address it listens on as its first line of output.\n"
        "\n"
        "Options of the configuration (or of the environment, as TUTTI_HUB_SECTION_KEY):\n\n");
    options_print(&hub_settings_table, OPTIONS_HELP, print_line, NULL);
    printf("\nExit codes: 0 stopped or done, 1 failed, 2 wrong usage, 3 wrong configuration\n");
}

/* The configuration, then what the command line says instead; NULL: nothing. */
struct arguments {
    const char *config; /* NULL: the default one, if there is one */
    const char *data;
    const char *listen;
    const char *level;
    bool yes;
};

static bool override(struct hub_settings *settings, const char *section, const char *key,
                     const char *value, char *error)
{
    char problem[OPTIONS_ERROR_MAX];
    if (!value || options_set(&hub_settings_table, settings, section, key, value, problem))
        return true;
    snprintf(error, SETTINGS_FILE_ERROR_MAX, "command line: %s", problem);
    return false;
}

static bool load_password(struct hub_settings *settings, char *error)
{
    const char *path = settings->house.password_file;
    if (!path[0] ||
        session_file_read_secret(path, settings->house.password, sizeof settings->house.password))
        return true;
    snprintf(error, SETTINGS_FILE_ERROR_MAX, "[house] password_file: %s cannot be used", path);
    return false;
}

/* NULL: defaults and environment only. */
static const char *config_path(const struct arguments *arguments)
{
    if (arguments->config)
        return arguments->config;
    return access(DEFAULT_CONFIG, F_OK) == 0 ? DEFAULT_CONFIG : NULL;
}

static bool load(struct hub_settings *settings, const struct arguments *arguments, char *error)
{
    char problem[OPTIONS_ERROR_MAX];
    const char *path = config_path(arguments);
    memset(settings, 0, sizeof *settings);
    if (!options_file_load(&hub_settings_table, settings, path, error) ||
        !override(settings, "data", "directory", arguments->data, error) ||
        !override(settings, "server", "listen", arguments->listen, error) ||
        !override(settings, "log", "level", arguments->level, error))
        return false;
    if (hub_settings_check(settings, problem))
        return true;
    snprintf(error, SETTINGS_FILE_ERROR_MAX, "%s: %s", path ? path : "configuration", problem);
    return false;
}

static void print_warning(void *user, const char *line)
{
    (void)user;
    fprintf(stderr, "tutti-hub: warning: %s\n", line);
}

static void check(const struct hub_settings *settings, const char *path)
{
    hub_check_config(settings, path && strcmp(path, DEFAULT_CONFIG) == 0, print_warning, NULL);
    printf("%s: good\n", path ? path : "no configuration file, the defaults");
}

enum action {
    ACTION_RUN,
    ACTION_WORK, /* on the data, beside the service */
    ACTION_CHECK,
    ACTION_PRINTED, /* what was asked for, and that was all */
    ACTION_WRONG,
};

/* A credential of the unit's, and this is not the unit: only the service can say whether it is
 * right. */
static bool is_out_of_reach(const char *path)
{
    return !strchr(path, '/') && !getenv("CREDENTIALS_DIRECTORY") && access(path, F_OK) < 0;
}

static bool load_secrets(struct hub_settings *settings, enum action action, char *error)
{
    if (action == ACTION_WORK ||
        (action == ACTION_CHECK && is_out_of_reach(settings->house.password_file)))
        return true;
    return load_password(settings, error);
}

/* What a running hub is to go by from now on. */
static bool load_again(void *user, struct hub_settings *ret, char error[SETTINGS_FILE_ERROR_MAX])
{
    return load(ret, user, error) && load_secrets(ret, ACTION_RUN, error);
}

static enum action print_options(enum options_style style)
{
    options_print(&hub_settings_table, style, print_line, NULL);
    return ACTION_PRINTED;
}

static enum action take_arguments(int argc, char **argv, struct arguments *arguments)
{
    enum { LEVEL = 256, CHECK, PRINT, MAN, VERSION };
    static const struct option options[] = {
        {"config", required_argument, NULL, 'c'},
        {"data", required_argument, NULL, 'd'},
        {"listen", required_argument, NULL, 'l'},
        {"log-level", required_argument, NULL, LEVEL},
        {"check-config", no_argument, NULL, CHECK},
        {"print-config", no_argument, NULL, PRINT},
        {"print-man", no_argument, NULL, MAN},
        {"version", no_argument, NULL, VERSION},
        {"help", no_argument, NULL, 'h'},
        {"yes", no_argument, NULL, 'y'},
        {0},
    };
    enum action action = ACTION_RUN;
    int option;
    while ((option = getopt_long(argc, argv, "c:d:l:hy", options, NULL)) != -1) {
        switch (option) {
        case 'c':
            arguments->config = optarg;
            break;
        case 'd':
            arguments->data = optarg;
            break;
        case 'l':
            arguments->listen = optarg;
            break;
        case 'y':
            arguments->yes = true;
            break;
        case LEVEL:
            arguments->level = optarg;
            break;
        case CHECK:
            action = ACTION_CHECK;
            break;
        case PRINT:
            return print_options(OPTIONS_CONFIG);
        case MAN:
            return print_options(OPTIONS_MAN);
        case VERSION:
            printf("tutti-hub " TUTTI_VERSION "\n");
            return ACTION_PRINTED;
        case 'h':
            print_help();
            return ACTION_PRINTED;
        default:
            fprintf(stderr, "Try tutti-hub --help.\n");
            return ACTION_WRONG;
        }
    }
    return action;
}

int main(int argc, char **argv)
{
    static struct hub_settings settings;
    char error[SETTINGS_FILE_ERROR_MAX];
    struct arguments arguments = {0};
    enum action action = take_arguments(argc, argv, &arguments);
    if (action == ACTION_PRINTED)
        return EXIT_STOPPED;
    if (action == ACTION_WRONG)
        return EXIT_USAGE;
    /* A core dump would hold tokens and the password of the house, and so would the memory. */
    prctl(PR_SET_DUMPABLE, 0);
    if (action == ACTION_RUN && optind < argc)
        action = ACTION_WORK;
    if (!load(&settings, &arguments, error) || !load_secrets(&settings, action, error)) {
        fprintf(stderr, "tutti-hub: %s\n", error);
        return EXIT_CONFIG;
    }
    log_set_level((enum log_level)settings.log.level);
    log_add_secret(settings.house.password);
    if (action == ACTION_CHECK) {
        check(&settings, config_path(&arguments));
        return EXIT_STOPPED;
    }
    if (action == ACTION_WORK)
        return commands_run(&settings, arguments.yes, argc - optind, argv + optind);
    return run_hub(&settings, load_again, &arguments);
}
