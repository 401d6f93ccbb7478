/*
 * list_file.h: playlists kept in files of whoever types, as extended M3U (m3u.h): `save FILE.m3u`
 * and `load FILE.m3u`. What went wrong is on standard error.
 */
#ifndef TUTTI_CTL_LIST_FILE_H
#define TUTTI_CTL_LIST_FILE_H

#include "client.h"
#include "exit_code.h"
#include "paper.h"

typedef enum exit_code list_file_act(struct client *client, const char *path, bool json,
                                     const struct paper *paper);

/* Is this a file of that kind, or "-"? */
bool list_file_is_meant(const char *word);

/* The playlist into a new file; "-": standard output. */
list_file_act list_file_save;
/*
 * What the file names, and the library has, to the playlist's end; what it has not is listed, and
 * then it is EXIT_REFUSED. Nothing is uploaded. "-": standard input.
 */
list_file_act list_file_load;

#endif
