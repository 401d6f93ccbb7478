/*
 * finder.c: announcements to core/discovery, and what it decides to the link; see finder.h.
 *
 * An address is numeric where it can be (Avahi resolves it: no .local name has to), with its
 * interface where it is link-local. With TLS it is a name, which is what certificates are for.
 */
#include "finder.h"

#include "daemon_internal.h"
#include "tutti/base/log.h"
#include "tutti/base/text.h"
#include "tutti/core/discovery.h"
#include "tutti/core/server_address.h"
#include "tutti/io/avahi.h"
#include "tutti/io/hub_proof.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const int64_t PROBE_TIMEOUT_NS = 5 * NS_PER_S;
#define PROBE_ANSWER_BYTES 4096

struct finder {
    struct daemon *daemon;
    struct avahi *avahi;
    struct loop_fd *watch;
    struct loop_timer *timer;
    bool automatic; /* [backend] url = auto */
    struct discovery discovery;
    char problem[DISCOVERY_PROBLEM_MAX];
    struct http_call *probe;
    char probed[DISCOVERY_URL_MAX];
    char nonce[HUB_PROOF_NONCE_MAX];
};

static void go_on(struct finder *finder, struct mono_time now);

bool finder_is_auto(const char *url)
{
    return strcmp(url, "auto") == 0;
}

/* --- proofs -------------------------------------------------------------------------------- */

/* The answer that the hub gives, and nobody who only passes the question on. */
static bool expect(const struct finder *finder, char to[HUB_PROOF_MAX])
{
    struct server_address address;
    const char *problem;
    char place[HUB_PROOF_PLACE_MAX];
    return server_address_parse(finder->probed, &address, &problem) &&
           hub_proof_place(address.host, address.port, place) &&
           hub_proof_answer(finder->daemon->state.session_id, finder->nonce, place, to);
}

static bool is_proven(const struct finder *finder, const struct http_response *response)
{
    char right[HUB_PROOF_MAX];
    if (response->status != 200 || !expect(finder, right))
        return false;
    cJSON *body = cJSON_ParseWithLength(response->body, response->body_bytes);
    const char *answer = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(body, "answer"));
    bool proven = answer && hub_proof_is_same(answer, right);
    cJSON_Delete(body);
    return proven;
}

static void probe_answered(void *user, const struct http_response *response)
{
    struct finder *finder = user;
    struct mono_time now = loop_now(finder->daemon->loop);
    finder->probe = NULL;
    discovery_probed(&finder->discovery, finder->probed, is_proven(finder, response), now);
    go_on(finder, now);
}

static char *question_of(const struct finder *finder)
{
    char question[HUB_PROOF_MAX];
    if (!hub_proof_question(finder->daemon->state.session_id, finder->nonce, question))
        return NULL;
    cJSON *body = cJSON_CreateObject();
    cJSON_AddStringToObject(body, "nonce", finder->nonce);
    cJSON_AddStringToObject(body, "question", question);
    char *json = cJSON_PrintUnformatted(body);
    cJSON_Delete(body);
    return json;
}

/* No token goes along: that is what the proof is for. */
static void probe(struct finder *finder, const char *at)
{
    char url[PROTOCOL_URL_MAX];
    snprintf(finder->probed, sizeof finder->probed, "%s", at);
    char *json = hub_proof_nonce(finder->nonce) ? question_of(finder) : NULL;
    if (json && protocol_url(url, sizeof url, at, "/proof"))
        finder->probe =
            http_start(finder->daemon->http, &(struct http_request){.method = "POST",
                                                                    .url = url,
                                                                    .json = json,
                                                                    .fresh_connection = true,
                                                                    .timeout_ns = PROBE_TIMEOUT_NS,
                                                                    .max_bytes = PROBE_ANSWER_BYTES,
                                                                    .on_done = probe_answered,
                                                                    .user = finder});
    free(json);
    if (!finder->probe)
        discovery_probed(&finder->discovery, at, false, loop_now(finder->daemon->loop));
}

/* --- what follows -------------------------------------------------------------------------- */

