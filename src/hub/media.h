/*
 * media.h: uploaded tracks, as files under the data directory.
 */
#ifndef TUTTI_HUB_MEDIA_H
#define TUTTI_HUB_MEDIA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MEDIA_PATH_MAX 128

struct media;

struct media *media_create(const char *data_directory);
void media_destroy(struct media *media);

/*
 * Decodes base64 into a new file; *ret_duration_s is measured by decoding. False, with a line for
 * people, when it is no base64, no mp3, or cannot be stored.
 */
bool media_store_base64(struct media *media, const char *text, size_t max_bytes,
                        char path[MEDIA_PATH_MAX], double *ret_duration_s, const char **ret_error);

/* Opens "uploads/NAME" for reading; -1 when there is no such file, or it is not one of ours. */
int media_open(struct media *media, const char *path, int64_t *ret_bytes);
void media_remove(struct media *media, const char *path);

#endif
