#include "services/ctl/settings.h"

#define CONFIG_STRUCT struct ctl_config
static const struct config_setting settings[] = {
#define SETTING CONFIG_ROW
#include "services/ctl/settings.def"
#undef SETTING
};

static const char usage[] =
    "  cordboard rpc METHOD [JSON]     Calls a method: `cordboard rpc GetTask '{\"name\": "
    "\"...\"}'`.\n"
    "                                  The answer is JSON. A method that takes a stream reads one\n"
    "                                  request per line of its input; one that answers with a\n"
    "                                  stream prints one answer per line.\n"
    "  cordboard methods [WORD]        Lists the methods, or those with WORD in their name.\n"
    "  cordboard watch WORKSPACE [N]   Follows the events of a workspace, after number N; without "
    "N,\n"
    "                                  those from now on; 0 means from the first.\n"
    "\n"
    "Exit code: 0; 1 when the answer is an error; 2 when the command is wrong.\n";

const struct config_program ctl_program = {
    .name = "cordboard",
    .version = CORDBOARD_VERSION,
    .summary = "asks the routing and bridge services, and watches what happens.",
    .usage = usage,
    .prefix = "CORDBOARD_CTL_",
    .settings = settings,
    .setting_count = sizeof(settings) / sizeof(settings[0]),
};
