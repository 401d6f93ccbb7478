/*
 * avahi.h: the network's announcements (DNS-SD), through the Avahi daemon of this machine.
 *
 * A thread of its own speaks D-Bus: it announces one service, looks for services of one type and
 * resolves them. Without the bus, or without Avahi on it, it waits for them for as long as it
 * takes. Avahi may be started again at any time.
 */
#ifndef TUTTI_IO_AVAHI_H
#define TUTTI_IO_AVAHI_H

#include <stdbool.h>
#include <stdint.h>

#define AVAHI_TYPE_HUB "_tutti._tcp"
#define AVAHI_TYPE_SPEAKER "_tutti-speaker._tcp"

#define AVAHI_NAME_MAX 64
#define AVAHI_HOST_MAX 256
#define AVAHI_ADDRESS_MAX 48
#define AVAHI_TXT_MAX 4
#define AVAHI_TXT_BYTES 128

/* As Avahi numbers them. */
enum avahi_protocol {
    AVAHI_ANY = -1,
    AVAHI_IPV4 = 0,
    AVAHI_IPV6 = 1,
};

struct avahi_service {
    char name[AVAHI_NAME_MAX]; /* where another has it already, a number is added */
    const char *type;
    uint16_t port;
    int interface; /* its index; -1: all */
    enum avahi_protocol protocol;
    char txt[AVAHI_TXT_MAX][AVAHI_TXT_BYTES]; /* "key=value"; "": none */
};

enum avahi_news {
    AVAHI_FOUND,    /* or found anew, with another address */
    AVAHI_VANISHED, /* only interface, protocol and name are set */
    AVAHI_RESET,    /* nothing is known any more */
    AVAHI_CROWDED,  /* there is more than is told, until AVAHI_RESET */
};

/* All texts are anybody's. */
struct avahi_event {
    enum avahi_news news;
    int interface;
    int protocol;
    char name[AVAHI_NAME_MAX];
    char host[AVAHI_HOST_MAX];
    char address[AVAHI_ADDRESS_MAX]; /* numeric, without a scope */
    uint16_t port;
    bool tls;                   /* TXT tls=1 */
    char path[AVAHI_TXT_BYTES]; /* TXT path= */
};

struct avahi_config {
    const struct avahi_service *announce; /* copied; NULL: nothing */
    const char *browse;                   /* type to look for; NULL: none */
    bool optional; /* nobody waits for it: that it is not there is a line for debug only */
};

struct avahi;

/* NULL, logged, when there can be no thread. */
struct avahi *avahi_start(const struct avahi_config *config);
/* What was announced is withdrawn. NULL is fine. */
void avahi_stop(struct avahi *avahi);

/* Readable when there are events; and the next one, false: none. Who does not take them holds the
 * thread up, and nothing else. */
int avahi_fd(const struct avahi *avahi);
bool avahi_take(struct avahi *avahi, struct avahi_event *ret);

#endif
