/*
 * ink.c: see ink.h.
 */
#include "ink.h"

#include <string.h>

enum ink ink_of_request(const char *status)
{
    return strcmp(status, "pending") == 0    ? INK_WAITING
           : strcmp(status, "approved") == 0 ? INK_GOOD
           : strcmp(status, "denied") == 0   ? INK_BAD
                                             : INK_PLAIN;
}
