/*
 * check_config.c: the hub's configuration against this machine.
 */
#include "check_config.h"

#include "tutti/io/reach.h"

#include <stdio.h>
#include <string.h>

/* As systemd/tutti-hub.service has it: known while the service runs. */
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

void hub_check_config(const struct hub_settings *settings, bool of_unit, settings_warn each,
                      void *user)
{
    struct check check = {.each = each, .user = user};
    options_list_warnings(&hub_settings_table, settings, each, user);
    if (!of_unit)
        return;
    if (!reach_find_user(UNIT_USER, &check.reader))
        check.reader = reach_any_user();
    check_file(&check, "[house] password_file", settings->house.password_file);
    check_file(&check, "[server] tls_certificate", settings->server.tls_certificate);
    check_file(&check, "[server] tls_key", settings->server.tls_key);
}
