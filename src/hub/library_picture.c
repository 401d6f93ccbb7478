/*
 * library_picture.c: see library_picture.h.
 */
#include "library_picture.h"

#include "library_file.h"

#include <errno.h>
#include <stdlib.h>
#include <strings.h>
#include <unistd.h>

/* As players and shops call them, the likelier ones first. */
static const char *const files[] = {"cover.jpg",  "cover.jpeg",  "cover.png",  "cover.webp",
                                    "folder.jpg", "folder.jpeg", "folder.png", "front.jpg",
                                    "front.png",  "albumart.jpg"};

int library_picture_rank(const char *file)
{
    const int count = (int)(sizeof files / sizeof *files);
    for (int i = 0; i < count; i++)
        if (strcasecmp(file, files[i]) == 0)
            return count - i;
    return 0;
}

/* Of an open file. The bytes read; -errno. */
static ssize_t read_all(int fd, unsigned char *to, size_t count)
{
    size_t at = 0;
    ssize_t got;
    do {
        got = pread(fd, to + at, count - at, (off_t)at);
        at += got > 0 ? (size_t)got : 0;
    } while ((got > 0 && at < count) || (got < 0 && errno == EINTR));
    return got < 0 ? -errno : (ssize_t)at;
}

static int keep_open(int fd, int64_t bytes, struct covers *covers, char name[COVER_NAME_MAX])
{
    name[0] = '\0';
    if (bytes <= 0 || bytes > (int64_t)PICTURE_BYTES_MAX)
        return 0;
    unsigned char *picture = malloc((size_t)bytes);
    ssize_t got = picture ? read_all(fd, picture, (size_t)bytes) : -ENOMEM;
    bool kept = got == (ssize_t)bytes && covers_keep(covers, picture, (size_t)bytes, name);
    free(picture);
    return got < 0 ? (int)got : kept;
}

int library_picture_keep(int folder, const char *file, struct covers *covers,
                         struct library_stamp *ret_stamp, char name[COVER_NAME_MAX])
{
    struct stat status;
    int fd = library_file_open(folder, file, &status);
    if (fd < 0)
        return fd;
    *ret_stamp = library_file_stamp(&status);
    int result = keep_open(fd, status.st_size, covers, name);
    close(fd);
    return result;
}
