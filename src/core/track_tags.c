/*
 * track_tags.c: see track_tags.h.
 */
#include "tutti/core/track_tags.h"

#include "tutti/base/text.h"

#include <math.h>
#include <string.h>

#define R128_STEPS_PER_DB 256
#define R128_REFERENCE_LUFS (-23.0)
/* Digits that are looked at; what is longer is no number of ours. */
#define DIGITS_MAX 12

struct track_tags track_tags_none(void)
{
    return (struct track_tags){.loudness = loudness_unknown()};
}

bool track_tags_are_told(const struct track_tags *tags)
{
    return tags->title[0] || tags->artist[0] || tags->album[0] || tags->number > 0 ||
           loudness_is_known(&tags->loudness);
}

static bool continues_character(char byte)
{
    return ((unsigned char)byte & 0xc0) == 0x80;
}

static bool is_blank(char byte)
{
    return byte == ' ' || byte == '\t' || byte == '\r' || byte == '\n';
}

void track_tags_copy_text(char to[TRACK_TAG_MAX], const char *text, size_t bytes)
{
    size_t count = strnlen(text, bytes);
    while (count > 0 && is_blank(*text))
        text++, count--;
    if (count >= TRACK_TAG_MAX) {
        count = TRACK_TAG_MAX - 1;
        while (count > 0 && continues_character(text[count]))
            count--;
    }
    while (count > 0 && is_blank(text[count - 1]))
        count--;
    memcpy(to, text, count);
    to[count] = '\0';
    text_defuse(to, '?');
}

/* --- numbers, the same in every locale ------------------------------------------------------- */

static int digits_at(const char *text, double *number)
{
    int count = 0;
    while (count <= DIGITS_MAX && text[count] >= '0' && text[count] <= '9')
        *number = *number * 10 + (text[count++] - '0');
    return count;
}

/* A decimal number at the beginning of a text, with a point or a comma; NAN: there is none. */
static double number_of(const char *text)
{
    bool negative = *text == '-';
    double whole = 0, fraction = 0;
    if (*text == '-' || *text == '+')
        text++;
    int before = digits_at(text, &whole), after = 0;
    text += before;
    if (*text == '.' || *text == ',')
        after = digits_at(text + 1, &fraction);
    if (before + after == 0 || before > DIGITS_MAX)
        return NAN;
    double number = whole + fraction / pow(10, after);
    return negative ? -number : number;
}

static void take_number(int *number, double told)
{
    if (told >= 1 && told <= TRACK_NUMBER_MAX)
        *number = (int)told;
}

static void take_gain(double *gain_db, double told)
{
    if (!isnan(loudness_gain_db(told)))
        *gain_db = told;
}

static void take_peak(double *peak, double told)
{
    if (!isnan(loudness_peak(told)))
        *peak = told;
}

static double from_r128(double told)
{
    return told / R128_STEPS_PER_DB + (LOUDNESS_REFERENCE_LUFS - R128_REFERENCE_LUFS);
}

void track_tags_take(struct track_tags *tags, enum track_tag tag, const char *text, size_t bytes)
{
    struct loudness *loudness = &tags->loudness;
    char clean[TRACK_TAG_MAX];
    track_tags_copy_text(clean, text, bytes);
    double number = number_of(clean);
    switch (tag) {
    case TRACK_TAG_TITLE:
        memcpy(tags->title, clean, sizeof clean);
        break;
    case TRACK_TAG_ARTIST:
        memcpy(tags->artist, clean, sizeof clean);
        break;
    case TRACK_TAG_ALBUM:
        memcpy(tags->album, clean, sizeof clean);
        break;
    case TRACK_TAG_NUMBER:
        take_number(&tags->number, number);
        break;
    case TRACK_TAG_TRACK_GAIN:
        take_gain(&loudness->track_gain_db, number);
        break;
    case TRACK_TAG_TRACK_PEAK:
        take_peak(&loudness->track_peak, number);
        break;
    case TRACK_TAG_ALBUM_GAIN:
        take_gain(&loudness->album_gain_db, number);
        break;
    case TRACK_TAG_ALBUM_PEAK:
        take_peak(&loudness->album_peak, number);
        break;
    case TRACK_TAG_R128_TRACK_GAIN:
        take_gain(&loudness->track_gain_db, from_r128(number));
        break;
    case TRACK_TAG_R128_ALBUM_GAIN:
        take_gain(&loudness->album_gain_db, from_r128(number));
        break;
    case TRACK_TAGS:
        break;
    }
}
