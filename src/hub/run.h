/*
 * run.h: the service, from its start to its end.
 */
#ifndef TUTTI_HUB_RUN_H
#define TUTTI_HUB_RUN_H

#include "hub_settings.h"
#include "tutti/io/settings_file.h"

#include <stdbool.h>

/*
 * Serves until SIGTERM or SIGINT. load: what SIGHUP has read again; false with a line why not, and
 * then all stays as it was. settings: become the hub's. The program's exit code.
 */
int run_hub(struct hub_settings *settings,
            bool (*load)(void *user, struct hub_settings *ret, char error[SETTINGS_FILE_ERROR_MAX]),
            void *user);

#endif
