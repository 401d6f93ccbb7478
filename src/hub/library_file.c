/*
 * library_file.c: see library_file.h. Part after part, each without following a link: that holds on
 * every kernel, and while somebody moves folders about.
 */
#include "library_file.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

int library_file_open_root(const char *root)
{
    int fd = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return fd < 0 ? -errno : fd;
}

int library_file_open_folder(int parent, const char *name)
{
    int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    return fd < 0 ? -errno : fd;
}

/* The next part of the path; "": none that may be followed. */
static const char *take_part(const char *path, char part[256])
{
    size_t length = strcspn(path, "/");
    part[0] = '\0';
    if (length > 0 && length < 256) {
        memcpy(part, path, length);
        part[length] = '\0';
    }
    if (strcmp(part, ".") == 0 || strcmp(part, "..") == 0)
        part[0] = '\0';
    return path + length + (path[length] == '/');
}

static int open_plain(int folder, const char *name, struct stat *ret)
{
    int fd = openat(folder, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (fd < 0)
        return errno == ELOOP || errno == ENXIO ? -ENOENT : -errno;
    int result = fstat(fd, ret) < 0 ? -errno : S_ISREG(ret->st_mode) ? 0 : -ENOENT;
    if (result == 0)
        return fd;
    close(fd);
    return result;
}

int library_file_open(int root, const char *path, struct stat *ret)
{
    char part[256];
    int folder = root, result;
    do {
        path = take_part(path, part);
        if (!part[0])
            result = -ENOENT;
        else if (!*path)
            result = open_plain(folder, part, ret);
        else
            result = library_file_open_folder(folder, part);
        if (folder != root)
            close(folder);
        folder = result;
    } while (result >= 0 && *path);
    return result == -ELOOP || result == -ENOTDIR ? -ENOENT : result;
}

struct library_stamp library_file_stamp(const struct stat *status)
{
    return (struct library_stamp){status->st_size,
                                  (int64_t)status->st_mtim.tv_sec * INT64_C(1000000000) +
                                      status->st_mtim.tv_nsec};
}

bool library_stamp_same(const struct library_stamp *a, const struct library_stamp *b)
{
    return a->bytes == b->bytes && a->changed_ns == b->changed_ns;
}

static void hash(const char *text, size_t bytes, char *to, size_t digits)
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    EVP_Digest(text, bytes, digest, NULL, EVP_sha256(), NULL);
    for (size_t i = 0; i < digits / 2; i++)
        snprintf(to + 2 * i, 3, "%02x", digest[i]);
}

/* The zero byte between them is in no path. */
void library_file_key(const char *root, const char *path, char key[LIBRARY_KEY_MAX])
{
    char text[LIBRARY_PATH_MAX + 2 * LIBRARY_TEXT_MAX + 2];
    int bytes = snprintf(text, sizeof text, "%s%c%s", root, '\0', path);
    hash(text, (size_t)bytes, key, LIBRARY_KEY_MAX - 1);
}

void library_file_version(const struct library_stamp *stamp, char version[LIBRARY_VERSION_MAX])
{
    char text[64];
    int bytes = snprintf(text, sizeof text, "%lld %lld", (long long)stamp->bytes,
                         (long long)stamp->changed_ns);
    hash(text, (size_t)bytes, version, LIBRARY_VERSION_MAX - 1);
}
