/*
 * quiet_alsa.c: an error handler that drops alsa-lib's messages.
 */
#include "quiet_alsa.h"

#include <alsa/asoundlib.h>

static void drop(const char *file, int line, const char *function, int error, const char *format,
                 ...)
{
    (void)file;
    (void)line;
    (void)function;
    (void)error;
    (void)format;
}

void quiet_alsa(void)
{
    snd_lib_error_set_handler(drop);
}
