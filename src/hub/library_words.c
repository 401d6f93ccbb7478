/*
 * library_words.c: see library_words.h.
 */
#include "library_words.h"

#include "tutti/base/text.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define BLANKS " \t\r\n\f\v"

/* Letters, digits, and whatever is beyond ASCII: the rest separates words in the index. */
static bool has_letter(const char *word, size_t length)
{
    for (size_t i = 0; i < length; i++)
        if (isalnum((unsigned char)word[i]) || (unsigned char)word[i] >= 0x80)
            return true;
    return false;
}

/* As a string of FTS5, whose quotes are doubled: nothing in it is an operator. */
static size_t quote(const char *word, size_t length, char *to)
{
    char *at = to;
    *at++ = '"';
    for (size_t i = 0; i < length; i++) {
        if (word[i] == '"')
            *at++ = '"';
        *at++ = word[i];
    }
    *at++ = '"';
    *at++ = '*';
    *at++ = ' ';
    *at = '\0';
    return (size_t)(at - to);
}

bool library_words_match(const char *words, char to[LIBRARY_MATCH_MAX])
{
    size_t used = 0;
    int count = 0;
    to[0] = '\0';
    for (words += strspn(words, BLANKS); *words && count < LIBRARY_WORDS_MAX;
         words += strspn(words, BLANKS)) {
        size_t length = strcspn(words, BLANKS);
        if (used + 2 * length + 4 >= LIBRARY_MATCH_MAX)
            break;
        if (has_letter(words, length)) {
            used += quote(words, length, to + used);
            count++;
        }
        words += length;
    }
    return count > 0;
}

bool library_words_is_track(const char *file)
{
    static const char *const endings[] = {"mp3",  "mp4", "m4a",  "m4b", "flac", "ogg", "oga",
                                          "opus", "wav", "wave", "aif", "aiff", "aifc"};
    const char *dot = strrchr(file, '.');
    if (!dot || dot == file || file[0] == '.')
        return false;
    for (size_t i = 0; i < sizeof endings / sizeof *endings; i++)
        if (strcasecmp(dot + 1, endings[i]) == 0)
            return true;
    return false;
}

/* "07 - ", "07. ", "07 ": what numbers files, and no part of a title as in "99 Luftballons". The
 * title that follows, or the whole. */
static const char *skip_number(const char *name, int64_t *ret)
{
    size_t digits = strspn(name, "0123456789");
    const char *behind = name + digits;
    if (digits == 0 || digits > 3)
        return name;
    size_t marks = strspn(behind, " .-_");
    bool is_number = marks > 0 && behind[marks] != '\0' &&
                     (name[0] == '0' || memchr(behind, '.', marks) || memchr(behind, '-', marks));
    if (!is_number)
        return name;
    *ret = strtol(name, NULL, 10);
    return behind + marks;
}

static void take_title(struct track_tags *tags, const char *file)
{
    char name[LIBRARY_TEXT_MAX];
    int64_t number = 0;
    snprintf(name, sizeof name, "%s", file);
    char *dot = strrchr(name, '.');
    if (dot && dot != name)
        *dot = '\0';
    const char *title = skip_number(name, &number);
    snprintf(tags->title, sizeof tags->title, "%s", title);
    if (tags->number == 0)
        tags->number = (int)number;
}

void library_words_complete(struct track_tags *tags, const char *folder, const char *file)
{
    char *const texts[] = {tags->title, tags->artist, tags->album};
    const char *slash = strrchr(folder, '/');
    if (!tags->title[0])
        take_title(tags, file);
    if (!tags->album[0])
        snprintf(tags->album, sizeof tags->album, "%s", slash ? slash + 1 : folder);
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        text_defuse(texts[i], '?');
}
