/*
 * library_watch.h: tells which folders have changed, by inotify, as far as the system's bounds
 * allow: beyond them, and on network shares, which tell nothing, somebody has to look now and then.
 */
#ifndef TUTTI_HUB_LIBRARY_WATCH_H
#define TUTTI_HUB_LIBRARY_WATCH_H

#include <stdbool.h>
#include <stddef.h>

struct library_watch;

/* most: so many folders are watched. NULL: there is no inotify, or no memory. */
struct library_watch *library_watch_create(size_t most);
/* NULL is fine. */
void library_watch_destroy(struct library_watch *watch);
/* To be polled for reading. */
int library_watch_fd(const struct library_watch *watch);
/* A folder that is open as fd. Seen again, it is known by its new path. root stays the caller's.
 * False: it is not watched. */
bool library_watch_add(struct library_watch *watch, const char *root, const char *path, int fd);
/* Reads what there is. False: something was missed, or a folder moved or went, and another one may
 * have its name: anything may have changed. */
bool library_watch_read(struct library_watch *watch);
/* The next folder that has changed since; copied. False: there is none. */
bool library_watch_next(struct library_watch *watch, const char **ret_root, char *path,
                        size_t size);

#endif
