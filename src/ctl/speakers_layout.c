/*
 * speakers_layout.c: the table of speakers_watch.h: name, sound and volume side by side; where the
 * terminal is too narrow for that, what says most.
 */
#include "members.h"
#include "speaker_words.h"
#include "speakers_watch.h"

#include <stdio.h>
#include <string.h>

#define NAME_COLUMNS_MAX 24
#define SOUND_COLUMNS 22 /* "recovering +12345 us" */
#define VOLUME_COLUMNS 11

static int name_columns(int columns)
{
    int left = columns - SOUND_COLUMNS - VOLUME_COLUMNS - 3;
    if (left < 12) /* without the volume */
        left = columns - SOUND_COLUMNS - 2;
    if (left < 8) /* half and half */
        left = columns / 2;
    return left < NAME_COLUMNS_MAX ? left : NAME_COLUMNS_MAX;
}

static void show_speaker(struct view *view, int row, const cJSON *speaker)
{
    char volume[SPEAKER_WORDS_MAX], sound[SPEAKER_WORDS_MAX];
    enum ink ink = !member_is_true(speaker, "connected")   ? INK_WAITING
                   : *member_text(speaker, "device_error") ? INK_BAD
                                                           : INK_PLAIN;
    speaker_words_volume(speaker, volume, sizeof volume);
    speaker_words_sound(speaker, sound, sizeof sound);
    view_put(view, row, INK_PLAIN, " ");
    view_field(view, row, ink, name_columns(view->columns), member_text(speaker, "name"));
    view_put(view, row, INK_PLAIN, " ");
    if (view_columns_left(view, row) > SOUND_COLUMNS + VOLUME_COLUMNS) {
        view_field(view, row, INK_PLAIN, VOLUME_COLUMNS, volume);
        view_put(view, row, INK_PLAIN, " ");
    }
    view_put(view, row, INK_PLAIN, sound);
}

static void show_title(struct view *view, int count, int shown)
{
    char title[64];
    if (shown < count)
        snprintf(title, sizeof title, " Speakers, %d of %d", shown, count);
    else
        snprintf(title, sizeof title, " Speakers, %d", count);
    view_field(view, 0, INK_TITLE, view->columns, title);
}

void speakers_layout(struct view *view, const cJSON *speakers, const char *problem, int rows,
                     int columns)
{
    int row = 1, count = cJSON_GetArraySize(speakers);
    view_begin(view, rows, columns);
    int room = view->rows - 2 < 0 ? 0 : view->rows - 2; /* the title, and what stands below */
    show_title(view, count, count < room ? count : room);
    const cJSON *speaker;
    cJSON_ArrayForEach(speaker, speakers)
    {
        if (row <= room)
            show_speaker(view, row++, speaker);
    }
    if (*problem) {
        view_put(view, view->rows - 1, INK_BAD, " ");
        view_put(view, view->rows - 1, INK_BAD, problem);
    } else {
        view_put(view, view->rows - 1, INK_BOLD, " q");
        view_put(view, view->rows - 1, INK_PLAIN, " quit");
    }
}
