/*
 * check_config.h: what --check-config says of a configuration that is right.
 */
#ifndef TUTTI_DAEMON_CHECK_CONFIG_H
#define TUTTI_DAEMON_CHECK_CONFIG_H

#include "tutti/core/settings.h"

/*
 * Calls each with one line for what will not do what somebody meant by it: settings_list_warnings(),
 * files that the service could not read, a sound device that is not there. Opens the device for a
 * moment, unless somebody plays on it.
 */
void check_config(const struct settings *settings, settings_warn each, void *user);

#endif
