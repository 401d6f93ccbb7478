/*
 * main.c: tuttictl: finds the command, asks the daemon, shows the answer.
 */
#include "add.h"
#include "client.h"
#include "command.h"
#include "complete.h"
#include "exit_code.h"
#include "invocation.h"
#include "members.h"
#include "rooms.h"
#include "speakers_watch.h"
#include "text.h"
#include "watch.h"

#include <stdlib.h>
#include <string.h>

/* A host's command is confirmed, repeated or given up within some seconds. */
#define PATIENCE_S 20

static bool is_ok(const cJSON *answer)
{
    if (member_is_true(answer, "ok"))
        return true;
    const char *error = member_text(answer, "error");
    complain("%s", *error ? error : "refused");
    return false;
}

static cJSON *ask(struct client *client, const char *cmd)
{
    cJSON *request = cJSON_CreateObject();
    cJSON_AddStringToObject(request, "cmd", cmd);
    return client_ask(client, request, -1, PATIENCE_S, NULL, NULL);
}

static const char *needed(const struct command *command, const struct order_call *call)
{
    if (rooms_are_named(call))
        return "speakers";
    if (!command->needs || call->argc == 0)
        return NULL;
    return command->needs & COMMAND_NEEDS_PLAYLIST   ? "playlist"
           : command->needs & COMMAND_NEEDS_SPEAKERS ? "speakers"
                                                     : "requests";
}

/* What the command needs to know before its request can be made. */
static enum exit_code look_up(struct client *client, const struct command *command,
                              const struct order_call *call, cJSON **ret_known)
{
    const char *what = needed(command, call);
    *ret_known = NULL;
    if (!what)
        return EXIT_OK;
    *ret_known = ask(client, what);
    if (!*ret_known)
        return EXIT_UNREACHABLE;
    return is_ok(*ret_known) ? EXIT_OK : EXIT_REFUSED;
}

static enum exit_code wrong_order(const struct command *command, const struct order *order)
{
    if (*order->error) {
        complain("%s", order->error);
        return EXIT_REFUSED;
    }
    command_print_usage(stderr, command);
    return EXIT_USAGE;
}

static enum exit_code show_rooms(const struct command *command, const struct print_context *context,
                                 cJSON *answer, bool json)
{
    struct paper paper = paper_stdout();
    rooms_pick(context->call, answer);
    if (json)
        paper_json(stdout, member(answer, "speakers"));
    else
        command->rooms_print(&paper, answer, context);
    return rooms_complain(context->call, answer) ? EXIT_OK : EXIT_REFUSED;
}

static enum exit_code show(const struct command *command, const struct print_context *context,
                           cJSON *answer, bool json)
{
    struct paper paper = paper_stdout();
    if (!is_ok(answer))
        return EXIT_REFUSED;
    if (rooms_are_named(context->call))
        return show_rooms(command, context, answer, json);
    const cJSON *result = command->result ? member(answer, command->result) : NULL;
    if (json)
        paper_json(stdout, result ? result : answer);
    else
        command->print(&paper, answer, context);
    return EXIT_OK;
}

static enum exit_code ask_and_show(struct client *client, const struct command *command,
                                   struct order_call *call, bool json)
{
    cJSON *known, *answer = NULL;
    struct order order = {0};
    enum exit_code result = look_up(client, command, call, &known);
    if (result == EXIT_OK) {
        call->playlist = member(known, "playlist");
        call->requests = member(known, "requests");
        call->speakers = member(known, "speakers");
        order.request = cJSON_CreateObject();
        cJSON_AddStringToObject(order.request, "cmd", command->name);
        order_build *build = rooms_are_named(call) ? command->rooms_build : command->build;
        if (build(call, &order)) {
            answer = client_ask(client, order.request, -1, PATIENCE_S, NULL, NULL);
            struct print_context context = {call, order.subject, client->answered_ms,
                                            command->done};
            result = answer ? show(command, &context, answer, json) : EXIT_UNREACHABLE;
        } else {
            cJSON_Delete(order.request);
            result = wrong_order(command, &order);
        }
    }
    cJSON_Delete(answer);
    cJSON_Delete(known);
    return result;
}

