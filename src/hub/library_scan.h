/*
 * library_scan.h: goes through the folders of a directory, and brings the index up to date. For a
 * thread of its own: it waits for disks.
 *
 * What cannot be read is no news: what was known of it stays. Links are not followed, hidden files
 * and folders are left alone, and so is what is nested too deep or whose path is too long.
 */
#ifndef TUTTI_HUB_LIBRARY_SCAN_H
#define TUTTI_HUB_LIBRARY_SCAN_H

#include "library_index.h"
#include "library_read.h"

#define LIBRARY_DEPTH_MAX 32

struct library_scan {
    struct library_index *index;
    library_read_fn read;
    void *read_user;
    int64_t tracks_max;    /* no more come into the index */
    struct covers *covers; /* NULL: pictures beside tracks are not looked for */
    const atomic_bool *stop;
    /* A folder is about to be looked at. NULL: nobody wants to know. */
    void (*entered)(void *user, int64_t folder, const char *root, const char *path, int fd);
    void *user;
    /* How it went: */
    int64_t changed;  /* tracks that came, went, or are others now */
    int64_t refused;  /* files looked at that are none */
    int64_t unread;   /* files and folders that cannot be read */
    int64_t left_out; /* too deep, too long, or too many */
    /* Its own: */
    int64_t tracks;
    int64_t uncommitted;
};

/* A whole directory. 0; -ECANCELED: *stop; -ENODATA: it is empty, and was not: perhaps its disk is
 * not mounted, and all stays as it was; else -errno. */
int library_scan_root(struct library_scan *scan, const char *root);
/* Of a folder, its files, and the folders in it that are new or gone. */
int library_scan_folder(struct library_scan *scan, const char *root, const char *path);
/* Directories that are none of ours any more. roots: with NULL at the end. */
int library_scan_forget_others(struct library_scan *scan, const char *const *roots);

#endif
