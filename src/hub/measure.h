/*
 * measure.h: how long a stored track plays that is no mp3, as the decoder of the speakers has it.
 */
#ifndef TUTTI_HUB_MEASURE_H
#define TUTTI_HUB_MEASURE_H

#include "tutti/codecs/helper.h"

enum measure_result {
    MEASURED,
    MEASURE_NOT_KNOWN, /* why: there is no decoder, or the file does not tell */
    MEASURE_REFUSED,   /* why: no speaker could play it */
};

/* fd: of a complete file. Waits for the decoder, some seconds at most; not in a loop. */
enum measure_result measure_track(int fd, double *ret_seconds, char why[HELPER_ERROR_MAX]);

#endif
