/*
 * add.h: adds tracks: of the library, or files, which are uploaded. Each of these is opened here,
 * with the person's rights, and its descriptor handed to the daemon, which has the token. On a
 * terminal a bar shows how far it is.
 */
#ifndef TUTTI_CTL_ADD_H
#define TUTTI_CTL_ADD_H

#include "client.h"
#include "exit_code.h"
#include "paper.h"

/*
 * argv: FILE... and --name NAME, which goes with one file only; or -r FOLDER, for all that is in it;
 * or else what library_add() takes. One after the other; a file that is refused does not keep the
 * next from its turn. What went wrong is on standard error; EXIT_USAGE before anything was done.
 */
enum exit_code add_tracks(struct client *client, int argc, char *const *argv, bool json,
                          const struct paper *paper);

/* Of a file that is one, and not empty, to read: a descriptor, or -1 after a line on standard error. */
int add_open_file(const char *path);

/* "music/Harbour.mp3" -> "Harbour", harmless. */
void add_name_of(const char *path, char *to, size_t size);

/* "Harbour  [#####     ]  45 %  3.2 of 7.1 MB" in at most columns. */
void add_bar(char *to, size_t size, const char *name, double sent_bytes, double total_bytes,
             int columns);

#endif
