/*
 * check_config.h: what --check-config says of a configuration that is right.
 */
#ifndef TUTTI_HUB_CHECK_CONFIG_H
#define TUTTI_HUB_CHECK_CONFIG_H

#include "hub_settings.h"
#include "tutti/core/settings.h"

/*
 * Calls each with one line for what will not do what somebody meant by it. of_unit: it is the
 * configuration that the packaged unit runs with, whose user can read little.
 */
void hub_check_config(const struct hub_settings *settings, bool of_unit, settings_warn each,
                      void *user);

#endif
