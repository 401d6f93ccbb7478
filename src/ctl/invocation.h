/*
 * invocation.h: the words of the command line, told apart. Options may stand before and behind the
 * command; what follows "--" is never one.
 */
#ifndef TUTTI_CTL_INVOCATION_H
#define TUTTI_CTL_INVOCATION_H

#include <stdbool.h>
#include <stddef.h>

#define INVOCATION_SOCKET "/run/tutti/control.sock"
#define INVOCATION_WORDS_MAX 1024
#define INVOCATION_SPEAKERS_MAX 8
#define INVOCATION_PATH_MAX 128
#define INVOCATION_ROOMS_MAX 64

struct invocation {
    bool json, help, version;
    bool all;       /* rooms */
    int room_count; /* that are named instead */
    const char *rooms[INVOCATION_ROOMS_MAX];
    const char *command; /* NULL: none given */
    int argc;            /* what follows the command's name, options of all commands apart */
    char *argv[INVOCATION_WORDS_MAX];
    int speaker_count; /* at least 1 */
    char sockets[INVOCATION_SPEAKERS_MAX][INVOCATION_PATH_MAX];
};

/*
 * words: without the program's name. default_socket: NULL for the system's. False with a sentence
 * about what is wrong.
 */
bool invocation_parse(struct invocation *invocation, int count, char **words,
                      const char *default_socket, char *error, size_t size);

#endif
