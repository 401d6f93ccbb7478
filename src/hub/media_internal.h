/*
 * media_internal.h: shared by media.c (files), media_upload.c (how they come to be) and
 * quarantine.c (where they go).
 */
#ifndef TUTTI_HUB_MEDIA_INTERNAL_H
#define TUTTI_HUB_MEDIA_INTERNAL_H

#include "media.h"

#define MEDIA_FULL_PATH_MAX 1024
#define MEDIA_UPLOADS "uploads/"
#define MEDIA_QUARANTINE "quarantine/"

struct media {
    char *directory;
    struct media_limits limits;
    struct background *background; /* for the disk; NULL: there is none */
    struct background *measuring;  /* likewise, for the decoder */
    int64_t used_bytes;            /* unfinished uploads included */
    unsigned uploads;
    struct media_upload *first; /* those under way */
};

void media_full_path(const struct media *media, const char *path, char full[MEDIA_FULL_PATH_MAX]);
/* 0, or -errno. */
int media_sync_directory(const struct media *media, const char *folder);
bool media_is_ours(const char *path);
/* Is this the name that an upload under way has got, or is about to? */
bool media_is_coming(const struct media *media, const char *path);

/* Calls visit for every file of a folder, until it returns something else than 0, which is then
 * returned; or -errno. */
int media_each_file(struct media *media, const char *folder,
                    int (*visit)(struct media *media, const char *name, void *user), void *user);
/* Its size is no file's when it is none. */
int64_t media_size(const struct media *media, const char *path);
/* In the background, where there is one. */
void media_run(struct background *background, void (*work)(void *job), void (*done)(void *job),
               void *job);

int media_put_aside(struct media *media, const char *path);

#endif
