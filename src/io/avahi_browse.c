/*
 * avahi_browse.c: a browser, and a resolver for each of the services that it finds.
 *
 * What signals say is matched by interface, protocol and name, not by whose object says it: they may
 * come before the answer that tells the object. Of more services than there is room for, a random
 * choice is looked at, another one every minute: who announces thousands hides nobody for ever.
 */
#include "avahi_internal.h"
#include "tutti/base/log.h"
#include "tutti/io/mono_clock.h"

#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#define BROWSER AVAHI_BUS_NAME ".ServiceBrowser"
#define RESOLVER AVAHI_BUS_NAME ".ServiceResolver"

static const int64_t ANOTHER_LOOK_NS = 60 * NS_PER_S;

struct sighting {
    int interface, protocol;
    const char *name, *type, *domain;
};

static bool read_sighting(sd_bus_message *message, struct sighting *ret)
{
    return sd_bus_message_read(message, "iisss", &ret->interface, &ret->protocol, &ret->name,
                               &ret->type, &ret->domain) >= 0 &&
           strlen(ret->name) < AVAHI_NAME_MAX;
}

static struct avahi_item *find(struct avahi *avahi, const struct sighting *of)
{
    for (int i = 0; i < AVAHI_ITEMS_MAX; i++) {
        struct avahi_item *item = &avahi->browsing.items[i];
        if ((item->state == ITEM_ASKED || item->state == ITEM_RESOLVING) &&
            item->interface == of->interface && item->protocol == of->protocol &&
            strcmp(item->name, of->name) == 0)
            return item;
    }
    return NULL;
}

static void tell(struct avahi *avahi, enum avahi_news news, const struct avahi_item *item)
{
    struct avahi_event event = {.news = news};
    if (item) {
        event.interface = item->interface;
        event.protocol = item->protocol;
        memcpy(event.name, item->name, AVAHI_NAME_MAX);
    }
    avahi_tell(avahi, &event);
}

/* --- resolvers ----------------------------------------------------------------------------- */

static void drop(struct avahi *avahi, struct avahi_item *item)
{
    if (item->state == ITEM_ASKED) { /* its place is kept until the answer */
        item->state = ITEM_DEAD;
    } else if (item->state == ITEM_RESOLVING) {
        avahi_free_object(avahi, item->resolver, RESOLVER);
        item->state = ITEM_FREE;
    }
}

static int resolver_told(sd_bus_message *answer, void *user, sd_bus_error *error)
{
    struct avahi_item *item = user;
    (void)error;
    bool good = avahi_take_path(answer, item->resolver);
    if (item->state == ITEM_ASKED && good) {
        item->state = ITEM_RESOLVING;
        return 0;
    }
    if (good)
        avahi_free_object(item->avahi, item->resolver, RESOLVER);
    item->state = ITEM_FREE;
    return 0;
}

static void resolve(struct avahi *avahi, struct avahi_item *item, const struct sighting *of)
{
    *item = (struct avahi_item){
        .avahi = avahi, .state = ITEM_ASKED, .interface = of->interface, .protocol = of->protocol};
    strcpy(item->name, of->name);
    if (sd_bus_call_method_async(avahi->bus, NULL, AVAHI_BUS_NAME, "/", AVAHI_SERVER,
                                 "ServiceResolverNew", resolver_told, item, "iisssiu",
                                 of->interface, of->protocol, of->name, of->type, of->domain,
                                 of->protocol, 0u) < 0)
        item->state = ITEM_FREE;
}

static void take_txt(struct avahi_event *event, const char *text, size_t length)
{
    if (length == 5 && memcmp(text, "tls=1", 5) == 0)
        event->tls = true;
    else if (length > 5 && length - 5 < sizeof event->path && memcmp(text, "path=", 5) == 0)
        snprintf(event->path, sizeof event->path, "%.*s", (int)(length - 5), text + 5);
}

static bool read_txt(sd_bus_message *message, struct avahi_event *event)
{
    const void *text;
    size_t length;
    if (sd_bus_message_enter_container(message, 'a', "ay") < 0)
        return false;
    while (sd_bus_message_read_array(message, 'y', &text, &length) > 0)
        take_txt(event, text, length);
    return true;
}

static int found(sd_bus_message *message, void *user, sd_bus_error *error)
{
    struct avahi *avahi = user;
    struct avahi_event event = {.news = AVAHI_FOUND};
    struct sighting sighting;
    const char *host, *address;
    int address_protocol;
    (void)error;
    if (!read_sighting(message, &sighting) || !find(avahi, &sighting) ||
        sd_bus_message_read(message, "sisq", &host, &address_protocol, &address, &event.port) < 0 ||
        !read_txt(message, &event) || strlen(host) >= sizeof event.host ||
        strlen(address) >= sizeof event.address)
        return 0;
    event.interface = sighting.interface;
    event.protocol = sighting.protocol;
    strcpy(event.name, sighting.name);
    strcpy(event.host, host);
    strcpy(event.address, address);
    avahi_tell(avahi, &event);
    return 0;
}

/* It is announced, and has no address any more, or none yet. */
static int not_found(sd_bus_message *message, void *user, sd_bus_error *error)
{
    struct avahi *avahi = user;
    const char *path = sd_bus_message_get_path(message);
    (void)error;
    for (int i = 0; path && i < AVAHI_ITEMS_MAX; i++) {
        const struct avahi_item *item = &avahi->browsing.items[i];
        if (item->state == ITEM_RESOLVING && strcmp(item->resolver, path) == 0)
            tell(avahi, AVAHI_VANISHED, item);
    }
    return 0;
}

/* --- the browser --------------------------------------------------------------------------- */

