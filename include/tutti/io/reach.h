/*
 * reach.h: whether a service could read a file, as seen by whoever looks after it.
 *
 * It goes by owners, groups and modes of the file and of all directories above it. Access lists and
 * security modules may refuse more.
 */
#ifndef TUTTI_IO_REACH_H
#define TUTTI_IO_REACH_H

#include <limits.h>
#include <stdbool.h>
#include <sys/types.h>

#define REACH_GROUPS_MAX 32
/* A path, and why not. */
#define REACH_WHY_MAX (PATH_MAX + 160)

struct reach_user {
    uid_t uid;
    gid_t groups[REACH_GROUPS_MAX];
    int group_count;
};

/* A user of this machine with the groups that it is in; false: there is none of this name. */
bool reach_find_user(const char *name, struct reach_user *ret);

/* Whoever it will be: a user that the service manager makes, in no group. */
struct reach_user reach_any_user(void);

/* True, or false with the reason in why, a clause that has the path in it. */
bool reach_can_read(const char *path, const struct reach_user *user, char why[REACH_WHY_MAX]);

/* The same of a unit with ProtectHome= and PrivateTmp=, as ours are. */
bool reach_unit_can_read(const char *path, const struct reach_user *user, char why[REACH_WHY_MAX]);

#endif
