/* The settings of cordboard-bridge; the table is settings.def. */
#ifndef BRIDGE_SETTINGS_H
#define BRIDGE_SETTINGS_H

#include "common/config/config.h"

struct bridge_config {
#define SETTING CONFIG_MEMBER
#include "services/bridge/settings.def"
#undef SETTING
};

extern const struct config_program bridge_program;

#endif
