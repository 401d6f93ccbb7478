/*
 * avahi_object.c: our objects at Avahi: their paths, and their end.
 */
#include "avahi_internal.h"

#include <string.h>

bool avahi_take_path(sd_bus_message *answer, char path[AVAHI_PATH_MAX])
{
    const char *text = NULL;
    if (sd_bus_message_is_method_error(answer, NULL) ||
        sd_bus_message_read(answer, "o", &text) < 0 || strlen(text) >= AVAHI_PATH_MAX)
        return false;
    strcpy(path, text);
    return true;
}

void avahi_free_object(struct avahi *avahi, char path[AVAHI_PATH_MAX], const char *interface)
{
    sd_bus_message *message = NULL;
    if (path[0] && avahi->bus &&
        sd_bus_message_new_method_call(avahi->bus, &message, AVAHI_BUS_NAME, path, interface,
                                       "Free") >= 0) {
        sd_bus_message_set_expect_reply(message, 0);
        sd_bus_send(avahi->bus, message, NULL);
    }
    sd_bus_message_unref(message);
    path[0] = '\0';
}
