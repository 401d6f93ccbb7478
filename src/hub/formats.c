/*
 * formats.c: a format is written as its kind is called, and so is the ending of its files.
 */
#include "formats.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

_Static_assert(AUDIO_KINDS <= 64, "a bit for each");

static formats_t bit(enum audio_kind kind)
{
    return (formats_t)1 << kind;
}

formats_t formats_played(void)
{
    formats_t formats = 0;
    for (int kind = 0; kind < AUDIO_KINDS; kind++)
        if (audio_kind_is_played((enum audio_kind)kind))
            formats |= bit((enum audio_kind)kind);
    return formats;
}

bool formats_have(formats_t formats, enum audio_kind kind)
{
    return (formats & bit(kind)) != 0;
}

/* AUDIO_UNKNOWN: none that is played is called so. */
static enum audio_kind kind_called(const char *word, size_t length)
{
    for (int kind = 0; kind < AUDIO_KINDS; kind++) {
        if (!audio_kind_is_played((enum audio_kind)kind))
            continue;
        const char *name = audio_kind_name((enum audio_kind)kind);
        if (strlen(name) == length && strncasecmp(word, name, length) == 0)
            return (enum audio_kind)kind;
    }
    return AUDIO_UNKNOWN;
}

bool formats_parse(const char *text, formats_t *ret)
{
    formats_t formats = 0;
    for (text += strspn(text, " "); *text; text += strspn(text, " ")) {
        size_t length = strcspn(text, " ");
        enum audio_kind kind = kind_called(text, length);
        if (kind == AUDIO_UNKNOWN)
            return false;
        formats |= bit(kind);
        text += length;
    }
    *ret = formats;
    return formats != 0;
}

/* "mp3, MP4" */
static void list_names(formats_t formats, char to[FORMATS_TEXT_MAX])
{
    size_t used = 0;
    *to = '\0';
    for (int kind = 0; kind < AUDIO_KINDS && used < FORMATS_TEXT_MAX; kind++)
        if (formats_have(formats, (enum audio_kind)kind))
            used += (size_t)snprintf(to + used, FORMATS_TEXT_MAX - used, "%s%s", used ? ", " : "",
                                     audio_kind_name((enum audio_kind)kind));
}

void formats_refusal(formats_t formats, enum audio_kind kind, char to[AUDIO_REFUSAL_MAX])
{
    char names[FORMATS_TEXT_MAX];
    audio_probe_refusal(kind, to);
    if (*to || formats_have(formats, kind))
        return;
    list_names(formats, names);
    snprintf(to, AUDIO_REFUSAL_MAX, "it is %s; this hub takes %s ([media] formats)",
             audio_kind_name(kind), names);
}

void formats_ending(enum audio_kind kind, char to[8])
{
    snprintf(to, 8, "%s", audio_kind_name(kind));
    for (char *letter = to; *letter; letter++)
        *letter = (char)tolower((unsigned char)*letter);
}

enum audio_kind formats_kind(const char *path)
{
    const char *dot = strrchr(path, '.');
    return dot ? kind_called(dot + 1, strlen(dot + 1)) : AUDIO_UNKNOWN;
}

const char *formats_media_type(const char *path)
{
    return audio_kind_media_type(formats_kind(path));
}
