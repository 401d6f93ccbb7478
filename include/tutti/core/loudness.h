/*
 * loudness.h: how loud a track is, and by which factor it is played to be as loud as others.
 *
 * As ReplayGain 2.0 has it (https://wiki.hydrogenaud.io/index.php?title=ReplayGain_2.0_specification):
 * gains bring a track, or its album as a whole, to -18 LUFS (ITU-R BS.1770); peaks are the largest
 * sample, 1 being full scale.
 */
#ifndef TUTTI_CORE_LOUDNESS_H
#define TUTTI_CORE_LOUDNESS_H

#include <stdbool.h>

#define LOUDNESS_REFERENCE_LUFS (-18.0)
/* No music needs more, up or down: what is beyond it is no gain. */
#define LOUDNESS_GAIN_MAX_DB 60
/* Nor is music so soft that it is raised by more than this, however low a peak is told. */
#define LOUDNESS_RAISED_MAX_DB 18
/* Lossy formats overshoot; what is far beyond full scale is no peak. */
#define LOUDNESS_PEAK_MAX 16

/* NAN: not known. */
struct loudness {
    double track_gain_db, track_peak;
    double album_gain_db, album_peak;
};
struct loudness loudness_unknown(void);
bool loudness_is_known(const struct loudness *loudness); /* Is there any gain? */

/* Of a number from outside: itself, or NAN where it is no gain, or no peak. */
double loudness_gain_db(double gain_db);
double loudness_peak(double peak);

enum replaygain { REPLAYGAIN_OFF, REPLAYGAIN_TRACK, REPLAYGAIN_ALBUM };

/*
 * What every sample of the track is multiplied by. The gain that is not known is replaced by the other;
 * without any it is 1. Never so much that the peak goes beyond full scale, not more than 1 where
 * the peak is not known, and never more than LOUDNESS_RAISED_MAX_DB.
 */
double loudness_factor(enum replaygain mode, const struct loudness *loudness);

#endif
