/*
 * cue.c: see cue.h. Every note rises and falls by a raised cosine, over its whole length: nothing of
 * it is heard as a click, and a click is no more than it is to be.
 */
#include "tutti/audio/cue.h"

#include <math.h>

struct note {
    double begins_s, lasts_s;
    double hz;
    double peak;
};

/* One after another: no two sound at a time. -20 dBFS. */
static const struct note chime[] = {
    {0.0, 0.3, 523.25, 0.1}, /* C5, E5, G5 */
    {0.3, 0.3, 659.26, 0.1},
    {0.6, 0.4, 783.99, 0.1},
};

/* So short that it seems softer than it is. -14 dBFS. */
static const struct note click[] = {{0.0, 0.004, 2000, CUE_PEAK}};

static const struct cue {
    const struct note *notes;
    size_t count;
} cues[] = {
    [CUE_CHIME] = {chime, sizeof chime / sizeof *chime},
    [CUE_CLICK] = {click, sizeof click / sizeof *click},
};

double cue_length_s(enum cue_kind kind)
{
    const struct note *last = &cues[kind].notes[cues[kind].count - 1];
    return last->begins_s + last->lasts_s;
}

static const struct note *note_at(const struct cue *cue, double at_s)
{
    for (size_t i = 0; i < cue->count; i++) {
        const struct note *note = &cue->notes[i];
        if (at_s > note->begins_s && at_s < note->begins_s + note->lasts_s)
            return note;
    }
    return NULL;
}

/* A click is symmetric about its middle, by which it is found in a recording. */
static void mix_note(const struct note *note, double at_s, float *frame)
{
    double middle_s = at_s - note->begins_s - note->lasts_s / 2;
    double share = note->peak * (0.5 + 0.5 * cos(2 * M_PI * middle_s / note->lasts_s));
    double sound = share * cos(2 * M_PI * note->hz * middle_s);
    for (int i = 0; i < CUE_CHANNELS; i++)
        frame[i] = (float)(sound + (1 - share) * (double)frame[i]);
}

void cue_mix(enum cue_kind kind, double first_s, double rate_hz, float *frames, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        double at_s = first_s + (double)i / rate_hz;
        const struct note *note = note_at(&cues[kind], at_s);
        if (note)
            mix_note(note, at_s, frames + CUE_CHANNELS * i);
    }
}
