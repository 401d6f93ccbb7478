/*
 * avahi_announce.c: one service in one entry group, again whenever Avahi's own name is settled.
 */
#include "avahi_internal.h"
#include "tutti/base/log.h"

#include <stdio.h>
#include <string.h>

#define GROUP AVAHI_BUS_NAME ".EntryGroup"

/* Somebody who takes each name that we try is not to keep us busy. */
#define COLLISIONS_MAX 20

/* Avahi's numbers. */
enum { SERVER_RUNNING = 2 };
enum { GROUP_ESTABLISHED = 2, GROUP_COLLISION = 3, GROUP_FAILURE = 4 };

static void announce(struct avahi *avahi);

static int renamed(sd_bus_message *answer, void *user, sd_bus_error *error)
{
    struct avahi *avahi = user;
    const char *name;
    (void)error;
    if (sd_bus_message_is_method_error(answer, NULL) ||
        sd_bus_message_read(answer, "s", &name) < 0 || strlen(name) >= AVAHI_NAME_MAX)
        return 0;
    strcpy(avahi->announcing.name, name);
    announce(avahi);
    return 0;
}

static void take_another_name(struct avahi *avahi)
{
    struct avahi_announcing *announcing = &avahi->announcing;
    if (announcing->collisions++ >= COLLISIONS_MAX) {
        log_warn("Avahi: every name like \"%s\" is taken on this network: not announced",
                 announcing->service.name);
        return;
    }
    sd_bus_call_method_async(avahi->bus, NULL, AVAHI_BUS_NAME, "/", AVAHI_SERVER,
                             "GetAlternativeServiceName", renamed, avahi, "s", announcing->name);
}

static int committed(sd_bus_message *answer, void *user, sd_bus_error *error)
{
    (void)user;
    (void)error;
    if (sd_bus_message_is_method_error(answer, NULL))
        log_warn("Avahi does not announce us: %s", sd_bus_message_get_error(answer)->message);
    return 0;
}

static int added(sd_bus_message *answer, void *user, sd_bus_error *error)
{
    struct avahi *avahi = user;
    (void)error;
    if (sd_bus_message_is_method_error(answer, AVAHI_BUS_NAME ".CollisionError"))
        take_another_name(avahi);
    else if (sd_bus_message_is_method_error(answer, NULL))
        log_warn("Avahi does not announce us: %s", sd_bus_message_get_error(answer)->message);
    else if (avahi->announcing.group[0])
        sd_bus_call_method_async(avahi->bus, NULL, AVAHI_BUS_NAME, avahi->announcing.group, GROUP,
                                 "Commit", committed, avahi, "");
    return 0;
}

static int append_txt(sd_bus_message *message, const struct avahi_service *service)
{
    int result = sd_bus_message_open_container(message, 'a', "ay");
    for (int i = 0; result >= 0 && i < AVAHI_TXT_MAX && service->txt[i][0]; i++)
        result =
            sd_bus_message_append_array(message, 'y', service->txt[i], strlen(service->txt[i]));
    return result < 0 ? result : sd_bus_message_close_container(message);
}

static void announce(struct avahi *avahi)
{
    const struct avahi_announcing *announcing = &avahi->announcing;
    const struct avahi_service *service = &announcing->service;
    sd_bus_message *message = NULL;
    if (!announcing->group[0])
        return;
    sd_bus_call_method_async(avahi->bus, NULL, AVAHI_BUS_NAME, announcing->group, GROUP, "Reset",
                             committed, avahi, "");
    int result = sd_bus_message_new_method_call(avahi->bus, &message, AVAHI_BUS_NAME,
                                                announcing->group, GROUP, "AddService");
    if (result >= 0)
        result =
            sd_bus_message_append(message, "iiussssq", service->interface, (int)service->protocol,
                                  0u, announcing->name, service->type, "", "", service->port);
    if (result >= 0)
        result = append_txt(message, service);
    if (result >= 0)
        result = sd_bus_call_async(avahi->bus, NULL, message, added, avahi, 0);
    if (result < 0)
        log_warn("Avahi: cannot be asked to announce us: %s", strerror(-result));
    sd_bus_message_unref(message);
}

static int group_told(sd_bus_message *answer, void *user, sd_bus_error *error)
{
    struct avahi *avahi = user;
    (void)error;
    avahi->announcing.asked = false;
    if (avahi_take_path(answer, avahi->announcing.group))
        announce(avahi);
    return 0;
}

void avahi_announce_begin(struct avahi *avahi)
{
    struct avahi_announcing *announcing = &avahi->announcing;
    if (!announcing->service.type || announcing->asked || announcing->group[0])
        return;
    announcing->asked =
        sd_bus_call_method_async(avahi->bus, NULL, AVAHI_BUS_NAME, "/", AVAHI_SERVER,
                                 "EntryGroupNew", group_told, avahi, "") >= 0;
}

void avahi_announce_forget(struct avahi *avahi)
{
    avahi->announcing.group[0] = '\0';
    avahi->announcing.asked = false;
}

/* The machine has another name from now on: so have its services. */
static int server_changed(sd_bus_message *message, void *user, sd_bus_error *error)
{
    int state;
    (void)error;
    if (sd_bus_message_read(message, "i", &state) >= 0 && state == SERVER_RUNNING)
        announce(user);
    return 0;
}

static int group_changed(sd_bus_message *message, void *user, sd_bus_error *error)
{
    struct avahi *avahi = user;
    int state;
    const char *why;
    (void)error;
    if (sd_bus_message_read(message, "is", &state, &why) < 0)
        return 0;
    if (state == GROUP_COLLISION) {
        take_another_name(avahi);
    } else if (state == GROUP_FAILURE) {
        log_warn("Avahi does not announce us: %s", why);
    } else if (state == GROUP_ESTABLISHED) {
        avahi->announcing.collisions = 0;
        log_info("announced on the network as \"%s\"", avahi->announcing.name);
    }
    return 0;
}

int avahi_announce_watch(struct avahi *avahi)
{
    int result = sd_bus_match_signal(avahi->bus, NULL, AVAHI_BUS_NAME, NULL, AVAHI_SERVER,
                                     "StateChanged", server_changed, avahi);
    if (result < 0)
        return result;
    return sd_bus_match_signal(avahi->bus, NULL, AVAHI_BUS_NAME, NULL, GROUP, "StateChanged",
                               group_changed, avahi);
}
