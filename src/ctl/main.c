/*
 * main.c: tuttictl: a table of commands, each of which becomes one request to the daemon.
 */
#include "client.h"
#include "format.h"

#include <getopt.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DEFAULT_SOCKET "/run/tutti/control.sock"
#define TIMEOUT_S 20

/* As the man page lists them. */
enum exit_code {
    EXIT_OK = 0,
    EXIT_REFUSED = 1, /* the daemon or the backend said no */
    EXIT_USAGE = 2,
    EXIT_UNREACHABLE = 3, /* no daemon */
};

struct invocation {
    int argc; /* what follows the command's name */
    char **argv;
};

/* Fills the request; false when the arguments are wrong. */
typedef bool build_request(const struct invocation *call, cJSON *request);

static bool no_arguments(const struct invocation *call, cJSON *request)
{
    (void)request;
    return call->argc == 0;
}

static bool build_play(const struct invocation *call, cJSON *request)
{
    for (int i = 0; i < call->argc; i++) {
        double ms;
        if (strcmp(call->argv[i], "--at") == 0) {
            if (++i == call->argc || !format_parse_time(call->argv[i], &ms))
                return false;
            cJSON_AddNumberToObject(request, "position_ms", ms);
        } else if (!cJSON_HasObjectItem(request, "track_id")) {
            cJSON_AddStringToObject(request, "track_id", call->argv[i]);
        } else {
            return false;
        }
    }
    return true;
}

static bool build_seek(const struct invocation *call, cJSON *request)
{
    double ms;
    if (call->argc != 1)
        return false;
    const char *to = call->argv[0];
    bool relative = *to == '+' || *to == '-';
    if (!format_parse_time(relative ? to + 1 : to, &ms))
        return false;
    cJSON_AddNumberToObject(request, relative ? "by_ms" : "position_ms", *to == '-' ? -ms : ms);
    return true;
}

static bool parse_number(const char *text, double *ret)
{
    char *end;
    *ret = strtod(text, &end);
    return end != text && *end == '\0' && isfinite(*ret);
}

static bool build_volume(const struct invocation *call, cJSON *request)
{
    double number;
    if (call->argc == 0)
        return cJSON_AddNumberToObject(request, "by", 0) != NULL;
    if (call->argc != 1 || !parse_number(call->argv[0], &number))
        return false;
    bool relative = call->argv[0][0] == '+' || call->argv[0][0] == '-';
    cJSON_AddNumberToObject(request, relative ? "by" : "percent", number);
    return true;
}

static bool build_mute(const struct invocation *call, cJSON *request)
{
    if (call->argc == 0)
        return true;
    if (call->argc != 1 || (strcmp(call->argv[0], "on") != 0 && strcmp(call->argv[0], "off") != 0))
        return false;
    cJSON_AddBoolToObject(request, "on", strcmp(call->argv[0], "on") == 0);
    return true;
}

static bool build_latency(const struct invocation *call, cJSON *request)
{
    double number;
    if (call->argc == 0)
        return true;
    if (call->argc != 1 || !parse_number(call->argv[0], &number))
        return false;
    cJSON_AddNumberToObject(request, "ms", number);
    return true;
}

static bool build_log_level(const struct invocation *call, cJSON *request)
{
    if (call->argc > 1)
        return false;
    if (call->argc == 1)
        cJSON_AddStringToObject(request, "level", call->argv[0]);
    return true;
}

static void print_confirmed(const cJSON *answer)
{
    const cJSON *took = cJSON_GetObjectItemCaseSensitive(answer, "took_ms");
    printf("confirmed in %.0f ms\n", cJSON_IsNumber(took) ? took->valuedouble : 0);
}

static void print_status(const cJSON *answer)
{
    format_status(cJSON_GetObjectItemCaseSensitive(answer, "status"));
}

static void print_playlist(const cJSON *answer)
{
    format_playlist(cJSON_GetObjectItemCaseSensitive(answer, "playlist"));
}

static void print_requests(const cJSON *answer)
{
    format_requests(cJSON_GetObjectItemCaseSensitive(answer, "requests"));
}

static void print_volume(const cJSON *answer)
{
    const cJSON *volume = cJSON_GetObjectItemCaseSensitive(answer, "volume");
    printf("volume %.0f %%\n", cJSON_IsNumber(volume) ? volume->valuedouble : NAN);
}

static void print_muted(const cJSON *answer)
{
    bool muted = cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(answer, "muted"));
    printf("%s\n", muted ? "muted" : "not muted");
}

static void print_latency(const cJSON *answer)
{
    const cJSON *ms = cJSON_GetObjectItemCaseSensitive(answer, "latency_ms");
    printf("latency %.1f ms\n", cJSON_IsNumber(ms) ? ms->valuedouble : NAN);
}

static void print_level(const cJSON *answer)
{
    printf("%s\n", cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(answer, "level")));
}

