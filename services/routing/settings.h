/* The settings of cordboard-routing; the table is settings.def. */
#ifndef ROUTING_SETTINGS_H
#define ROUTING_SETTINGS_H

#include "common/config/config.h"

struct routing_config {
#define SETTING CONFIG_MEMBER
#include "services/routing/settings.def"
#undef SETTING
};

extern const struct config_program routing_program;

#endif
