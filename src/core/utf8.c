/*
 * utf8.c: see utf8.h.
 */
#include "tutti/core/utf8.h"

#include <stdint.h>

/* How many bytes follow this first one, and what they may stand for at least; -1: none may. */
static int shape(unsigned char first, uint32_t *ret_bits, uint32_t *ret_least)
{
    static const struct {
        unsigned char mask, mark;
        uint32_t least;
    } forms[] = {{0x80, 0x00, 1}, {0xe0, 0xc0, 0x80}, {0xf0, 0xe0, 0x800}, {0xf8, 0xf0, 0x10000}};
    for (int i = 0; i < 4; i++) {
        if ((first & forms[i].mask) != forms[i].mark)
            continue;
        *ret_bits = first & (unsigned char)~forms[i].mask;
        *ret_least = forms[i].least;
        return i;
    }
    return -1;
}

bool utf8_is_valid(const char *text, size_t bytes)
{
    size_t at = 0;
    while (at < bytes) {
        uint32_t code, least;
        int more = shape((unsigned char)text[at++], &code, &least);
        if (more < 0 || bytes - at < (size_t)more)
            return false;
        for (; more > 0; more--, at++) {
            if (((unsigned char)text[at] & 0xc0) != 0x80)
                return false;
            code = code << 6 | ((unsigned char)text[at] & 0x3f);
        }
        if (code < least || code > 0x10ffff || (code >= 0xd800 && code < 0xe000))
            return false;
    }
    return true;
}
