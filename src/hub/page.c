/*
 * page.c: see page.h.
 */
#include "page.h"

#include "tutti/base/log.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <libwebsockets.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PATH_BYTES_MAX 1024
#define ETAG_BYTES 12
/* Where cmake installs it, seen from the programs' directory. */
#define INSTALLED "../share/tutti/page"
#define COMPRESSED ".gz"

struct page {
    struct page_file files[PAGE_FILES_MAX];
    size_t count;
};

static const struct {
    const char *ending;
    const char *type;
} types[] = {
    {".html", "text/html; charset=utf-8"},
    {".js", "text/javascript; charset=utf-8"},
    {".css", "text/css; charset=utf-8"},
    {".svg", "image/svg+xml"},
    {".png", "image/png"},
    {".webmanifest", "application/manifest+json"},
};

static bool ends_with(const char *name, const char *ending)
{
    size_t length = strlen(name), rest = strlen(ending);
    return length > rest && strcmp(name + length - rest, ending) == 0;
}

/* NULL: nothing that a page consists of. */
static const char *type_of(const char *name)
{
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (ends_with(name, types[i].ending))
            return types[i].type;
    return NULL;
}

/* --- reading ------------------------------------------------------------------------------- */

static int read_all(int fd, unsigned char *to, size_t count)
{
    for (size_t at = 0; at < count;) {
        ssize_t got = read(fd, to + at, count - at);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return got < 0 ? -errno : -EIO;
        at += (size_t)got;
    }
    return 0;
}

/* The same content has the same tag, on every hub and after every start. */
static int tag(struct page_body *body)
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    char hex[2 * ETAG_BYTES + 1];
    if (!EVP_Digest(body->bytes + LWS_PRE, body->count, digest, NULL, EVP_sha256(), NULL))
        return -ENOMEM;
    for (size_t i = 0; i < ETAG_BYTES; i++)
        snprintf(hex + 2 * i, 3, "%02x", digest[i]);
    snprintf(body->etag, sizeof body->etag, "\"%s\"", hex);
    return 0;
}

static int fill(int fd, struct page_body *body)
{
    struct stat status;
    if (fstat(fd, &status) < 0)
        return -errno;
    if (!S_ISREG(status.st_mode))
        return -EINVAL;
    if (status.st_size > PAGE_FILE_BYTES_MAX)
        return -EFBIG;
    body->count = (size_t)status.st_size;
    body->bytes = malloc(LWS_PRE + body->count + 1);
    if (!body->bytes)
        return -ENOMEM;
    int result = read_all(fd, body->bytes + LWS_PRE, body->count);
    return result == 0 ? tag(body) : result;
}

static int read_file(int directory, const char *name, struct page_body *body)
{
    int fd = openat(directory, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return -errno;
    int result = fill(fd, body);
    close(fd);
    return result;
}

static int add_file(struct page *page, int directory, const char *name)
{
    char compressed[PAGE_NAME_MAX + sizeof COMPRESSED];
    const char *type = type_of(name);
    if (!type || strlen(name) >= PAGE_NAME_MAX)
        return 0;
    if (page->count == PAGE_FILES_MAX)
        return -EFBIG;
    struct page_file *file = &page->files[page->count++];
    snprintf(file->name, sizeof file->name, "%s", name);
    file->type = type;
    int result = read_file(directory, name, &file->plain);
    if (result < 0)
        return result;
    snprintf(compressed, sizeof compressed, "%s" COMPRESSED, name);
    result = read_file(directory, compressed, &file->gzip);
    return result == -ENOENT ? 0 : result;
}

static int add_files(struct page *page, DIR *directory)
{
    const struct dirent *entry;
    int result = 0;
    for (errno = 0; result == 0 && (entry = readdir(directory)); errno = 0)
        result = add_file(page, dirfd(directory), entry->d_name);
    if (result == 0 && errno)
        result = -errno;
    return result == 0 && !page_find(page, "/") ? -ENOENT : result;
}

static int load(struct page *page, const char *path)
{
    DIR *directory = opendir(path);
    if (!directory)
        return -errno;
    int result = add_files(page, directory);
    closedir(directory);
    return result;
}

/* Whatever prefix it was installed under, or run from the build. */
static void find_installed(char path[PATH_BYTES_MAX])
{
    char program[PATH_BYTES_MAX / 2];
    ssize_t length = readlink("/proc/self/exe", program, sizeof program - 1);
    program[length > 0 ? length : 0] = '\0';
    char *slash = strrchr(program, '/');
    if (slash)
        *slash = '\0';
    snprintf(path, PATH_BYTES_MAX, "%s/" INSTALLED, program);
}

struct page *page_load(const char *directory)
{
    char path[PATH_BYTES_MAX];
    struct page *page = calloc(1, sizeof *page);
    if (!page)
        return NULL;
    if (directory[0])
        snprintf(path, sizeof path, "%s", directory);
    else
        find_installed(path);
    int result = load(page, path);
    if (result == 0)
        return page;
    log_warn("the page for browsers, %s: %s; the hub goes on without it (see [page])", path,
             result == -ENOENT ? "there is no index.html" : strerror(-result));
    page_destroy(page);
    return NULL;
}

void page_destroy(struct page *page)
{
    if (!page)
        return;
    for (size_t i = 0; i < page->count; i++) {
        free(page->files[i].plain.bytes);
        free(page->files[i].gzip.bytes);
    }
    free(page);
}

/* --- looking up ---------------------------------------------------------------------------- */

const struct page_file *page_find(const struct page *page, const char *path)
{
    static const char folder[] = "/page/";
    const char *name = path;
    if (!page)
        return NULL;
    if (strcmp(path, "/") == 0)
        name = "index.html";
    else if (strncmp(path, folder, strlen(folder)) == 0)
        name = path + strlen(folder);
    for (size_t i = 0; i < page->count; i++)
        if (strcmp(page->files[i].name, name) == 0)
            return &page->files[i];
    return NULL;
}