static const struct command {
    const char *name;
    const char *arguments;
    const char *help;
    build_request *build;
    void (*print)(const cJSON *answer);
    const char *result; /* the member that --json prints; NULL: the whole answer */
} commands[] = {
    {"status", "", "What this speaker does, and how well", no_arguments, print_status, "status"},
    {"play", "[TRACK] [--at M:SS]", "Play, or go on (host)", build_play, print_confirmed, NULL},
    {"pause", "", "Pause everywhere (host)", no_arguments, print_confirmed, NULL},
    {"seek", "M:SS | +S | -S", "Go to a position (host)", build_seek, print_confirmed, NULL},
    {"next", "", "Skip to the next track (host)", no_arguments, print_confirmed, NULL},
    {"prev", "", "Skip to the one before (host)", no_arguments, print_confirmed, NULL},
    {"playlist", "", "List the session's tracks", no_arguments, print_playlist, "playlist"},
    {"requests", "", "List what guests asked for", no_arguments, print_requests, "requests"},
    {"volume", "[N | +N | -N]", "Show or set this speaker's volume in percent", build_volume,
     print_volume, NULL},
    {"mute", "[on | off]", "Mute this speaker, or not", build_mute, print_muted, NULL},
    {"latency", "[MS]", "Show or set how late this speaker's sound is", build_latency,
     print_latency, NULL},
    {"log-level", "[LEVEL]", "Show or set what the daemon logs", build_log_level, print_level,
     NULL},
};

#define COMMAND_COUNT (sizeof commands / sizeof *commands)

static void print_help(void)
{
    printf("Usage: tuttictl [--socket PATH] [--json] COMMAND [ARGUMENT...]\n\n");
    for (size_t i = 0; i < COMMAND_COUNT; i++) {
        char usage[40];
        snprintf(usage, sizeof usage, "%s %s", commands[i].name, commands[i].arguments);
        printf("  %-26s %s\n", usage, commands[i].help);
    }
    printf("\n"
           "  -s, --socket PATH  default " DEFAULT_SOCKET "\n"
           "      --json         print the answer as JSON\n"
           "  -h, --help\n"
           "      --version\n"
           "\n"
           "Exit codes: 0 done, 1 refused, 2 wrong usage, 3 no daemon\n");
}

/* Levenshtein's distance; names are short. */
static size_t distance(const char *a, const char *b)
{
    size_t row[32], length = strlen(b);
    if (length >= 31)
        return length;
    for (size_t j = 0; j <= length; j++)
        row[j] = j;
    for (size_t i = 0; a[i]; i++) {
        size_t diagonal = row[0];
        row[0] = i + 1;
        for (size_t j = 0; j < length; j++) {
            size_t best = diagonal + (a[i] != b[j]);
            diagonal = row[j + 1];
            if (row[j + 1] + 1 < best)
                best = row[j + 1] + 1;
            if (row[j] + 1 < best)
                best = row[j] + 1;
            row[j + 1] = best;
        }
    }
    return row[length];
}

static const struct command *find_command(const char *name)
{
    const struct command *nearest = &commands[0];
    for (size_t i = 0; i < COMMAND_COUNT; i++) {
        if (strcmp(commands[i].name, name) == 0)
            return &commands[i];
        if (distance(commands[i].name, name) < distance(nearest->name, name))
            nearest = &commands[i];
    }
    fprintf(stderr, "tuttictl: there is no command %s; did you mean %s?\n", name, nearest->name);
    return NULL;
}

static void print_json(const struct command *command, const cJSON *answer)
{
    const cJSON *shown =
        command->result ? cJSON_GetObjectItemCaseSensitive(answer, command->result) : answer;
    char *text = cJSON_Print(shown);
    if (text)
        printf("%s\n", text);
    free(text);
}

static int run(const struct command *command, const struct invocation *call, const char *socket,
               bool json)
{
    cJSON *request = cJSON_CreateObject();
    cJSON_AddStringToObject(request, "cmd", command->name);
    if (!command->build(call, request)) {
        cJSON_Delete(request);
        fprintf(stderr, "Usage: tuttictl %s %s\n", command->name, command->arguments);
        return EXIT_USAGE;
    }
    int fd = client_connect(socket);
    cJSON *answer = fd >= 0 ? client_ask(fd, request, TIMEOUT_S) : NULL;
    if (fd < 0)
        cJSON_Delete(request);
    if (!answer)
        return EXIT_UNREACHABLE;
    int result = EXIT_OK;
    if (!cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(answer, "ok"))) {
        const char *error = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(answer, "error"));
        fprintf(stderr, "tuttictl: %s\n", error ? error : "refused");
        result = EXIT_REFUSED;
    } else if (json) {
        print_json(command, answer);
    } else {
        command->print(answer);
    }
    cJSON_Delete(answer);
    return result;
}

int main(int argc, char **argv)
{
    enum { JSON = 256, VERSION };
    static const struct option options[] = {
        {"socket", required_argument, NULL, 's'},
        {"json", no_argument, NULL, JSON},
        {"version", no_argument, NULL, VERSION},
        {"help", no_argument, NULL, 'h'},
        {0},
    };
    const char *socket = getenv("TUTTI_CONTROL_SOCKET");
    bool json = false;
    int option;
    if (!socket)
        socket = DEFAULT_SOCKET;
    while ((option = getopt_long(argc, argv, "+s:h", options, NULL)) != -1) {
        switch (option) {
        case 's':
            socket = optarg;
            break;
        case JSON:
            json = true;
            break;
        case VERSION:
            printf("tuttictl " TUTTI_VERSION "\n");
            return EXIT_OK;
        case 'h':
            print_help();
            return EXIT_OK;
        default:
            fprintf(stderr, "Try tuttictl --help.\n");
            return EXIT_USAGE;
        }
    }
    if (optind == argc) {
        print_help();
        return EXIT_USAGE;
    }
    const struct command *command = find_command(argv[optind]);
    if (!command)
        return EXIT_USAGE;
    struct invocation call = {argc - optind - 1, argv + optind + 1};
    return run(command, &call, socket, json);
}
