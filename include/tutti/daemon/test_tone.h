/*
 * test_tone.h: is the right loudspeaker on the right side? A tone on the left, on the right, on
 * both, without a backend; and what was agreed on with the sound device.
 */
#ifndef TUTTI_DAEMON_TEST_TONE_H
#define TUTTI_DAEMON_TEST_TONE_H

#include "tutti/core/settings.h"
#include "tutti/daemon/daemon.h"

/* Plays for a few seconds on [audio] device, at [audio] volume below a moderate level, and says on
 * stdout what it does. DAEMON_EXIT_OK, or DAEMON_EXIT_FAILED with the reason on stderr. */
enum daemon_exit test_tone_run(const struct settings *settings);

#endif
