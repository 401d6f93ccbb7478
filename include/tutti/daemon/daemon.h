/*
 * daemon.h: one speaker: the wiring of link, library, player and control socket.
 */
#ifndef TUTTI_DAEMON_DAEMON_H
#define TUTTI_DAEMON_DAEMON_H

#include "tutti/core/settings.h"

/* Exit codes of tuttid, as its man page lists them. */
enum daemon_exit {
    DAEMON_EXIT_OK = 0,
    DAEMON_EXIT_FAILED = 1, /* could not be set up: memory, control socket, token file */
    DAEMON_EXIT_USAGE = 2,  /* the command line */
    DAEMON_EXIT_CONFIG = 3, /* the configuration */
};

/* Runs until SIGTERM or SIGINT. config_path: read again on SIGHUP. */
enum daemon_exit daemon_run(struct settings *settings, const char *config_path);

#endif
