/*
 * membership.h: with which membership of a session the next try is made, and when another one may
 * be asked for.
 *
 * A refusal may be a proxy that is being restarted, or a hub that runs on a disk not mounted yet.
 * So nothing that cannot be undone follows from one: the membership is kept and tried again. A
 * guest with a code joins anew once refusals have come for over a minute, with nothing else in
 * between; what it had is kept, and tried in turn, until the new one has worked. Each such joining
 * leaves a guest behind at the backend, so the next one takes twice as long. A host that has a
 * session never makes another: its guests would stay in the old one.
 */
#ifndef TUTTI_CORE_MEMBERSHIP_H
#define TUTTI_CORE_MEMBERSHIP_H

#include "tutti/base/units.h"

#include <stdbool.h>

enum membership_try {
    MEMBERSHIP_KEPT,   /* connect with the one that is kept */
    MEMBERSHIP_TRIAL,  /* connect with the one on trial beside it */
    MEMBERSHIP_OBTAIN, /* ask for one: join, or create */
};

struct membership {
    bool has_kept;
    bool has_trial; /* only beside a kept one */
    enum membership_try tried;
    unsigned refusals; /* in a row, of all that there are */
    struct mono_time refused_since;
    int64_t patience_ns; /* so long they must last */
};

/* has_kept: from an earlier life, or the configuration. */
void membership_init(struct membership *membership, bool has_kept);
/* What to try now. may_join: a guest that has a code. */
enum membership_try membership_next(struct membership *membership, bool may_join,
                                    struct mono_time now);

/* A handshake that is answered so, refuses the token; any other answer says nothing of it. */
bool membership_is_refusal(int status);
/* What came of it. Refused: by its answer to this token, not by its absence. */
void membership_refused(struct membership *membership, struct mono_time now);
void membership_failed(struct membership *membership);
/* Asking for one has failed, in whatever way. */
void membership_not_obtained(struct membership *membership);
/* There is a new one. True: it is on trial, beside the kept one; false: it is the one to keep. */
bool membership_obtained(struct membership *membership);
/* The session has told its state. True: by the one on trial, which is the one to keep from now on,
 * in the place of the other. */
bool membership_worked(struct membership *membership);

#endif
