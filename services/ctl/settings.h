/* The settings of cordboard; the table is settings.def. */
#ifndef CTL_SETTINGS_H
#define CTL_SETTINGS_H

#include "common/config/config.h"

struct ctl_config {
#define SETTING CONFIG_MEMBER
#include "services/ctl/settings.def"
#undef SETTING
};

extern const struct config_program ctl_program;

#endif
