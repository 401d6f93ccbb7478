/*
 * fuzz_house.c: see fuzz_house.h.
 */
#include "fuzz_house.h"

#include "../../src/hub/store_internal.h"
#include "fuzz.h"
#include "tutti/base/log.h"

#define TRACK_BYTES_MAX 65536

/* By the end of the last start; none yet. */
static int changes = -1;

void fuzz_house_open(struct service *service, const struct service_limits *limits)
{
    log_set_level(LOG_ERROR);
    service->limits = *limits;
    service->store = store_open(fuzz_directory());
    service->media =
        media_create(fuzz_directory(), &(struct media_limits){TRACK_BYTES_MAX, 1 << 24, 0});
    FUZZ_CHECK(service->store && service->media);
    db_run(service->store->db, "PRAGMA synchronous = OFF", "");
}

static void add_person(struct store *store, struct fuzz_person *person, const char *name,
                       bool is_host)
{
    FUZZ_CHECK(store_add_user(store, name, is_host, person->id, person->token));
}

static void forget_all(struct store *store)
{
    static const char *const tables[] = {
        "DELETE FROM requests", "DELETE FROM items", "DELETE FROM members",
        "DELETE FROM sessions", "DELETE FROM users", "DELETE FROM media",
    };
    for (size_t i = 0; i < sizeof tables / sizeof *tables; i++)
        FUZZ_CHECK(db_run(store->db, tables[i], ""));
}

void fuzz_house_start_over(struct service *service, struct fuzz_house *house)
{
    char other[STORE_ID_MAX], other_code[16];
    struct store *store = service->store;
    service_sweep(service);
    if (changes == sqlite3_total_changes(store->db))
        return; /* nothing was: most inputs are refused, and this takes far longer than they */
    FUZZ_CHECK(store_begin(store));
    forget_all(store);
    add_person(store, &house->host, "host", true);
    add_person(store, &house->guest, "guest", false);
    add_person(store, &house->stranger, "stranger", true);
    FUZZ_CHECK(store_end(store, true));
    FUZZ_CHECK(store_add_session(store, house->host.id, -1, house->session_id, house->code));
    FUZZ_CHECK(store_add_session(store, house->stranger.id, 60, other, other_code));
    FUZZ_CHECK(store_add_member(store, house->session_id, house->guest.id));
    changes = sqlite3_total_changes(store->db);
}
