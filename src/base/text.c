/*
 * text.c: see text.h. UTF-8 is decoded here, by the table of RFC 3629: no locale is needed.
 */
#include "tutti/base/text.h"

#include <string.h>

bool text_is_harmless(uint32_t c)
{
    bool is_control = c < 0x20 || (c >= 0x7f && c < 0xa0);
    bool ends_line = c == 0x2028 || c == 0x2029;
    bool turns_direction = c == 0x061c || c == 0x200e || c == 0x200f ||
                           (c >= 0x202a && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069);
    return !is_control && !ends_line && !turns_direction;
}

/* Of the character that begins with this byte; 0: none does. */
static size_t length_of(unsigned char first)
{
    if (first < 0x80)
        return 1;
    if (first < 0xc2 || first > 0xf4)
        return 0;
    return first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
}

/* How many bytes the character takes; 0: it is none. */
static size_t decode(const char *text, uint32_t *ret)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    const unsigned char *bytes = (const unsigned char *)text;
    size_t length = length_of(bytes[0]);
    uint32_t c = length < 2 ? bytes[0] : bytes[0] & (0x7fu >> length);
    for (size_t i = 1; i < length; i++) {
        if ((bytes[i] & 0xc0) != 0x80)
            return 0; /* also at the end of the text */
        c = c << 6 | (bytes[i] & 0x3f);
    }
    *ret = c;
    bool is_surrogate = c >= 0xd800 && c < 0xe000;
    return length == 0 || c < least[length] || c > 0x10ffff || is_surrogate ? 0 : length;
}

void text_defuse(char *text, char by)
{
    char *to = text;
    while (*text) {
        uint32_t c;
        size_t length = decode(text, &c);
        if (length > 0 && text_is_harmless(c)) {
            memmove(to, text, length);
            to += length;
        } else {
            *to++ = by;
        }
        text += length > 0 ? length : 1;
    }
    *to = '\0';
}
