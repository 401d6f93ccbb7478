/*
 * disk_faults.h: a disk that fails at the n-th operation, for SQLite (a VFS around the usual one)
 * and for our own files (write, fsync and rename, wrapped by the linker), as SQLite's own tests
 * have it.
 */
#ifndef TUTTI_TEST_DISK_FAULTS_H
#define TUTTI_TEST_DISK_FAULTS_H

#include <stdbool.h>

/* Before the first database is opened. */
void disk_faults_install(void);
/* From the n-th operation on, counted from 1, so many fail. full: writes fail with ENOSPC and reads
 * do not; else all with EIO. */
void disk_faults_plan(int first, int count, bool full);
/* The disk works again. Whether anything has failed since it was planned. */
bool disk_faults_end(void);

/* Of our own files, since the program began. */
int disk_faults_syncs(void);

#endif
