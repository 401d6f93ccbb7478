/*
 * transport.c: facts to state, most decisive fact first.
 */
#include "tutti/core/transport.h"

enum transport_state transport_next(const struct transport_facts *facts)
{
    if (!facts->track)
        return TRANSPORT_IDLE;
    if (facts->failed)
        return TRANSPORT_FAILED;
    if (!facts->playing)
        return TRANSPORT_PAUSED;
    if (facts->past_end)
        return TRANSPORT_ENDED;
    if (!facts->output_ready)
        return TRANSPORT_RECOVERING;
    if (facts->joined)
        return facts->sounding ? TRANSPORT_PLAYING : TRANSPORT_ARMED;
    return TRANSPORT_LOADING;
}

const char *transport_name(enum transport_state state)
{
    static const char *const names[] = {
        [TRANSPORT_IDLE] = "idle",
        [TRANSPORT_LOADING] = "loading",
        [TRANSPORT_ARMED] = "armed",
        [TRANSPORT_PLAYING] = "playing",
        [TRANSPORT_PAUSED] = "paused",
        [TRANSPORT_ENDED] = "ended",
        [TRANSPORT_RECOVERING] = "recovering",
        [TRANSPORT_FAILED] = "failed",
    };
    return names[state];
}
