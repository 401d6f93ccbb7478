/*
 * complete.c: see complete.h. The table of commands says what is wanted where.
 */
#include "complete.h"

#include "client.h"
#include "command.h"
#include "invocation.h"
#include "members.h"
#include "text.h"

#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>

/* A person at the keyboard waits: longer would be felt. */
#define ASKING_LIMIT_MS 300

static void offer(FILE *out, const char *candidate, const char *begun)
{
    if (*candidate && text_is_clean(candidate) && text_begins(candidate, begun))
        fprintf(out, "%s\n", candidate);
}

static void offer_words(FILE *out, const char *words, const char *begun)
{
    char word[32];
    int length;
    for (; sscanf(words, " %31s%n", word, &length) == 1; words += length)
        offer(out, word, begun);
}

/* One command's answer, or NULL, in silence. */
static cJSON *ask(const char *socket, const char *cmd)
{
    struct client client;
    struct timeval limit = {.tv_usec = ASKING_LIMIT_MS * 1000};
    cJSON *answer = NULL;
    if (client_open(&client, socket) == 0) {
        setsockopt(client.fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
        cJSON *request = cJSON_CreateObject();
        cJSON_AddStringToObject(request, "cmd", cmd);
        char *line = NULL;
        if (client_send(&client, request, -1) > 0)
            while (!(line = lines_next(&client.in)) && lines_fill(&client.in, client.fd) > 0)
                ;
        answer = line ? cJSON_Parse(line) : NULL;
    }
    client_close(&client);
    return answer;
}

/* By its name, as people know it, where that begins as the word does and is no other's; else by id.
 */
static void offer_item(FILE *out, const cJSON *playlist, const cJSON *item, const char *begun)
{
    char error[LOOKUP_ERROR_MAX];
    const char *name = member_text(item, "name");
    if (text_is_clean(name) && text_begins(name, begun) &&
        lookup_item(playlist, name, LOOKUP_ITEM, error) == item)
        offer(out, name, begun);
    else
        offer(out, member_text(item, "track_id"), begun);
}

static void offer_items(FILE *out, const char *socket, const char *begun)
{
    cJSON *answer = ask(socket, "playlist");
    const cJSON *item, *playlist = member(answer, "playlist");
    cJSON_ArrayForEach(item, playlist)
    {
        offer_item(out, playlist, item, begun);
    }
    cJSON_Delete(answer);
}

static void offer_requests(FILE *out, const char *socket, const char *begun)
{
    cJSON *answer = ask(socket, "requests");
    const cJSON *request, *requests = member(answer, "requests");
    cJSON_ArrayForEach(request, requests)
    {
        if (strcmp(member_text(request, "status"), "pending") == 0)
            offer(out, member_text(request, "id"), begun);
    }
    cJSON_Delete(answer);
}

static void offer_speakers(FILE *out, const char *socket, const char *begun)
{
    cJSON *answer = ask(socket, "speakers");
    const cJSON *speaker, *speakers = member(answer, "speakers");
    cJSON_ArrayForEach(speaker, speakers)
    {
        offer(out, member_text(speaker, "name"), begun);
    }
    cJSON_Delete(answer);
}

static void offer_arguments(FILE *out, const struct command *command,
                            const struct invocation *before, const char *begun)
{
    int at = before->argc < COMMAND_WORDS_MAX ? before->argc : COMMAND_WORDS_MAX - 1;
    const char *words = command->words[at] ? command->words[at] : "";
    if (before->argc >= COMMAND_WORDS_MAX && strcmp(words, "@file") != 0)
        words = "";
    if (strcmp(words, "@item") == 0)
        offer_items(out, before->sockets[0], begun);
    else if (strcmp(words, "@request") == 0)
        offer_requests(out, before->sockets[0], begun);
    else if (strcmp(words, "@speaker") == 0)
        offer_speakers(out, before->sockets[0], begun);
    else if (strcmp(words, "@file") == 0)
        fputs("@file\n", out);
    else
        offer_words(out, words, begun);
}

static void offer_commands(FILE *out, const char *begun)
{
    for (size_t i = 0; i < command_count; i++)
        offer(out, commands[i].name, begun);
}

static bool is_one_of(const char *word, const char *words)
{
    const char *at = word[0] == '-' ? strstr(words, word) : NULL;
    return at && (at == words || at[-1] == ' ') && strchr(" ", at[strlen(word)]);
}

void complete(FILE *out, int count, char **words, const char *default_socket)
{
    static const char *const options = "--instance --socket --room --all --json --help --version";
    struct invocation before = {0};
    char error[256];
    const char *begun = count > 0 ? words[count - 1] : "";
    const char *last = count > 1 ? words[count - 2] : "";
    if (strcmp(last, "--socket") == 0 || strcmp(last, "-s") == 0) {
        fputs("@file\n", out);
        return;
    }
    if (strcmp(last, "--room") == 0 &&
        invocation_parse(&before, count - 2, words, default_socket, error, sizeof error)) {
        offer_speakers(out, before.sockets[0], begun);
        return;
    }
    if (!invocation_parse(&before, count > 0 ? count - 1 : 0, words, default_socket, error,
                          sizeof error))
        return;
    const struct command *command = before.command ? command_find(before.command) : NULL;
    if (begun[0] == '-')
        offer_words(out, options, begun);
    if (begun[0] == '-' && command && command->options)
        offer_words(out, command->options, begun);
    else if (!before.command)
        offer_commands(out, begun);
    else if (command && begun[0] != '-' && !(command->options && is_one_of(last, command->options)))
        offer_arguments(out, command, &before, begun);
}
