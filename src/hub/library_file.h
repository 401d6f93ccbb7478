/*
 * library_file.h: files of directories that belong to others: nothing leads out of them.
 */
#ifndef TUTTI_HUB_LIBRARY_FILE_H
#define TUTTI_HUB_LIBRARY_FILE_H

#include "library_index.h"

#include <sys/stat.h>

/* The directory itself, whose path may have links on its way. fd, or -errno. */
int library_file_open_root(const char *root);
/* A directory in one that is open: not by a link. fd, or -errno. */
int library_file_open_folder(int parent, const char *name);
/* A plain file below an open directory: no part of the path is a link, or leads up. It never waits
 * for a pipe's other end. fd, or -errno: -ENOENT also for what is no plain file. */
int library_file_open(int root, const char *path, struct stat *ret);

struct library_stamp library_file_stamp(const struct stat *status);
bool library_stamp_same(const struct library_stamp *a, const struct library_stamp *b);
/* Of a file's place: 32 hex digits, the same as long as it stays there. */
void library_file_key(const char *root, const char *path, char key[LIBRARY_KEY_MAX]);
/* Of what it is now: 8 hex digits. */
void library_file_version(const struct library_stamp *stamp, char version[LIBRARY_VERSION_MAX]);

#endif
