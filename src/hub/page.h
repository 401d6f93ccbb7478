/*
 * page.h: the web page for people, as files of a directory that are kept in memory.
 *
 * What is served is what was there at the start: / is index.html, /page/NAME the rest. Beside
 * NAME there may be NAME.gz, made when the hub was built, for whoever takes it.
 */
#ifndef TUTTI_HUB_PAGE_H
#define TUTTI_HUB_PAGE_H

#include <stdbool.h>
#include <stddef.h>

#define PAGE_NAME_MAX 64
/* A directory with more, or larger, files is no page. */
#define PAGE_FILES_MAX 128
#define PAGE_FILE_BYTES_MAX (1024 * 1024)
#define PAGE_ETAG_MAX 48

struct page_body {
    unsigned char *bytes; /* room for libwebsockets, then the content; NULL: there is none */
    size_t count;
    char etag[PAGE_ETAG_MAX];
};

struct page_file {
    char name[PAGE_NAME_MAX];
    const char *type;
    struct page_body plain;
    struct page_body gzip;
};

struct page;

/* directory: "" is the one that was installed with this program. NULL after one line in the log
 * when there is none, or it cannot be read. */
struct page *page_load(const char *directory);
/* NULL is fine. */
void page_destroy(struct page *page);

/* path: as it was asked for, without its query. NULL: it is none of the page's; page may be NULL.
 */
const struct page_file *page_find(const struct page *page, const char *path);

#endif
