/*
 * loudness_meter.c: see loudness_meter.h. The histogram is the mode whose memory does not depend on
 * how long the track is; it is exact to 0.1 dB.
 */
#include "loudness_meter.h"

#include "tutti/core/decode_message.h"

#ifdef TUTTI_LOUDNESS
#include <ebur128.h>
#include <math.h>

static double peak_of(ebur128_state *meter)
{
    double left = 0, right = 0;
    ebur128_sample_peak(meter, 0, &left);
    ebur128_sample_peak(meter, 1, &right);
    return fmax(left, right);
}

static bool feed(struct track *track, ebur128_state *meter)
{
    float frames[DECODE_PCM_FRAMES_MAX * DECODE_CHANNELS];
    size_t count;
    while ((count = track_read(track, frames, DECODE_PCM_FRAMES_MAX)) > 0)
        if (ebur128_add_frames_float(meter, frames, count) != EBUR128_SUCCESS)
            return false;
    return true;
}

/* Of silence it is minus infinity. */
bool loudness_meter_run(struct track *track, struct loudness *ret)
{
    double lufs = -HUGE_VAL;
    *ret = loudness_unknown();
    ebur128_state *meter =
        ebur128_init(DECODE_CHANNELS, track_rate_hz(track),
                     EBUR128_MODE_I | EBUR128_MODE_HISTOGRAM | EBUR128_MODE_SAMPLE_PEAK);
    if (!meter)
        return false;
    track_seek(track, 0);
    if (feed(track, meter) && ebur128_loudness_global(meter, &lufs) == EBUR128_SUCCESS) {
        ret->track_gain_db = loudness_gain_db(LOUDNESS_REFERENCE_LUFS - lufs);
        ret->track_peak = loudness_peak(peak_of(meter));
    }
    ebur128_destroy(&meter);
    return loudness_is_known(ret);
}
#else
bool loudness_meter_run(struct track *track, struct loudness *ret)
{
    (void)track;
    *ret = loudness_unknown();
    return false;
}
#endif
