/*
 * folder.h: the tracks in a folder and in those within it.
 */
#ifndef TUTTI_CTL_FOLDER_H
#define TUTTI_CTL_FOLDER_H

#include <stdbool.h>

#define FOLDER_DEPTH_MAX 32

/*
 * Calls visit for each file that is called like a track, by name, files before folders; links to
 * folders are not followed. Ends when visit returns false. 0, or -errno: of the folder itself;
 * others that cannot be read are passed over after a line on standard error.
 */
int folder_each_track(const char *path, bool (*visit)(void *user, const char *file), void *user);

#endif
