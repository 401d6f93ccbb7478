/*
 * helper_process.h: tutti-decode as a process: how it is started, what ended it, how it is gone.
 */
#ifndef TUTTI_CODECS_HELPER_PROCESS_H
#define TUTTI_CODECS_HELPER_PROCESS_H

#include "tutti/codecs/helper.h"

#include <sys/types.h>

struct helper_process {
    pid_t pid;  /* 0: none */
    int socket; /* -1: none; ours, never waits */
};

/* False: error has a line. file_fd is handed over as a descriptor for reading only. */
bool helper_process_start(struct helper_process *process, int file_fd, bool is_mp3, char *error);

/* The same without a file: they come over the socket. */
bool helper_process_start_for_files(struct helper_process *process, char *error);

/* Killed, and not waited for: what the kernel still has of it is collected later. */
void helper_process_kill(struct helper_process *process);

/* After its socket has ended. False: it is not known yet why. True: to[HELPER_ERROR_MAX] tells. */
bool helper_process_why(struct helper_process *process, char *to);

#endif
