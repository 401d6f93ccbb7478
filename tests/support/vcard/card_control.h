/*
 * card_control.h: commands to a running card, as lines that a test appends to a file.
 *
 *   fail        the card is gone: handles die with ENODEV, opening fails, until `ok`
 *   busy        opening fails with EBUSY until `ok`; open handles go on
 *   ok          ends fail and busy
 *   xrun        one xrun, now
 *   suspend     one system suspend, now
 *   freeze      the pointer stands still until `thaw`
 *   ppm X       the crystal is off by X ppm from now on
 * A card that opens takes from the lines already there what lasts: fail, busy, ok, ppm.
 * Truncating the file and writing anew works as well.
 */
#ifndef VCARD_CARD_CONTROL_H
#define VCARD_CARD_CONTROL_H

#include <stdbool.h>
#include <sys/types.h>

enum card_command {
    CARD_FAIL,
    CARD_BUSY,
    CARD_OK,
    CARD_XRUN,
    CARD_SUSPEND,
    CARD_FREEZE,
    CARD_THAW,
    CARD_PPM,
};

struct card_control {
    const char *path; /* NULL: none. Not owned */
    off_t read_bytes;
};

typedef void card_control_fn(void *user, enum card_command command, double value);

/* Calls back for every whole line that has come since the last call. */
void card_control_poll(struct card_control *control, card_control_fn *each, void *user);

#endif
