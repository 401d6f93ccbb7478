/*
 * exit_code.h: as the man page lists them.
 */
#ifndef TUTTI_CTL_EXIT_CODE_H
#define TUTTI_CTL_EXIT_CODE_H

enum exit_code {
    EXIT_OK = 0,
    EXIT_REFUSED = 1, /* the daemon or the backend said no, or there is no such track, file, ... */
    EXIT_USAGE = 2,
    EXIT_UNREACHABLE = 3, /* no daemon, or none that answers */
};

#endif
