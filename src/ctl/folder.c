/*
 * folder.c: see folder.h.
 */
#include "folder.h"

#include "paper.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

struct walk {
    bool (*visit)(void *user, const char *file);
    void *user;
    bool stopped;
};

static bool is_track(const char *name)
{
    static const char *const endings[] = {".mp3", ".mp4",  ".m4a", ".m4b", ".flac", ".ogg",
                                          ".oga", ".opus", ".wav", ".aif", ".aiff"};
    const char *dot = strrchr(name, '.');
    for (size_t i = 0; dot && i < sizeof endings / sizeof *endings; i++)
        if (strcasecmp(dot, endings[i]) == 0)
            return true;
    return false;
}

static int is_shown(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

/* Also numbers in names: 2 before 10. */
static int by_name(const struct dirent **a, const struct dirent **b)
{
    return strverscmp((*a)->d_name, (*b)->d_name);
}

static int walk_folder(struct walk *walk, const char *path, int depth);

/* folders: only these, or only files. */
static void take_entry(struct walk *walk, const char *folder, const char *name, bool folders,
                       int depth)
{
    char path[PATH_MAX];
    struct stat status;
    if (snprintf(path, sizeof path, "%s/%s", folder, name) >= (int)sizeof path ||
        lstat(path, &status) < 0)
        return;
    if (!folders) {
        if (!S_ISDIR(status.st_mode) && is_track(name))
            walk->stopped = !walk->visit(walk->user, path);
        return;
    }
    int result = S_ISDIR(status.st_mode) && depth < FOLDER_DEPTH_MAX
                     ? walk_folder(walk, path, depth + 1)
                     : 0;
    if (result < 0)
        complain("%s: %s", path, strerror(-result));
}

static int walk_folder(struct walk *walk, const char *path, int depth)
{
    struct dirent **entries;
    int count = scandir(path, &entries, is_shown, by_name);
    if (count < 0)
        return -errno;
    for (int i = 0; i < count && !walk->stopped; i++)
        take_entry(walk, path, entries[i]->d_name, false, depth);
    for (int i = 0; i < count && !walk->stopped; i++)
        take_entry(walk, path, entries[i]->d_name, true, depth);
    for (int i = 0; i < count; i++)
        free(entries[i]);
    free(entries);
    return 0;
}

int folder_each_track(const char *path, bool (*visit)(void *user, const char *file), void *user)
{
    struct walk walk = {visit, user, false};
    return walk_folder(&walk, path, 0);
}
