/*
 * quiet_alsa.h: keeps alsa-lib from printing; what is wrong is said once, by whoever handles it.
 */
#ifndef TUTTI_AUDIO_QUIET_ALSA_H
#define TUTTI_AUDIO_QUIET_ALSA_H

/* For the whole process. */
void quiet_alsa(void);

#endif