/* A membership goes along to where its hub is now. */
static void take_address(struct finder *finder, const char *url)
{
    struct daemon *daemon = finder->daemon;
    char shown[DISCOVERY_URL_MAX];
    snprintf(shown, sizeof shown, "%s", url[0] ? url : "nowhere");
    text_defuse(shown, '?');
    log_info("discovery: the hub is at %s", shown);
    snprintf(daemon->settings->backend.url, sizeof daemon->settings->backend.url, "%s",
             url[0] ? url : "auto");
    if (daemon->state.token[0] && url[0]) {
        snprintf(daemon->state.url, sizeof daemon->state.url, "%s", url);
        daemon_keep_state(daemon);
    }
    if (daemon->link)
        link_use_address(daemon->link);
}

static void say_problem(struct finder *finder)
{
    char problem[DISCOVERY_PROBLEM_MAX];
    discovery_problem(&finder->discovery, problem);
    text_defuse(problem, '?');
    if (strcmp(problem, finder->problem) == 0)
        return;
    strcpy(finder->problem, problem);
    if (problem[0] && finder->daemon->link)
        link_wait_for_address(finder->daemon->link, problem);
}

static void go_on(struct finder *finder, struct mono_time now)
{
    struct discovery_step step;
    while ((step = discovery_next(&finder->discovery, now)).action != DISCOVERY_WAIT) {
        if (step.action == DISCOVERY_PROBE)
            probe(finder, step.url);
        else
            take_address(finder, step.url);
    }
    loop_timer_set(finder->timer, step.due);
    say_problem(finder);
}

static void timer_fired(void *user, struct mono_time now)
{
    go_on(user, now);
}

/* --- what is announced --------------------------------------------------------------------- */

enum rank { RANK_IPV4, RANK_IPV6, RANK_IPV6_LINK, RANK_IPV4_LINK };

static enum rank rank_of(const char *address)
{
    struct in6_addr six;
    struct in_addr four;
    if (inet_pton(AF_INET6, address, &six) == 1)
        return IN6_IS_ADDR_LINKLOCAL(&six) ? RANK_IPV6_LINK : RANK_IPV6;
    if (inet_pton(AF_INET, address, &four) == 1 && ntohl(four.s_addr) >> 16 != 0xa9fe)
        return RANK_IPV4;
    return RANK_IPV4_LINK;
}

/* In brackets where it is IPv6, with the interface's name where it is of use there only. */
static bool print_host(const struct avahi_event *event, char *to, size_t size)
{
    char interface[IF_NAMESIZE];
    if (event->tls)
        return snprintf(to, size, "%s", event->host) < (int)size;
    if (!strchr(event->address, ':'))
        return snprintf(to, size, "%s", event->address) < (int)size;
    if (rank_of(event->address) != RANK_IPV6_LINK)
        return snprintf(to, size, "[%s]", event->address) < (int)size;
    return event->interface > 0 && if_indextoname((unsigned)event->interface, interface) &&
           snprintf(to, size, "[%s%%25%s]", event->address, interface) < (int)size;
}

/* False: nothing that could be called. */
static bool print_url(const struct avahi_event *event, char to[DISCOVERY_URL_MAX])
{
    char host[DISCOVERY_HOST_MAX];
    struct server_address address;
    const char *problem, *path = strcmp(event->path, "/") == 0 ? "" : event->path;
    if (!print_host(event, host, sizeof host) ||
        snprintf(to, DISCOVERY_URL_MAX, "%s://%s:%u%s", event->tls ? "https" : "http", host,
                 event->port, path) >= DISCOVERY_URL_MAX)
        return false;
    return event->port > 0 && server_address_parse(to, &address, &problem) &&
           (!path[0] || path[0] == '/');
}

static void see(struct finder *finder, const struct avahi_event *event, struct mono_time now)
{
    struct discovery_sighting sighting = {.interface = event->interface,
                                          .protocol = event->protocol,
                                          .rank = (int)rank_of(event->address)};
    snprintf(sighting.name, sizeof sighting.name, "%s", event->name);
    if (strlen(event->host) >= sizeof sighting.host || !print_url(event, sighting.url))
        return;
    strcpy(sighting.host, event->host);
    discovery_seen(&finder->discovery, &sighting, now);
}

