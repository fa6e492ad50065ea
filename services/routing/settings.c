#include "services/routing/settings.h"

#define CONFIG_STRUCT struct routing_config
static const struct config_setting settings[] = {
#define SETTING CONFIG_ROW
#include "services/routing/settings.def"
#undef SETTING
};

enum {
    SECOND_US = 1000 * 1000,
    SHARDS_LIMIT = 1024
};

static void check(const void *settings_read, struct config_problems *problems)
{
    const struct routing_config *config = settings_read;

    if (config->shard_count < 1 || config->shard_count > SHARDS_LIMIT) {
        config_add_problem(problems, "shard_count", "must be 1 to %d", SHARDS_LIMIT);
    }
    if (config->rpc_threads < 1 || config->rpc_threads > 64) {
        config_add_problem(problems, "rpc_threads", "must be 1 to 64");
    }
    if (config->command_limit < 1) {
        config_add_problem(problems, "command_limit", "must be at least 1");
    }
    if (config->lease_us < SECOND_US) {
        config_add_problem(problems, "lease", "must be at least 1s");
    }
    if (config->bridge_lease_us < SECOND_US) {
        config_add_problem(problems, "bridge_lease", "must be at least 1s");
    }
    if (config->heartbeat_us < SECOND_US) {
        config_add_problem(problems, "heartbeat", "must be at least 1s");
    }
}

const struct config_program routing_program = {
    .name = "cordboard-routing",
    .version = CORDBOARD_VERSION,
    .summary = "matches tasks with workers, over gRPC, durably.",
    .prefix = "CORDBOARD_ROUTING_",
    .settings = settings,
    .setting_count = sizeof(settings) / sizeof(settings[0]),
    .check = check,
};
