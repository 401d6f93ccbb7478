/*
 * print.h: the daemon's answers for people, in 80 columns.
 */
#ifndef TUTTI_CTL_PRINT_H
#define TUTTI_CTL_PRINT_H

#include "orders.h"
#include "paper.h"

struct print_context {
    const struct order_call *call;
    const char *subject; /* of the order */
    double answered_ms;  /* by our clock, where the daemon does not say how long it took */
    const char *done;    /* the command's word for what it did: "paused" */
};

typedef void print_answer(const struct paper *paper, const cJSON *answer,
                          const struct print_context *context);

print_answer print_status;
print_answer print_confirmed;
print_answer print_toggled;
print_answer print_skipped; /* to which track */
print_answer print_playlist;
print_answer print_requests;
print_answer print_request; /* made, approved or denied */
print_answer print_pairing; /* who asks to be let in, or who was */
print_answer print_session;
print_answer print_settings;
print_answer print_speakers;
print_answer print_speaker;      /* named */
print_answer print_rooms_volume; /* of those that are in answer->speakers */
print_answer print_rooms_mute;
print_answer print_rooms_latency;
print_answer print_rooms_identified;
print_answer print_rooms_clicks;
print_answer print_identified;
print_answer print_clicks;
print_answer print_volume;
print_answer print_muted;
print_answer print_latency;
print_answer print_level;
print_answer print_devices;

/* Who made it. */
const char *print_requester(const cJSON *request);

#endif