static void take_event(struct finder *finder, const struct avahi_event *event, struct mono_time now)
{
    switch (event->news) {
    case AVAHI_FOUND:
        see(finder, event, now);
        break;
    case AVAHI_VANISHED:
        discovery_vanished(&finder->discovery, event->interface, event->protocol, event->name, now);
        break;
    case AVAHI_RESET:
        discovery_lost_sight(&finder->discovery, now);
        break;
    case AVAHI_CROWDED:
        discovery_is_crowded(&finder->discovery);
        break;
    }
}

/* One a round: the descriptor stays readable until there are no more. */
static void on_news(void *user, unsigned events)
{
    struct finder *finder = user;
    struct mono_time now = loop_now(finder->daemon->loop);
    struct avahi_event event;
    (void)events;
    if (!avahi_take(finder->avahi, &event))
        return;
    take_event(finder, &event, now);
    go_on(finder, now);
}

/* --- start and end ------------------------------------------------------------------------- */

void finder_follow(struct finder *finder, struct mono_time now)
{
    if (!finder || !finder->automatic || !finder->daemon->link)
        return;
    const struct session_state *state = &finder->daemon->state;
    discovery_belongs(&finder->discovery, state->token[0] || state->left);
    discovery_live(&finder->discovery, link_is_live(finder->daemon->link), now);
    go_on(finder, now);
}

/* Where the speaker is a member already, it goes at once. */
static void begin_at_known(struct finder *finder)
{
    struct daemon *daemon = finder->daemon;
    const struct session_state *state = &daemon->state;
    const char *known = state->token[0] || state->left ? state->url : "";
    discovery_init(&finder->discovery, known, loop_now(daemon->loop));
    if (known[0])
        snprintf(daemon->settings->backend.url, sizeof daemon->settings->backend.url, "%s", known);
}

static struct avahi_service service_of(const struct settings *settings)
{
    struct avahi_service service = {
        .type = AVAHI_TYPE_SPEAKER, .interface = -1, .protocol = AVAHI_ANY};
    const char *name = settings->backend.name;
    size_t bytes = strlen(name);
    if (bytes >= sizeof service.name) /* not in the middle of a character */
        for (bytes = sizeof service.name - 1;
             bytes > 0 && ((unsigned char)name[bytes] & 0xc0) == 0x80;)
            bytes--;
    snprintf(service.name, sizeof service.name, "%.*s", (int)bytes, name);
    snprintf(service.txt[0], AVAHI_TXT_BYTES, "txtvers=1");
    snprintf(service.txt[1], AVAHI_TXT_BYTES, "version=" TUTTI_VERSION);
    return service;
}

static bool start(struct finder *finder)
{
    struct daemon *daemon = finder->daemon;
    struct avahi_service service = service_of(daemon->settings);
    finder->avahi = avahi_start(&(struct avahi_config){
        .announce = daemon->settings->discovery.announce ? &service : NULL,
        .browse = finder->automatic ? AVAHI_TYPE_HUB : NULL,
        .optional = !finder->automatic,
    });
    finder->timer = loop_timer_create(daemon->loop, timer_fired, finder);
    if (finder->avahi && finder->automatic)
        finder->watch =
            loop_fd_add(daemon->loop, avahi_fd(finder->avahi), LOOP_READ, on_news, finder);
    return finder->timer != NULL;
}

struct finder *finder_create(struct daemon *daemon)
{
    struct finder *finder;
    bool automatic = finder_is_auto(daemon->settings->backend.url);
    if (!automatic && !daemon->settings->discovery.announce)
        return NULL;
    finder = calloc(1, sizeof *finder);
    if (!finder)
        return NULL;
    finder->daemon = daemon;
    finder->automatic = automatic;
    if (automatic)
        begin_at_known(finder);
    if (start(finder))
        return finder;
    finder_destroy(finder);
    return NULL;
}

void finder_destroy(struct finder *finder)
{
    if (!finder)
        return;
    http_cancel(finder->probe);
    loop_fd_remove(finder->watch);
    loop_timer_destroy(finder->timer);
    avahi_stop(finder->avahi);
    free(finder);
}
