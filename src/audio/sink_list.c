/*
 * sink_list.c: the playback devices that ALSA's configuration offers.
 */
#include "tutti/audio/sink.h"

#include <alsa/asoundlib.h>
#include <stdlib.h>
#include <string.h>

void sink_list_devices(void (*each)(void *user, const char *name, const char *description),
                       void *user)
{
    void **hints = NULL;
    if (snd_device_name_hint(-1, "pcm", &hints) < 0)
        return;
    for (void **hint = hints; *hint; hint++) {
        char *name = snd_device_name_get_hint(*hint, "NAME");
        char *description = snd_device_name_get_hint(*hint, "DESC");
        char *direction = snd_device_name_get_hint(*hint, "IOID");
        if (name && (!direction || strcmp(direction, "Output") == 0))
            each(user, name, description ? description : "");
        free(name);
        free(description);
        free(direction);
    }
    snd_device_name_free_hint(hints);
}
