/*
 * check_config.c: the hub's configuration against this machine.
 */
#include "check_config.h"

#include "owner.h"
#include "tutti/io/reach.h"

#include <errno.h>
#include <net/if.h>
#include <netdb.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* As systemd/tutti-hub.service has it. */
#define UNIT_USER "tutti-hub"

struct check {
    settings_warn each;
    void *user;
    struct reach_user reader;
};

static void check_file(const struct check *check, const char *option, const char *path)
{
    char why[REACH_WHY_MAX], line[REACH_WHY_MAX + 200];
    if (!strchr(path, '/') || reach_unit_can_read(path, &check->reader, why))
        return;
    snprintf(line, sizeof line,
             "%s: the unit cannot read it: %s; hand it over with LoadCredential= (systemctl edit "
             "tutti-hub)",
             option, why);
    check->each(check->user, line);
}

static void warn(const struct check *check, const char *option, const char *value, const char *what)
{
    char line[REACH_WHY_MAX + 200];
    snprintf(line, sizeof line, "%s: %s %s", option, value, what);
    check->each(check->user, line);
}

/* --- the port ------------------------------------------------------------------------------ */

/* 0, or -errno. */
static int try_to_listen(const struct addrinfo *info)
{
    int one = 1;
    int fd = socket(info->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -errno;
    int result = setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one) < 0 ||
                         bind(fd, info->ai_addr, info->ai_addrlen) < 0 || listen(fd, 1) < 0
                     ? -errno
                     : 0;
    close(fd);
    return result;
}

/* What a hub that runs on this data listens on is most likely its own. */
static void check_port(const struct check *check, const struct hub_settings *settings)
{
    char address[128], port[16];
    int number = 0;
    const struct addrinfo wanted = {.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE,
                                    .ai_socktype = SOCK_STREAM};
    struct addrinfo *info;
    hub_settings_split_listen(settings->server.listen, address, &number);
    if (if_nametoindex(address) != 0)
        return; /* an interface's name, which lws takes as well */
    snprintf(port, sizeof port, "%d", number);
    if (getaddrinfo(address, port, &wanted, &info) != 0) {
        warn(check, "[server] listen", settings->server.listen,
             "names neither an address nor a network interface of this machine");
        return;
    }
    int result = try_to_listen(info);
    freeaddrinfo(info);
    if (result == -EADDRINUSE && !owner_is_locked(settings->data.directory))
        warn(check, "[server] listen", settings->server.listen,
             "is taken: another program listens on this port");
    else if (result == -EADDRNOTAVAIL)
        warn(check, "[server] listen", settings->server.listen,
             "is not an address that this machine has now");
    else if (result < 0 && result != -EADDRINUSE)
        warn(check, "[server] listen", settings->server.listen, strerror(-result));
}

/* --- the certificate ----------------------------------------------------------------------- */

/* A key that needs a password cannot be used: nobody is there to ask. */
static int no_password(char *to, int size, int writing, void *user)
{
    (void)to;
    (void)size;
    (void)writing;
    (void)user;
    return -1;
}

static void check_pair(const struct check *check, const struct hub_settings *settings,
                       X509 *certificate, EVP_PKEY *key)
{
    const char *path = settings->server.tls_certificate;
    if (!certificate)
        warn(check, "[server] tls_certificate", path, "has no certificate in it (PEM)");
    if (!key)
        warn(check, "[server] tls_key", settings->server.tls_key,
             "has no private key in it (PEM, without a password)");
    if (certificate && key && X509_check_private_key(certificate, key) != 1)
        warn(check, "[server] tls_key", settings->server.tls_key,
             "is the key of another certificate");
    if (certificate && X509_cmp_current_time(X509_get0_notAfter(certificate)) < 0)
        warn(check, "[server] tls_certificate", path, "has expired");
}

static FILE *open_file(const struct check *check, const char *option, const char *path)
{
    FILE *file = fopen(path, "re");
    if (!file)
        warn(check, option, path, strerror(errno));
    return file;
}

static void check_tls(const struct check *check, const struct hub_settings *settings)
{
    if (!settings->server.tls_certificate[0])
        return;
    FILE *certificates =
        open_file(check, "[server] tls_certificate", settings->server.tls_certificate);
    FILE *keys = open_file(check, "[server] tls_key", settings->server.tls_key);
    if (certificates && keys) {
        X509 *certificate = PEM_read_X509(certificates, NULL, no_password, NULL);
        EVP_PKEY *key = PEM_read_PrivateKey(keys, NULL, no_password, NULL);
        check_pair(check, settings, certificate, key);
        X509_free(certificate);
        EVP_PKEY_free(key);
    }
    if (certificates)
        fclose(certificates);
    if (keys)
        fclose(keys);
}

void hub_check_config(const struct hub_settings *settings, bool of_unit, settings_warn each,
                      void *user)
{
    struct check check = {.each = each, .user = user};
    options_list_warnings(&hub_settings_table, settings, each, user);
    check_port(&check, settings);
    check_tls(&check, settings);
    if (!of_unit)
        return;
    if (!reach_find_user(UNIT_USER, &check.reader))
        check.reader = reach_any_user();
    check_file(&check, "[house] password_file", settings->house.password_file);
    check_file(&check, "[server] tls_certificate", settings->server.tls_certificate);
    check_file(&check, "[server] tls_key", settings->server.tls_key);
}
