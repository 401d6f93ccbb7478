/*
 * speaker_name.c: see speaker_name.h.
 */
#include "tutti/core/speaker_name.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

/* As images are handed out; localhost is also what the kernel's "(none)" becomes. */
static const char *const of_images[] = {"localhost", "(none)", "raspberrypi", "debian",
                                        "dietpi",    "ubuntu", "armbian"};

static bool says_nothing(const char *host)
{
    size_t bytes = strcspn(host, ".");
    if (bytes == 0)
        return true;
    for (size_t i = 0; i < sizeof of_images / sizeof *of_images; i++)
        if (strlen(of_images[i]) == bytes && strncasecmp(host, of_images[i], bytes) == 0)
            return true;
    return false;
}

void speaker_name(const char *host, const char *id, char *to, size_t size)
{
    if (says_nothing(host) && id[0])
        snprintf(to, size, "tutti-%.4s", id);
    else
        snprintf(to, size, "%s", host);
}
