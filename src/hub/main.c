/*
 * main.c: tutti-hub's command line.
 */
#include "server.h"
#include "tutti/base/log.h"

#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-daemon.h>

#define DEFAULT_DATA "/var/lib/tutti-hub"
#define DEFAULT_LISTEN "127.0.0.1:8700"
#define DEFAULT_PLAYLIST_ITEMS 1000
#define DEFAULT_TRACK_BYTES (INT64_C(100) * 1024 * 1024)

static volatile bool stop;
static struct server *server;

static void on_signal(int signal)
{
    (void)signal;
    stop = true;
    server_wake(server);
}

static void print_help(void)
{
    printf("Usage: tutti-hub [--data DIR] [--listen ADDRESS:PORT]\n"
           "\n"
           "A backend for a household of tutti speakers.\n"
           "\n"
           "  -d, --data DIR             database and tracks, default " DEFAULT_DATA "\n"
           "  -l, --listen ADDRESS:PORT  default " DEFAULT_LISTEN "; port 0: any free one\n"
           "      --log-level LEVEL      error, warn, info or debug\n"
           "  -h, --help\n"
           "      --version\n"
           "\n"
           "Prints the address it listens on as its first line of output.\n"
           "Exit codes: 0 stopped, 1 failed, 2 wrong usage\n");
}

static bool split_listen(const char *listen, char address[128], int *ret_port)
{
    const char *colon = strrchr(listen, ':');
    char *end;
    if (!colon || colon == listen || colon - listen >= 128)
        return false;
    snprintf(address, 128, "%.*s", (int)(colon - listen), listen);
    long port = strtol(colon + 1, &end, 10);
    if (end == colon + 1 || *end || port < 0 || port > 65535)
        return false;
    *ret_port = (int)port;
    return true;
}

static int run(const char *data, const char *address, int port)
{
    int result = 1;
    struct service service = {
        .limits = {DEFAULT_PLAYLIST_ITEMS, DEFAULT_TRACK_BYTES},
    };
    service.store = store_open(data);
    if (!service.store)
        return result;
    service.media = media_create(data);
    if (service.media)
        server = server_create(&(struct server_config){address, port}, &service);
    if (server) {
        struct sigaction action = {.sa_handler = on_signal};
        sigaction(SIGTERM, &action, NULL);
        sigaction(SIGINT, &action, NULL);
        signal(SIGPIPE, SIG_IGN);
        printf("listening on http://%s:%d\n", address, server_port(server));
        fflush(stdout);
        sd_notify(0, "READY=1");
        server_run(server, &stop);
        sd_notify(0, "STOPPING=1");
        result = 0;
    }
    server_destroy(server);
    media_destroy(service.media);
    store_close(service.store);
    return result;
}

int main(int argc, char **argv)
{
    enum { LEVEL = 256, VERSION };
    static const struct option options[] = {
        {"data", required_argument, NULL, 'd'},
        {"listen", required_argument, NULL, 'l'},
        {"log-level", required_argument, NULL, LEVEL},
        {"version", no_argument, NULL, VERSION},
        {"help", no_argument, NULL, 'h'},
        {0},
    };
    const char *data = DEFAULT_DATA, *listen = DEFAULT_LISTEN;
    char address[128];
    enum log_level level = LOG_INFO;
    int option, port;
    while ((option = getopt_long(argc, argv, "d:l:h", options, NULL)) != -1) {
        switch (option) {
        case 'd':
            data = optarg;
            break;
        case 'l':
            listen = optarg;
            break;
        case LEVEL:
            if (log_level_parse(optarg, &level))
                break;
            fprintf(stderr, "tutti-hub: --log-level takes error, warn, info or debug\n");
            return 2;
        case VERSION:
            printf("tutti-hub " TUTTI_VERSION "\n");
            return 0;
        case 'h':
            print_help();
            return 0;
        default:
            fprintf(stderr, "Try tutti-hub --help.\n");
            return 2;
        }
    }
    if (optind < argc || !split_listen(listen, address, &port)) {
        fprintf(stderr, "tutti-hub: --listen takes ADDRESS:PORT\nTry tutti-hub --help.\n");
        return 2;
    }
    log_set_level(level);
    return run(data, address, port);
}
