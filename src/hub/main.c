/*
 * main.c: tutti-hub's command line.
 */
#include "commands.h"
#include "hub_settings.h"
#include "server.h"
#include "tutti/base/log.h"
#include "tutti/io/notify.h"
#include "tutti/io/session_file.h"
#include "tutti/io/settings_file.h"

#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#define DEFAULT_CONFIG "/etc/tutti/tutti-hub.conf"
#define MB (INT64_C(1024) * 1024)

enum {
    EXIT_STOPPED = 0,
    EXIT_FAILED = 1,
    EXIT_USAGE = 2,
    EXIT_CONFIG = 3,
};

static volatile bool stop;
static struct server *server;

static void on_signal(int signal)
{
    (void)signal;
    stop = true;
    server_wake(server);
}

static void print_line(void *user, const char *line)
{
    (void)user;
    puts(line);
}

static void print_help(void)
{
    printf("Usage: tutti-hub [--config FILE] [--data DIR] [--listen ADDRESS:PORT]\n"
           "       tutti-hub [--config FILE] --check-config | --print-config\n"
           "       tutti-hub [--config FILE] [--data DIR] session list | show CODE | delete CODE\n"
           "       tutti-hub [--config FILE] [--data DIR] backup FILE\n"
           "\n"
           "A backend for a household of tutti speakers.\n"
           "\n"
           "  -c, --config FILE          default " DEFAULT_CONFIG ", if there is one\n"
           "  -d, --data DIR             instead of [data] directory\n"
           "  -l, --listen ADDRESS:PORT  instead of [server] listen\n"
           "      --log-level LEVEL      instead of [log] level\n"
           "      --check-config         say whether the configuration is right, and stop\n"
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

static void serve(const struct hub_settings *settings, const struct service *service,
                  const char *address)
{
    struct sigaction action = {.sa_handler = on_signal};
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGINT, &action, NULL);
    signal(SIGPIPE, SIG_IGN);
    printf("listening on %s://%s%s%s:%d\n", settings->server.tls_certificate[0] ? "https" : "http",
           strchr(address, ':') ? "[" : "", address, strchr(address, ':') ? "]" : "",
           server_port(server));
    fflush(stdout);
    log_info("tutti-hub " TUTTI_VERSION ": %lld sessions in %s, listening on port %d of %s%s",
             (long long)store_session_count(service->store), settings->data.directory,
             server_port(server), address, settings->server.tls_certificate[0] ? ", TLS" : "");
    if (strcmp(address, "127.0.0.1") != 0 && strcmp(address, "::1") != 0 &&
        !settings->house.password[0])
        log_info(
            "the house has no password: whoever reaches this address may be host of a session");
    notify_ready();
    server_run(server, &stop);
    notify_stopping();
}

static bool open_service(struct service *service, const struct hub_settings *settings)
{
    const struct media_limits media_limits = {
        .track_bytes = settings->limits.track_mb * MB,
        .disk_bytes = settings->limits.disk_mb * MB,
        .free_bytes = settings->limits.disk_free_mb * MB,
    };
    service->limits = (struct service_limits){
        .sessions = settings->limits.sessions,
        .members = settings->limits.members,
        .playlist_items = settings->limits.playlist_items,
        .pending_requests = settings->limits.pending_requests,
        .requests_per_minute = settings->limits.requests_per_minute,
        .failures_per_minute = settings->limits.failures_per_minute,
    };
    service->house_password = settings->house.password;
    service->store = store_open(settings->data.directory);
    if (!service->store)
        return false;
    store_stay_swift(service->store);
    service->media = media_create(settings->data.directory, &media_limits);
    if (!service->media)
        return false;
    service_sweep(service);
    return true;
}

static struct server *open_server(struct service *service, const struct hub_settings *settings,
                                  const char *address, int port)
{
    return server_create(
        &(struct server_config){
            .address = address,
            .port = port,
            .tls_certificate = settings->server.tls_certificate,
            .tls_key = settings->server.tls_key,
            .connections = (unsigned)settings->server.connections,
            .frame_bytes = (size_t)settings->limits.frame_kb * 1024,
            .queue_bytes = (size_t)settings->limits.queue_kb * 1024,
            .messages_per_second = (double)settings->limits.messages_per_second,
        },
        service);
}

static int run(const struct hub_settings *settings)
{
    static struct service service;
    char address[128];
    int port;
    hub_settings_split_listen(settings->server.listen, address, &port);
    if (open_service(&service, settings))
        server = open_server(&service, settings, address, port);
    if (server)
        serve(settings, &service, address);
    int result = server ? EXIT_STOPPED : EXIT_FAILED;
    server_destroy(server);
    media_destroy(service.media);
    store_close(service.store);
    return result;
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

static enum action print_options(enum options_style style)
{
    options_print(&hub_settings_table, style, print_line, NULL);
    return ACTION_PRINTED;
}

static enum action take_arguments(int argc, char **argv, struct arguments *arguments)
{
    enum { LEVEL = 256, CHECK, PRINT, MAN, VERSION };
    static const struct option options[] = {
        {"config", required_argument, NULL, 'c'},   {"data", required_argument, NULL, 'd'},
        {"listen", required_argument, NULL, 'l'},   {"log-level", required_argument, NULL, LEVEL},
        {"check-config", no_argument, NULL, CHECK}, {"print-config", no_argument, NULL, PRINT},
        {"print-man", no_argument, NULL, MAN},      {"version", no_argument, NULL, VERSION},
        {"help", no_argument, NULL, 'h'},           {0},
    };
    enum action action = ACTION_RUN;
    int option;
    while ((option = getopt_long(argc, argv, "c:d:l:h", options, NULL)) != -1) {
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
        const char *path = config_path(&arguments);
        printf("%s: good\n", path ? path : "no configuration file, the defaults");
        return EXIT_STOPPED;
    }
    if (action == ACTION_WORK)
        return commands_run(settings.data.directory, argc - optind, argv + optind);
    return run(&settings);
}
