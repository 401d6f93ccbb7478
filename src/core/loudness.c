/*
 * loudness.c: see loudness.h.
 */
#include "tutti/core/loudness.h"

#include <math.h>

struct loudness loudness_unknown(void)
{
    return (struct loudness){NAN, NAN, NAN, NAN};
}

bool loudness_is_known(const struct loudness *loudness)
{
    return !isnan(loudness->track_gain_db) || !isnan(loudness->album_gain_db);
}

double loudness_gain_db(double gain_db)
{
    return fabs(gain_db) <= LOUDNESS_GAIN_MAX_DB ? gain_db : NAN;
}

double loudness_peak(double peak)
{
    return peak > 0 && peak <= LOUDNESS_PEAK_MAX ? peak : NAN;
}

/* The peak limits it, and reason does: whoever lies about the one lies about the other. */
static double factor_of(double gain_db, double peak)
{
    double limit = isnan(peak) ? 1 : 1 / peak;
    return fmin(pow(10, fmin(gain_db, LOUDNESS_RAISED_MAX_DB) / 20), limit);
}

/* The album's peak limits the album's gain, so that all of its tracks have the same factor. */
double loudness_factor(enum replaygain mode, const struct loudness *loudness)
{
    bool album = !isnan(loudness->album_gain_db) &&
                 (mode == REPLAYGAIN_ALBUM || isnan(loudness->track_gain_db));
    double gain_db = album ? loudness->album_gain_db : loudness->track_gain_db;
    double peak =
        album && !isnan(loudness->album_peak) ? loudness->album_peak : loudness->track_peak;
    if (mode == REPLAYGAIN_OFF || isnan(gain_db))
        return 1;
    return factor_of(gain_db, peak);
}
