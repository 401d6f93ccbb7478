/*
 * media_internal.h: shared by media.c (files) and media_upload.c (how they come to be).
 */
#ifndef TUTTI_HUB_MEDIA_INTERNAL_H
#define TUTTI_HUB_MEDIA_INTERNAL_H

#include "media.h"

#define MEDIA_FULL_PATH_MAX 1024

struct media {
    char *directory;
    struct media_limits limits;
    int64_t used_bytes; /* unfinished uploads included */
    unsigned uploads;
};

void media_full_path(const struct media *media, const char *path, char full[MEDIA_FULL_PATH_MAX]);

#endif
