/*
 * avahi_internal.h: the parts of avahi: its thread and the bus (avahi.c), what is announced
 * (avahi_announce.c), what is looked for (avahi_browse.c); below these, the objects at Avahi
 * (avahi_object.c) and the queue to the loop (avahi_queue.c). All but the queue is the thread's.
 */
#ifndef TUTTI_IO_AVAHI_INTERNAL_H
#define TUTTI_IO_AVAHI_INTERNAL_H

#include "tutti/base/units.h"
#include "tutti/io/avahi.h"

#include <pthread.h>
#include <systemd/sd-bus.h>

#define AVAHI_BUS_NAME "org.freedesktop.Avahi"
#define AVAHI_SERVER AVAHI_BUS_NAME ".Server"
#define AVAHI_PATH_MAX 128
#define AVAHI_ITEMS_MAX 64
#define AVAHI_QUEUE_MAX 16

enum avahi_item_state {
    ITEM_FREE,
    ITEM_ASKED, /* for a resolver */
    ITEM_RESOLVING,
    ITEM_DEAD, /* gone before its resolver came */
};

struct avahi_item {
    struct avahi *avahi;
    enum avahi_item_state state;
    int interface;
    int protocol;
    char name[AVAHI_NAME_MAX];
    char resolver[AVAHI_PATH_MAX];
};

struct avahi_announcing {
    struct avahi_service service; /* "" type: none */
    char name[AVAHI_NAME_MAX];    /* as it is now, after collisions */
    char group[AVAHI_PATH_MAX];   /* "": none */
    bool asked;                   /* for a group */
    int collisions;
};

struct avahi_browsing {
    char type[AVAHI_NAME_MAX]; /* "": nothing */
    char browser[AVAHI_PATH_MAX];
    bool asked;
    struct avahi_item items[AVAHI_ITEMS_MAX];
    unsigned seen; /* since the browser began */
    bool crowded;
    struct mono_time again_at; /* crowded: another look */
};

struct avahi {
    struct avahi_announcing announcing;
    struct avahi_browsing browsing;
    sd_bus *bus;
    bool is_there; /* Avahi is on the bus */
    bool said;     /* that it is not */
    bool optional; /* as configured */
    int64_t retry_ns;
    struct mono_time retry_at;

    pthread_t thread;
    int stop_fd;
    int news_fd;
    pthread_mutex_t lock; /* over the rest */
    pthread_cond_t room;
    struct avahi_event queue[AVAHI_QUEUE_MAX];
    int first, count;
    bool stopping;
};

/* avahi_queue.c: waits for room; false: stopping. */
bool avahi_tell(struct avahi *avahi, const struct avahi_event *event);

/* avahi_object.c: frees an object of ours at Avahi; path "" is fine, and is "" afterwards. */
void avahi_free_object(struct avahi *avahi, char path[AVAHI_PATH_MAX], const char *interface);
/* The answer's object path. False: an error, or nonsense. */
bool avahi_take_path(sd_bus_message *answer, char path[AVAHI_PATH_MAX]);

/* avahi_announce.c */
int avahi_announce_watch(struct avahi *avahi);
void avahi_announce_begin(struct avahi *avahi);
void avahi_announce_forget(struct avahi *avahi); /* Avahi is gone */

/* avahi_browse.c */
int avahi_browse_watch(struct avahi *avahi);
void avahi_browse_begin(struct avahi *avahi);
void avahi_browse_forget(struct avahi *avahi);
/* When there is something to do unasked; INT64_MAX: never. */
struct mono_time avahi_browse_due(const struct avahi *avahi);
void avahi_browse_look(struct avahi *avahi, struct mono_time now);

#endif
