/*
 * commands.c: which command it is, and what all of them need.
 */
#include "commands_internal.h"
#include "owner.h"
#include "store_internal.h"
#include "tutti/base/text.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct {
    const char *name;
    int (*run)(const struct command_call *call);
} commands[] = {
    {"session", command_session}, {"media", command_media}, {"backup", command_backup},
    {"restore", command_restore}, {"check", command_check}, {"repair", command_repair},
};

int command_usage(const char *what)
{
    fprintf(stderr, "tutti-hub: %s\nTry tutti-hub --help.\n", what);
    return 2;
}

int command_failed(const char *what, const char *why)
{
    char plain[COMMAND_PATH_MAX];
    snprintf(plain, sizeof plain, "%s", what);
    text_defuse(plain, '?');
    fprintf(stderr, "tutti-hub: %s: %s\n", plain, why);
    return 1;
}

void command_print(const char *text)
{
    char plain[2 * COMMAND_PATH_MAX];
    snprintf(plain, sizeof plain, "%s", text);
    text_defuse(plain, '?');
    fputs(plain, stdout);
}

bool command_confirmed(const struct command_call *call, const char *question)
{
    char answer[16];
    if (call->yes)
        return true;
    command_print(question);
    printf(" [y/N] ");
    fflush(stdout);
    bool said_yes = fgets(answer, sizeof answer, stdin) && (answer[0] == 'y' || answer[0] == 'Y');
    if (!said_yes)
        printf("nothing was done; --yes answers this question\n");
    return said_yes;
}

bool command_find_session(struct store *store, const char *word, struct store_session *ret)
{
    char code[STORE_CODE_MAX];
    snprintf(code, sizeof code, "%s", word);
    for (char *c = code; *c; c++)
        if (*c >= 'a' && *c <= 'z')
            *c = (char)(*c - 'a' + 'A');
    int known = store_find_session_by_code(store, code, ret);
    if (known == 0)
        known = store_session(store, word, ret);
    if (known == 0)
        command_failed(word, "there is no session with this code or id");
    else if (known < 0)
        command_failed(word, "the database cannot be read");
    return known == 1;
}

struct store *command_open_store(const struct command_call *call)
{
    char path[COMMAND_PATH_MAX];
    snprintf(path, sizeof path, "%s/" STORE_FILE, call->directory);
    if (access(path, R_OK) == 0)
        return store_open(call->directory);
    command_failed(path, strerror(errno));
    return NULL;
}

int commands_run(const struct hub_settings *settings, bool yes, int count, char **words)
{
    const struct command_call call = {.settings = settings,
                                      .directory = settings->data.directory,
                                      .yes = yes,
                                      .count = count - 1,
                                      .words = words + 1};
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
        if (strcmp(words[0], commands[i].name) != 0)
            continue;
        int result = owner_enter(call.directory);
        if (result < 0)
            return command_failed(call.directory, strerror(-result));
        result = commands[i].run(&call);
        owner_leave();
        return result;
    }
    return command_usage("session, media, backup, restore, check and repair are all the commands "
                         "there are");
}
