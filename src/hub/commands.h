/*
 * commands.h: tutti-hub session ... and backup: work on the database, beside a running hub or not.
 */
#ifndef TUTTI_HUB_COMMANDS_H
#define TUTTI_HUB_COMMANDS_H

/* words: "session", "list" ... The program's exit code: 0, 1 failed, 2 wrong usage. */
int commands_run(const char *data_directory, int count, char **words);

#endif
