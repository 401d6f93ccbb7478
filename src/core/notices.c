/*
 * notices.c: see notices.h. The texts themselves are not kept, only hashes of them: two texts of
 * one hash would cost a line in the log, no more.
 */
#include "tutti/core/notices.h"

#include <stdio.h>

/* FNV-1a, http://www.isthe.com/chongo/tech/comp/fnv/ */
static uint64_t hash_of(const char *text)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    for (; *text; text++)
        hash = (hash ^ (unsigned char)*text) * UINT64_C(0x100000001b3);
    return hash ? hash : 1;
}

static bool was_said(const struct notices *notices, uint64_t text, struct mono_time now)
{
    for (int i = 0; i < NOTICES_MAX; i++) {
        if (notices->said[i].text == text && mono_sub(now, notices->said[i].at) < NOTICES_AGAIN_NS)
            return true;
    }
    return false;
}

/* As of a bucket that holds NOTICES_BURST, and gets one every NOTICES_REFILL_NS. */
static bool take_leave(struct notices *notices, struct mono_time now)
{
    bool full = notices->count == 0 || mono_sub(now, notices->full_at) > 0;
    struct mono_time full_at = mono_add(full ? now : notices->full_at, NOTICES_REFILL_NS);
    if (mono_sub(full_at, now) > NOTICES_BURST * NOTICES_REFILL_NS)
        return false;
    notices->full_at = full_at;
    return true;
}

/* The text's own place if it has one, else that of what was said first. */
static void remember(struct notices *notices, uint64_t text, struct mono_time now)
{
    unsigned place = 0;
    for (unsigned i = 0; i < NOTICES_MAX; i++) {
        if (notices->said[i].text == text) {
            place = i;
            break;
        }
        bool free = notices->said[i].text == 0;
        bool taken = notices->said[place].text != 0;
        if (taken && (free || mono_sub(notices->said[i].at, notices->said[place].at) < 0))
            place = i;
    }
    notices->said[place].text = text;
    notices->said[place].at = now;
    notices->count++;
}

bool notices_take(struct notices *notices, const char *text, struct mono_time now,
                  unsigned *ret_withheld)
{
    uint64_t hash = hash_of(text);
    if (was_said(notices, hash, now) || !take_leave(notices, now)) {
        notices->withheld++;
        return false;
    }
    remember(notices, hash, now);
    *ret_withheld = notices->withheld;
    notices->withheld = 0;
    return true;
}

bool notices_pass(struct notices *notices, struct mono_time now, unsigned *ret_withheld)
{
    if (!take_leave(notices, now)) {
        notices->withheld++;
        return false;
    }
    notices->count++;
    *ret_withheld = notices->withheld;
    notices->withheld = 0;
    return true;
}

void notices_print_withheld(unsigned withheld, char to[NOTICES_WITHHELD_MAX])
{
    to[0] = '\0';
    if (withheld > 0)
        snprintf(to, NOTICES_WITHHELD_MAX, " (%u others before were not logged)", withheld);
}
