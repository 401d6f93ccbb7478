/*
 * remove_tree.h: a test's directory goes with all that is in it.
 */
#ifndef TUTTI_TESTS_REMOVE_TREE_H
#define TUTTI_TESTS_REMOVE_TREE_H

#include <ftw.h>
#include <stdio.h>
#include <sys/stat.h>

#define REMOVE_TREE_DESCRIPTORS 16

static inline int remove_tree_entry(const char *path, const struct stat *status, int type,
                                    struct FTW *place)
{
    (void)status;
    (void)type;
    (void)place;
    return remove(path);
}

/* Symbolic links are removed, and not followed. 0, or -1 with errno. */
static inline int remove_tree(const char *path)
{
    return nftw(path, remove_tree_entry, REMOVE_TREE_DESCRIPTORS, FTW_DEPTH | FTW_PHYS);
}

#endif
