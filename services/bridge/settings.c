#include "services/bridge/settings.h"

#include <arpa/inet.h>
#include <string.h>

#define CONFIG_STRUCT struct bridge_config
static const struct config_setting settings[] = {
#define SETTING CONFIG_ROW
#include "services/bridge/settings.def"
#undef SETTING
};

enum {
    PORT_MAX = 65535,
    THREADS_MAX = 64,
    BRIDGE_ID_LENGTH_MAX = 63
};

static bool numeric_address(const char *text)
{
    struct in6_addr address;

    return inet_pton(AF_INET, text, &address) == 1 || inet_pton(AF_INET6, text, &address) == 1;
}

static void check_media(const struct bridge_config *config, struct config_problems *problems)
{
    if (config->media_first_port < 1024 || config->media_last_port > PORT_MAX ||
        config->media_first_port + 1 > config->media_last_port) {
        config_add_problem(
            problems, "media_first_port",
            "media_first_port to media_last_port must be a range of at least two ports within 1024 "
            "to %d",
            PORT_MAX);
    }
    if (config->media_threads < 1 || config->media_threads > THREADS_MAX) {
        config_add_problem(problems, "media_threads", "must be 1 to %d", THREADS_MAX);
    }
    if (!numeric_address(config->media_bind_address)) {
        config_add_problem(problems, "media_bind_address", "must be a numeric address");
    }
    if (config->media_advertised_address[0] != '\0' &&
        !numeric_address(config->media_advertised_address)) {
        config_add_problem(problems, "media_advertised_address", "must be a numeric address");
    }
    if (config->media_advertised_address[0] == '\0' &&
        (strcmp(config->media_bind_address, "0.0.0.0") == 0 ||
         strcmp(config->media_bind_address, "::") == 0)) {
        config_add_problem(
            problems, "media_advertised_address",
            "must be set when media_bind_address is all addresses: phones cannot send to those");
    }
}

static void check(const void *settings_read, struct config_problems *problems)
{
    const struct bridge_config *config = settings_read;
    size_t length = strlen(config->bridge_id);

    if (length == 0 || length > BRIDGE_ID_LENGTH_MAX ||
        strspn(
            config->bridge_id,
            "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.") != length ||
        strchr("-_.", config->bridge_id[0])) {
        config_add_problem(
            problems, "bridge_id",
            "must be 1 to %d letters, digits, '-', '_' and '.', the first a letter or digit",
            BRIDGE_ID_LENGTH_MAX);
    }
    if (config->calls_max < 1) {
        config_add_problem(problems, "calls_max", "must be at least 1");
    }
    check_media(config, problems);
}

const struct config_program bridge_program = {
    .name = "cordboard-bridge",
    .version = CORDBOARD_VERSION,
    .summary = "turns SIP calls into tasks and conferences.",
    .prefix = "CORDBOARD_BRIDGE_",
    .settings = settings,
    .setting_count = sizeof(settings) / sizeof(settings[0]),
    .check = check,
};
