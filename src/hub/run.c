/*
 * run.c: see run.h. The lock of the data directory first, then the store, the media, the server.
 */
#include "run.h"

#include "announce.h"
#include "owner.h"
#include "server.h"
#include "tutti/base/log.h"
#include "tutti/io/avahi.h"
#include "tutti/io/notify.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MB (INT64_C(1024) * 1024)
/* Tracks that wait for a decision may have so much of the room for all. */
#define WAITING_PART 4

enum { EXIT_STOPPED = 0, EXIT_FAILED = 1 };

struct running {
    struct hub_settings *settings;
    char address[128];
    int port;
    struct service service;
    bool (*load)(void *user, struct hub_settings *ret, char error[SETTINGS_FILE_ERROR_MAX]);
    void *user;
};

static volatile bool stop;
static volatile bool reload_wanted;
static struct server *server;

static void on_signal(int signal)
{
    if (signal == SIGHUP)
        reload_wanted = true;
    else
        stop = true;
    if (server)
        server_wake(server);
}

static void take_signals(void)
{
    struct sigaction action = {.sa_handler = on_signal};
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGHUP, &action, NULL);
    signal(SIGPIPE, SIG_IGN);
}

/* --- the configuration --------------------------------------------------------------------- */

static struct media_limits media_limits(const struct hub_settings *settings)
{
    formats_t formats = 0;
    formats_parse(settings->media.formats, &formats);
    return (struct media_limits){
        .track_bytes = settings->limits.track_mb * MB,
        .disk_bytes = settings->limits.disk_mb * MB,
        .free_bytes = settings->limits.disk_free_mb * MB,
        .formats = formats,
    };
}

static void configure_service(struct service *service, const struct hub_settings *settings)
{
    service->limits = (struct service_limits){
        .sessions = settings->limits.sessions,
        .members = settings->limits.members,
        .playlist_items = settings->limits.playlist_items,
        .pending_requests = settings->limits.pending_requests,
        .requests_per_minute = settings->limits.requests_per_minute,
        .failures_per_minute = settings->limits.failures_per_minute,
        .joins_per_minute = settings->limits.joins_per_minute,
        .share_percent = settings->limits.share_percent,
        .waiting_bytes = settings->limits.disk_mb * MB / WAITING_PART,
    };
    service->house_password = settings->house.password;
    service->advance = settings->session.advance;
    service->pairing = settings->house.pairing;
}

static struct server_config server_config(const struct running *running)
{
    const struct hub_settings *settings = running->settings;
    return (struct server_config){
        .address = running->address,
        .port = running->port,
        .tls_certificate = settings->server.tls_certificate,
        .tls_key = settings->server.tls_key,
        .connections = (unsigned)settings->server.connections,
        .frame_bytes = (size_t)settings->limits.frame_kb * 1024,
        .queue_bytes = (size_t)settings->limits.queue_kb * 1024,
        .waiting_bytes = (size_t)(settings->limits.waiting_mb * MB),
        .messages_per_second = (double)settings->limits.messages_per_second,
        .body_bytes_per_s = settings->limits.body_kb_per_s * 1024,
        .names = settings->server.names,
        .trusted_proxy = settings->server.trusted_proxy,
        .serves_page = settings->page.serve,
        .page_directory = settings->page.directory,
    };
}

/* What cannot change while the hub runs stays as it was. */
static void keep_fixed(struct hub_settings *next, const struct hub_settings *now)
{
    bool differs = strcmp(next->server.listen, now->server.listen) != 0 ||
                   strcmp(next->server.tls_certificate, now->server.tls_certificate) != 0 ||
                   strcmp(next->server.tls_key, now->server.tls_key) != 0 ||
                   strcmp(next->data.directory, now->data.directory) != 0 ||
                   strcmp(next->page.directory, now->page.directory) != 0 ||
                   next->page.serve != now->page.serve ||
                   strcmp(next->library.directories, now->library.directories) != 0 ||
                   next->library.tracks != now->library.tracks ||
                   next->server.announce != now->server.announce ||
                   next->server.connections != now->server.connections;
    if (differs)
        log_warn("reloaded, but for [server] listen, tls_certificate, tls_key, announce, "
                 "connections, [data] directory, [page] and [library]: these need a restart");
    memcpy(next->server.listen, now->server.listen, sizeof next->server.listen);
    memcpy(next->server.tls_certificate, now->server.tls_certificate,
           sizeof next->server.tls_certificate);
    memcpy(next->server.tls_key, now->server.tls_key, sizeof next->server.tls_key);
    memcpy(next->data.directory, now->data.directory, sizeof next->data.directory);
    next->page = now->page;
    next->library = now->library;
    next->server.announce = now->server.announce;
    next->server.connections = now->server.connections;
}

static void apply(struct running *running, struct hub_settings *next)
{
    const struct media_limits limits = media_limits(next);
    keep_fixed(next, running->settings);
    *running->settings = *next;
    log_set_level((enum log_level)running->settings->log.level);
    log_add_secret(running->settings->house.password);
    configure_service(&running->service, running->settings);
    media_set_limits(running->service.media, &limits);
    if (service_plan_all(&running->service) < 0)
        log_warn("the sessions cannot be read: what plays may end with its track");
    const struct server_config config = server_config(running);
    server_reconfigure(server, &config);
    log_info("the configuration was read again");
}

