/*
 * fuzz_house.c: see fuzz_house.h.
 */
#include "fuzz_house.h"

#include "../../src/hub/store_internal.h"
#include "fuzz.h"
#include "tutti/base/log.h"
#include "tutti/codecs/helper.h"

#include <stdio.h>

#define TRACK_BYTES_MAX 65536

/* By the end of the last start; none yet. */
static int changes = -1;

void fuzz_house_open(struct service *service, const struct service_limits *limits)
{
    log_set_level(LOG_ERROR);
    helper_set_program("/nowhere"); /* its own target is fuzz_decode */
    service->limits = *limits;
    service->store = store_open(fuzz_directory());
    service->media = media_create(
        fuzz_directory(), &(struct media_limits){TRACK_BYTES_MAX, 1 << 24, 0, formats_played()});
    FUZZ_CHECK(service->store && service->media);
    FUZZ_CHECK(db_run(service->store->db, "PRAGMA synchronous = OFF", "") == 0);
}

static void add_person(struct store *store, struct fuzz_person *person, const char *name,
                       bool is_host)
{
    struct store_user user = {.host = is_host};
    snprintf(user.name, sizeof user.name, "%s", name);
    FUZZ_CHECK(store_add_user(store, &user, person->token) == 0);
    snprintf(person->id, sizeof person->id, "%s", user.id);
}

static struct store_session add_session(struct store *store, const char *host_id, int64_t limit_s)
{
    struct store_session session = {.max_duration_s = limit_s};
    snprintf(session.host_id, sizeof session.host_id, "%s", host_id);
    FUZZ_CHECK(store_add_session(store, &session, NULL, FUZZ_ADDRESS) == 0);
    return session;
}

static void forget_all(struct store *store)
{
    static const char *const tables[] = {
        "DELETE FROM requests", "DELETE FROM items", "DELETE FROM members",
        "DELETE FROM sessions", "DELETE FROM users", "DELETE FROM media",
    };
    for (size_t i = 0; i < sizeof tables / sizeof *tables; i++)
        FUZZ_CHECK(db_run(store->db, tables[i], "") == 0);
}

void fuzz_house_start_over(struct service *service, struct fuzz_house *house)
{
    struct store *store = service->store;
    service_sweep(service);
    if (changes == sqlite3_total_changes(store->db))
        return; /* nothing was: most inputs are refused, and this takes far longer than they */
    FUZZ_CHECK(store_begin(store) == 0);
    forget_all(store);
    add_person(store, &house->host, "host", true);
    add_person(store, &house->guest, "guest", false);
    add_person(store, &house->stranger, "stranger", true);
    struct store_session session = add_session(store, house->host.id, -1);
    add_session(store, house->stranger.id, 60);
    FUZZ_CHECK(store_add_member(store, session.id, house->guest.id, FUZZ_ADDRESS) == 0);
    FUZZ_CHECK(store_end(store, 0) == 0);
    snprintf(house->session_id, sizeof house->session_id, "%s", session.id);
    snprintf(house->code, sizeof house->code, "%s", session.code);
    changes = sqlite3_total_changes(store->db);
}
