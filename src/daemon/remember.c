/*
 * remember.c: what must survive a restart: written in the background, whoever has changed it.
 */
#include "daemon_internal.h"

void daemon_keep_state(void *user)
{
    struct daemon *daemon = user;
    session_saver_save(daemon->saver, &daemon->state);
}

struct session_device *daemon_device(struct daemon *daemon)
{
    return session_state_device(&daemon->state, daemon->settings->audio.device);
}