static void reload(void *user)
{
    static struct hub_settings next;
    struct running *running = user;
    char error[SETTINGS_FILE_ERROR_MAX];
    notify_reloading();
    if (running->load(running->user, &next, error))
        apply(running, &next);
    else
        log_error("the configuration was not reloaded: %s", error);
    notify_ready();
}

/* --- start and end ------------------------------------------------------------------------- */

static void greet(const struct running *running)
{
    const struct hub_settings *settings = running->settings;
    const char *address = running->address;
    bool is_v6 = strchr(address, ':');
    bool tls = settings->server.tls_certificate[0];
    int64_t sessions = 0;
    printf("listening on %s://%s%s%s:%d\n", tls ? "https" : "http", is_v6 ? "[" : "", address,
           is_v6 ? "]" : "", server_port(server));
    fflush(stdout);
    if (store_session_count(running->service.store, NULL, &sessions) < 0)
        log_warn("the sessions cannot be counted");
    log_info("tutti-hub " TUTTI_VERSION ": %lld sessions in %s, listening on port %d of %s%s",
             (long long)sessions, settings->data.directory, server_port(server), address,
             tls ? ", TLS" : "");
    if (strcmp(address, "127.0.0.1") != 0 && strcmp(address, "::1") != 0 &&
        !settings->house.password[0])
        log_info(
            "the house has no password: whoever reaches this address may be host of a session");
}

/* Whoever cannot be told now is told at the next command. */
static void play_on(struct service *service, enum service_resume how)
{
    if (store_is_damaged(service->store))
        return;
    if (service_resume(service, how) < 0 || service_plan_all(service) < 0)
        log_warn("what was playing when the hub stopped cannot be looked at: it may end with its "
                 "track");
}

/* How long it was away is known to the second, when it left in order. */
static void say_goodbye(struct service *service)
{
    if (service->store && store_is_playing(service->store) == 1 && service_stay_alive(service) < 0)
        log_debug("it could not be stored when the hub stopped");
}

/* Without one, the hub plays what it has. */
static struct library *open_library(const struct hub_settings *settings, struct covers *covers)
{
    static struct library_reader reader; /* as long as the library's thread, which may hang */
    formats_parse(settings->media.formats, &reader.formats);
    reader.decoder = helper_files_create();
    if (!reader.decoder)
        return NULL;
    reader.covers = covers;
    return library_create(&(struct library_config){
        .data_directory = settings->data.directory,
        .directories = settings->library.directories,
        .tracks_max = settings->library.tracks,
        .read = library_read,
        .read_user = &reader,
        .covers = covers,
    });
}

static bool open_service(struct service *service, const struct hub_settings *settings)
{
    const struct media_limits limits = media_limits(settings);
    configure_service(service, settings);
    service->store = store_open(settings->data.directory);
    if (!service->store)
        return false;
    store_stay_swift(service->store);
    service->media = media_create(settings->data.directory, &limits);
    if (!service->media)
        return false;
    if (!store_is_damaged(service->store) && store_forget_sockets(service->store) < 0)
        return false;
    service_sweep(service);
    /* As long as the process: threads that wait for a disk may outlive the rest. */
    service->covers = covers_create(settings->data.directory, limits.free_bytes);
    service->library = open_library(settings, service->covers);
    return true;
}

static int lock_directory(const char *directory)
{
    if (mkdir(directory, 0700) < 0 && errno != EEXIST) {
        int error = errno;
        log_error("data directory %s: %s", directory, strerror(error));
        return -error;
    }
    int lock = owner_lock(directory);
    if (lock == -EWOULDBLOCK)
        log_error("data directory %s: another tutti-hub runs there", directory);
    else if (lock < 0)
        log_error("data directory %s: %s", directory, strerror(-lock));
    return lock;
}

static void serve(struct running *running)
{
    const struct server_config config = server_config(running);
    if (!open_service(&running->service, running->settings))
        return;
    server = server_create(&config, &running->service);
    if (!server)
        return;
    play_on(&running->service, (enum service_resume)running->settings->session.resume);
    service_describe(&running->service);
    greet(running);
    struct avahi *avahi = announce_hub(running->settings, running->address, server_port(server));
    notify_ready();
    server_run(server, &stop, &reload_wanted, reload, running);
    notify_stopping();
    avahi_stop(avahi);
}

int run_hub(struct hub_settings *settings,
            bool (*load)(void *user, struct hub_settings *ret, char error[SETTINGS_FILE_ERROR_MAX]),
            void *user)
{
    static struct running running;
    running.settings = settings;
    running.load = load;
    running.user = user;
    take_signals();
    hub_settings_split_listen(settings->server.listen, running.address, &running.port);
    int lock = lock_directory(settings->data.directory);
    if (lock < 0)
        return EXIT_FAILED;
    serve(&running);
    int result = server ? EXIT_STOPPED : EXIT_FAILED;
    server_destroy(server);
    say_goodbye(&running.service);
    library_destroy(running.service.library);
    media_destroy(running.service.media);
    service_end(&running.service);
    store_close(running.service.store);
    close(lock);
    return result;
}
