/*
 * link_command.c: tutti-hub session link: an address that makes a browser's page the session's
 * host.
 *
 * The token stands behind the #, which browsers keep to themselves: no server sees it, no log and
 * no other page.
 */
#include "commands_internal.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define NAME_BYTES 256

static bool is_this_machine_only(const char *address)
{
    return strcmp(address, "127.0.0.1") == 0 || strcmp(address, "::1") == 0;
}

static bool is_any(const char *address)
{
    return strcmp(address, "0.0.0.0") == 0 || strcmp(address, "::") == 0;
}

/* A name that the owner gave it, the address that it listens on, or the machine's name. */
static void take_name(const struct hub_settings *settings, const char *address,
                      char name[NAME_BYTES])
{
    char machine[NAME_BYTES / 2] = "";
    const char *given = settings->server.names + strspn(settings->server.names, " \t,");
    int length = (int)strcspn(given, " \t,");
    if (is_any(address) && length > 0 && given[0] != '*') {
        snprintf(name, NAME_BYTES, "%.*s", length, given);
    } else if (is_any(address)) {
        gethostname(machine, sizeof machine - 1);
        snprintf(name, NAME_BYTES, "%s%s", machine, strchr(machine, '.') ? "" : ".local");
    } else {
        bool is_v6 = strchr(address, ':');
        snprintf(name, NAME_BYTES, "%s%s%s", is_v6 ? "[" : "", address, is_v6 ? "]" : "");
    }
}

int command_session_link(const struct command_call *call, struct store *store,
                         const struct store_session *session)
{
    char address[128], name[NAME_BYTES], token[STORE_TOKEN_MAX];
    int port = 0;
    const struct hub_settings *settings = call->settings;
    if (!hub_settings_split_listen(settings->server.listen, address, &port) || port == 0)
        return command_failed("[server] listen", "names no port that could be told; say it with "
                                                 "--listen");
    if (!settings->page.serve)
        return command_failed("[page] serve", "is off: there is no page to be led to");
    if (store_begin(store) < 0 ||
        store_end(store, store_add_token(store, session->host_id, token)) < 0)
        return command_failed(session->code, "no token could be stored");
    take_name(settings, address, name);
    printf("%s://%s:%d/#host=%s.%s\n", settings->server.tls_certificate[0] ? "https" : "http", name,
           port, session->id, token);
    fprintf(stderr, "Whoever opens this link is host of session %s: keep it like a key.\n",
            session->code);
    if (is_this_machine_only(address))
        fprintf(stderr, "It leads to this machine only: [server] listen is %s.\n",
                settings->server.listen);
    return 0;
}
