/*
 * complete.h: what could stand where the cursor is, for the shell's completion.
 */
#ifndef TUTTI_CTL_COMPLETE_H
#define TUTTI_CTL_COMPLETE_H

#include <stdio.h>

/*
 * words: of the command line, without the program's name; the last is the one to be completed.
 * Writes candidates, a line each; "@file" where a file is wanted. Asks the daemon for tracks and
 * requests, but not for long, and is silent when there is none.
 */
void complete(FILE *out, int count, char **words, const char *default_socket);

#endif
