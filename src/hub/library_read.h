/*
 * library_read.h: what a file of the library is, how long it plays, and what its tags say.
 */
#ifndef TUTTI_HUB_LIBRARY_READ_H
#define TUTTI_HUB_LIBRARY_READ_H

#include "formats.h"
#include "library_index.h"
#include "tutti/codecs/helper_files.h"

#include <stdatomic.h>

/*
 * What reads a file: 1, a track; 0, none that is taken; -errno: it cannot be read now (-ECANCELED:
 * *stop became true). Texts may be any bytes. Beside a loop: it may take its time.
 */
typedef int (*library_read_fn)(void *user, int fd, const atomic_bool *stop,
                               struct library_reading *ret);

/* For library_read(). */
struct library_reader {
    formats_t formats; /* that are taken */
    struct helper_files *decoder;
    struct covers *covers; /* NULL: pictures are not looked for */
};

/* user: a struct library_reader. An mp3 is as long as its encoder's tag says, where
 * that goes with the file, and else as the frames are that are counted. */
int library_read(void *user, int fd, const atomic_bool *stop, struct library_reading *ret);

#endif
