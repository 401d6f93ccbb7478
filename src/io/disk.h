/*
 * disk.h: files that are either the old or the new one, whatever happens in between.
 */
#ifndef TUTTI_IO_DISK_H
#define TUTTI_IO_DISK_H

#include <sys/types.h>

/* Replaces the file at path by text, by way of path.new; synced. 0 or -errno; waits for the disk.
 * Durable once the directory is synced as well. */
int disk_replace_file(const char *path, const char *text, mode_t mode);
void disk_sync_directory(const char *directory);

#endif
