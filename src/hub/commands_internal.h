/*
 * commands_internal.h: shared by the files of the commands.
 */
#ifndef TUTTI_HUB_COMMANDS_INTERNAL_H
#define TUTTI_HUB_COMMANDS_INTERNAL_H

#include "commands.h"
#include "store.h"

#define COMMAND_PATH_MAX 1024

struct command_call {
    const struct hub_settings *settings;
    const char *directory;
    bool yes;
    int count; /* of the words that follow the command */
    char **words;
};

/* --- commands.c --- */

int command_usage(const char *what);
int command_failed(const char *what, const char *why);
/* Texts that others have chosen do not get to steer the terminal. */
void command_print(const char *text);
/* "y" from the terminal, or --yes. */
bool command_confirmed(const struct command_call *call, const char *question);
/* By its code, in either case, or its id. False after a line why not. */
bool command_find_session(struct store *store, const char *word, struct store_session *ret);
/* NULL after a line why not. */
struct store *command_open_store(const struct command_call *call);

/* --- link_command.c --- */

int command_session_link(const struct command_call *call, struct store *store,
                         const struct store_session *session);

/* --- session_commands.c, media_commands.c, database_commands.c --- */

int command_session(const struct command_call *call);
int command_media(const struct command_call *call);
int command_backup(const struct command_call *call);
int command_restore(const struct command_call *call);
int command_check(const struct command_call *call);
int command_repair(const struct command_call *call);

/* --- repair.c --- */

/* What can still be read of one database into another, which is new. 0, or -errno; says how much.
 */
int repair_salvage(const char *from, const char *to);

#endif