static struct avahi_item *free_item(struct avahi *avahi)
{
    for (int i = 0; i < AVAHI_ITEMS_MAX; i++)
        if (avahi->browsing.items[i].state == ITEM_FREE)
            return &avahi->browsing.items[i];
    return NULL;
}

static void note_crowd(struct avahi *avahi)
{
    struct avahi_browsing *browsing = &avahi->browsing;
    if (browsing->crowded)
        return;
    browsing->crowded = true;
    browsing->again_at = mono_add(mono_clock_now(), ANOTHER_LOOK_NS);
    log_warn("more than %d services of type %s announce themselves on this network: some of them "
             "are looked at",
             AVAHI_ITEMS_MAX, browsing->type);
    tell(avahi, AVAHI_CROWDED, NULL);
}

/* Each of all that were seen is as likely to be among those that are kept. */
static struct avahi_item *random_item(struct avahi *avahi)
{
    uint32_t number;
    if (getrandom(&number, sizeof number, 0) != sizeof number)
        return NULL;
    number %= avahi->browsing.seen;
    struct avahi_item *item = number < AVAHI_ITEMS_MAX ? &avahi->browsing.items[number] : NULL;
    if (!item || item->state != ITEM_RESOLVING)
        return NULL;
    tell(avahi, AVAHI_VANISHED, item);
    drop(avahi, item);
    return item;
}

static int item_new(sd_bus_message *message, void *user, sd_bus_error *error)
{
    struct avahi *avahi = user;
    struct sighting sighting;
    (void)error;
    if (!read_sighting(message, &sighting) || strcmp(sighting.type, avahi->browsing.type) != 0 ||
        find(avahi, &sighting))
        return 0;
    avahi->browsing.seen++;
    struct avahi_item *item = free_item(avahi);
    if (!item) {
        note_crowd(avahi);
        item = random_item(avahi);
    }
    if (item)
        resolve(avahi, item, &sighting);
    return 0;
}

static int item_removed(sd_bus_message *message, void *user, sd_bus_error *error)
{
    struct avahi *avahi = user;
    struct sighting sighting;
    struct avahi_item *item = NULL;
    (void)error;
    if (read_sighting(message, &sighting))
        item = find(avahi, &sighting);
    if (!item)
        return 0;
    tell(avahi, AVAHI_VANISHED, item);
    drop(avahi, item);
    return 0;
}

static int browser_told(sd_bus_message *answer, void *user, sd_bus_error *error)
{
    struct avahi *avahi = user;
    (void)error;
    avahi->browsing.asked = false;
    if (!avahi_take_path(answer, avahi->browsing.browser))
        log_warn("Avahi does not look for %s", avahi->browsing.type);
    return 0;
}

void avahi_browse_begin(struct avahi *avahi)
{
    struct avahi_browsing *browsing = &avahi->browsing;
    if (!browsing->type[0] || browsing->asked || browsing->browser[0])
        return;
    browsing->seen = 0;
    browsing->asked = sd_bus_call_method_async(avahi->bus, NULL, AVAHI_BUS_NAME, "/", AVAHI_SERVER,
                                               "ServiceBrowserNew", browser_told, avahi, "iissu",
                                               -1, -1, browsing->type, "", 0u) >= 0;
}

void avahi_browse_forget(struct avahi *avahi)
{
    struct avahi_browsing *browsing = &avahi->browsing;
    bool known = browsing->seen > 0;
    for (int i = 0; i < AVAHI_ITEMS_MAX; i++) {
        struct avahi_item *item = &browsing->items[i];
        item->state = item->state == ITEM_RESOLVING ? ITEM_FREE : item->state;
        item->state = item->state == ITEM_ASKED ? ITEM_DEAD : item->state;
    }
    browsing->browser[0] = '\0';
    browsing->asked = browsing->crowded = false;
    browsing->seen = 0;
    if (known)
        tell(avahi, AVAHI_RESET, NULL);
}

struct mono_time avahi_browse_due(const struct avahi *avahi)
{
    return avahi->browsing.crowded ? avahi->browsing.again_at : (struct mono_time){INT64_MAX};
}

/* Another choice out of the crowd. */
void avahi_browse_look(struct avahi *avahi, struct mono_time now)
{
    struct avahi_browsing *browsing = &avahi->browsing;
    if (!browsing->crowded || mono_sub(now, browsing->again_at) < 0 || !browsing->browser[0])
        return;
    avahi_free_object(avahi, browsing->browser, BROWSER);
    for (int i = 0; i < AVAHI_ITEMS_MAX; i++)
        drop(avahi, &browsing->items[i]);
    browsing->crowded = false;
    tell(avahi, AVAHI_RESET, NULL);
    avahi_browse_begin(avahi);
}

/* On a new connection, where no answer to an older question can come. */
int avahi_browse_watch(struct avahi *avahi)
{
    static const struct {
        const char *interface, *member;
        sd_bus_message_handler_t handler;
    } signals[] = {{BROWSER, "ItemNew", item_new},
                   {BROWSER, "ItemRemove", item_removed},
                   {RESOLVER, "Found", found},
                   {RESOLVER, "Failure", not_found}};
    int result = 0;
    for (int i = 0; i < AVAHI_ITEMS_MAX; i++)
        avahi->browsing.items[i].state = ITEM_FREE;
    for (size_t i = 0; result >= 0 && i < sizeof signals / sizeof *signals; i++)
        result = sd_bus_match_signal(avahi->bus, NULL, AVAHI_BUS_NAME, NULL, signals[i].interface,
                                     signals[i].member, signals[i].handler, avahi);
    return result;
}
