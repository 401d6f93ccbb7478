/*
 * commands.h: what people do with a hub's data from a shell, beside a running hub or without one.
 */
#ifndef TUTTI_HUB_COMMANDS_H
#define TUTTI_HUB_COMMANDS_H

#include "hub_settings.h"

#include <stdbool.h>

/* words: "session", "list" ... yes: questions are answered by it. The program's exit code: 0, 1
 * failed, 2 wrong usage. Root works as the directory's owner. */
int commands_run(const struct hub_settings *settings, bool yes, int count, char **words);

#endif
