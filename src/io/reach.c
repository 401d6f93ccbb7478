/*
 * reach.c: modes along a path, for a user who is somebody else.
 */
#include "tutti/io/reach.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

bool reach_find_user(const char *name, struct reach_user *ret)
{
    const struct passwd *entry = getpwnam(name);
    if (!entry)
        return false;
    ret->uid = entry->pw_uid;
    ret->group_count = REACH_GROUPS_MAX;
    if (getgrouplist(name, entry->pw_gid, ret->groups, &ret->group_count) < 0)
        ret->group_count = REACH_GROUPS_MAX; /* in more than that: the first ones count */
    return true;
}

struct reach_user reach_any_user(void)
{
    return (struct reach_user){.uid = (uid_t)-1};
}

static bool is_in_group(const struct reach_user *user, gid_t group)
{
    for (int i = 0; i < user->group_count; i++)
        if (user->groups[i] == group)
            return true;
    return false;
}

/* Only one of the three classes counts, as in the kernel. */
static bool is_allowed(const struct stat *status, const struct reach_user *user, mode_t bit)
{
    if (user->uid == 0)
        return true;
    if (status->st_uid == user->uid)
        return status->st_mode & (bit << 6);
    if (is_in_group(user, status->st_gid))
        return status->st_mode & (bit << 3);
    return status->st_mode & bit;
}

static bool refuse(char *why, const char *path, const char *what)
{
    snprintf(why, REACH_WHY_MAX, "%.*s %s", PATH_MAX, path, what);
    return false;
}

static bool check(const char *path, const struct reach_user *user, mode_t bit, char *why)
{
    struct stat status;
    if (stat(path, &status) < 0)
        return refuse(why, path, errno == ENOENT ? "does not exist" : strerror(errno));
    if (is_allowed(&status, user, bit))
        return true;
    return refuse(why, path, S_ISDIR(status.st_mode) ? "lets it not in" : "is not for it to read");
}

static bool check_directories(char *path, const struct reach_user *user, char *why)
{
    for (char *slash = path; (slash = strchr(slash, '/')); slash++) {
        *slash = '\0';
        bool good = check(*path ? path : "/", user, 1, why);
        *slash = '/';
        if (!good)
            return false;
    }
    return true;
}

bool reach_can_read(const char *path, const struct reach_user *user, char why[REACH_WHY_MAX])
{
    char *real = realpath(path, NULL);
    if (!real)
        return refuse(why, path,
                      errno == ENOENT ? "does not exist" : "cannot be looked at from here");
    bool good = check_directories(real, user, why) && check(real, user, 4, why);
    free(real);
    return good;
}

bool reach_unit_can_read(const char *path, const struct reach_user *user, char why[REACH_WHY_MAX])
{
    static const char *const hidden[] = {"/home/", "/root/", "/run/user/", "/tmp/", "/var/tmp/"};
    for (size_t i = 0; i < sizeof hidden / sizeof *hidden; i++)
        if (strncmp(path, hidden[i], strlen(hidden[i])) == 0)
            return refuse(why, path, "is in a directory that the unit does not see");
    return reach_can_read(path, user, why);
}
