/*
 * helper_files.h: what many files are, one after the other, from one tutti-decode: to start one for
 * each takes longer than to look.
 *
 * It is locked in as any of them, and ended when it hangs, crashes or says nonsense, or after some
 * hundred files: the next one is asked about by another. One that a file has taken over could lie
 * about those that follow; about what they are called, and how long they play, and nothing else.
 *
 * For a thread that may wait; each belongs to one.
 */
#ifndef TUTTI_CODECS_HELPER_FILES_H
#define TUTTI_CODECS_HELPER_FILES_H

#include "tutti/codecs/helper.h"

struct helper_files;

struct helper_told {
    unsigned rate_hz;
    int64_t length_frames; /* -1: not known */
    struct track_tags tags;
    /* As of helper_picture(), if it is wanted; the helper's, until it is asked again. NULL: none. */
    const unsigned char *picture;
    size_t picture_bytes;
};

enum helper_files_result {
    HELPER_FILE_TOLD,
    HELPER_FILE_REFUSED,   /* no speaker could play it: error says why */
    HELPER_FILE_NOT_ASKED, /* there is no decoder: error says why */
};

/* NULL: there is no memory. */
struct helper_files *helper_files_create(void);
/* Kills the process. NULL is fine. */
void helper_files_destroy(struct helper_files *files);

/* fd: open for reading only, of a complete file of so many bytes; kind: as for helper_create().
 * picture: that is wanted, too. Waits some seconds at most. */
enum helper_files_result helper_files_ask(struct helper_files *files, int fd, int64_t bytes,
                                          enum audio_kind kind, bool picture,
                                          struct helper_told *ret, char error[HELPER_ERROR_MAX]);

#endif
