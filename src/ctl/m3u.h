/*
 * m3u.h: playlists as files: extended M3U, in and out. Pure. Call text_use_utf8() first.
 *
 * Whatever a file has in it, entries are harmless text of bounded length.
 */
#ifndef TUTTI_CTL_M3U_H
#define TUTTI_CTL_M3U_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#define M3U_BYTES_MAX (1024 * 1024)
#define M3U_PATH_MAX 4096
#define M3U_LABEL_MAX 512

/* Is this what such a file is called? ("Sunday.m3u", "Sunday.m3u8") */
bool m3u_is_name(const char *name);

struct m3u_entry {
    char path[M3U_PATH_MAX]; /* with slashes; absolute, or from where the list is; or an address */
    char
        label[M3U_LABEL_MAX]; /* "Artist - Title"; where the file tells none, the name of its own */
};

struct m3u_reader {
    const char *at, *end;      /* the caller's */
    char label[M3U_LABEL_MAX]; /* of the entry to come; "": none was told */
};

void m3u_begin(struct m3u_reader *reader, const char *bytes, size_t count);
/* False: there is no more. What is longer than an entry may be is cut. */
bool m3u_next(struct m3u_reader *reader, struct m3u_entry *ret);

void m3u_write_head(FILE *out);
/* duration_s: not finite or < 0: not known. */
void m3u_write(FILE *out, const struct m3u_entry *entry, double duration_s);

/* The words of a text, for a search: letters and digits, one blank between. At most size - 1 bytes. */
void m3u_words(const char *text, char *to, size_t size);
/* Of a path's end: so many names, without what says its kind. */
void m3u_path_words(const char *path, int names, char *to, size_t size);

/*
 * How many names, from the end on, two paths have in common ("." and ".." are resolved), if that
 * makes them the same file: one of them is the end of the other, or it is two at least. Else 0.
 */
int m3u_likeness(const char *a, const char *b);

#endif