static enum exit_code run(const struct command *command, struct invocation *invocation)
{
    struct order_call call = {.argc = invocation->argc,
                              .argv = invocation->argv,
                              .rooms = invocation->rooms,
                              .room_count = invocation->room_count,
                              .all = invocation->all};
    if (call.argc < command->least || call.argc > command->most) {
        command_print_usage(stderr, command);
        return EXIT_USAGE;
    }
    if (rooms_are_named(&call) && (!command->rooms_build || (call.all && call.room_count > 0))) {
        complain(command->rooms_build
                     ? "--room and --all do not go together"
                     : "only volume, mute, latency, identify and clicks take --room and --all");
        return EXIT_USAGE;
    }
    if (command->kind == COMMAND_WATCHES)
        return watch(invocation);
    if (command->build == order_speakers && call.argc == 1 && strcmp(call.argv[0], "--watch") == 0)
        return speakers_watch(invocation);
    struct client client;
    struct paper paper = paper_stdout();
    int error = client_open(&client, invocation->sockets[0]);
    enum exit_code result = EXIT_UNREACHABLE;
    if (error < 0) {
        client_explain(invocation->sockets[0], error);
    } else if (command->file && call.argc == 1 && list_file_is_meant(call.argv[0])) {
        result = command->file(&client, call.argv[0], invocation->json, &paper);
    } else if (command->kind == COMMAND_ADDS) {
        result = add_tracks(&client, call.argc, call.argv, invocation->json, &paper);
        if (result == EXIT_USAGE)
            command_print_usage(stderr, command);
    } else {
        result = ask_and_show(&client, command, &call, invocation->json);
    }
    client_close(&client);
    return result;
}

/* `tuttictl help COMMAND` is `tuttictl COMMAND --help`. */
static void take_help(struct invocation *invocation)
{
    if (!invocation->command || strcmp(invocation->command, "help") != 0 || invocation->argc > 1)
        return;
    invocation->help = true;
    invocation->command = invocation->argc == 1 ? invocation->argv[0] : NULL;
    invocation->argc = 0;
}

static enum exit_code run_named(struct invocation *invocation)
{
    const struct command *command = command_find(invocation->command);
    if (!command) {
        complain("there is no command %s; did you mean %s?", invocation->command,
                 command_nearest(invocation->command)->name);
        return EXIT_USAGE;
    }
    if (invocation->help) {
        command_print_usage(stdout, command);
        printf("%s\n", command->help);
        return EXIT_OK;
    }
    if (invocation->speaker_count > 1 && command->kind != COMMAND_WATCHES) {
        complain("only watch takes more than one speaker");
        return EXIT_USAGE;
    }
    return run(command, invocation);
}

int main(int argc, char **argv)
{
    const char *default_socket = getenv("TUTTI_CONTROL_SOCKET");
    struct invocation invocation = {0};
    char error[256];
    text_use_utf8();
    if (argc > 1 && strcmp(argv[1], "--complete") == 0) {
        complete(stdout, argc - 2, argv + 2, default_socket);
        return EXIT_OK;
    }
    if (!invocation_parse(&invocation, argc - 1, argv + 1, default_socket, error, sizeof error)) {
        complain("%s", error);
        return EXIT_USAGE;
    }
    if (invocation.version) {
        printf("tuttictl " TUTTI_VERSION "\n");
        return EXIT_OK;
    }
    take_help(&invocation);
    if (invocation.command)
        return run_named(&invocation);
    command_print_help(invocation.help ? stdout : stderr);
    return invocation.help ? EXIT_OK : EXIT_USAGE;
}
