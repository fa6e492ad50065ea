/* The environment and the flags, as they come. */
#include <regex.h>
#include <string.h>

#include "common/base/arena.h"
#include "common/config/load.h"

/* Kubernetes gives every container variables for every service of its namespace; those for a
 * service named like the program start with our prefix and are not settings. */
static bool is_service_link(const char *variable)
{
    static const char pattern[] = "_SERVICE_(HOST|PORT(_[A-Z0-9_]+)?)=|"
                                  "_PORT(_[0-9]+_(TCP|UDP|SCTP))?=[a-z]+://|"
                                  "_PORT_[0-9]+_(TCP|UDP|SCTP)_(PROTO|PORT|ADDR)=";
    regex_t regex;

    if (regcomp(&regex, pattern, REG_EXTENDED | REG_NOSUB) != 0) {
        return false;
    }
    bool matches = regexec(&regex, variable, 0, NULL, 0) == 0;

    regfree(&regex);
    return matches;
}

static void read_variable(struct config_load *load, const char *variable, bool path_only)
{
    size_t prefix = strlen(load->program->prefix);
    size_t length = strcspn(variable, "=");

    if (strncmp(variable, load->program->prefix, prefix) != 0 || variable[length] == '\0') {
        return;
    }

    const char *name = arena_strndup(load->arena, variable, length);

    if (strcmp(name + prefix, "CONFIG") == 0) {
        load->path = variable + length + 1;
    } else if (!path_only && !is_service_link(variable)) {
        config_give(load, name + prefix, CONFIG_IN_VARIABLE, variable + length + 1, name);
    }
}

static void read_environment(struct config_load *load, bool path_only)
{
    for (char *const *variable = load->sources->environment; variable && *variable; variable++) {
        read_variable(load, *variable, path_only);
    }
}

static bool read_wish(struct config_load *load, const char *flag)
{
    static const struct {
        const char *flag;
        enum config_wish wish;
    } wishes[] = {
        {"--help",           CONFIG_WISH_HELP     },
        {"--version",        CONFIG_WISH_VERSION  },
        {"--print-settings", CONFIG_WISH_REFERENCE},
        {"--check-config",   CONFIG_WISH_CHECK    },
    };

    for (size_t i = 0; i < sizeof(wishes) / sizeof(wishes[0]); i++) {
        if (strcmp(flag, wishes[i].flag) == 0) {
            load->wish = wishes[i].wish;
            return true;
        }
    }
    return false;
}

/* Whether the flag may stand alone: then it means true. */
static bool stands_alone(const struct config_load *load, const char *name)
{
    bool is_path;
    const struct config_setting *setting =
        config_find(load->program, name, CONFIG_IN_FLAG, &is_path);

    return strcmp(name, "config") != 0 && (!setting || setting->kind == CONFIG_FLAG);
}

/* Reads the flag at `index` and returns the index of the next. */
static int read_flag(struct config_load *load, int index, bool path_only)
{
    const char *flag = load->sources->argv[index++];
    const char *equals = strchr(flag, '=');
    size_t length = equals ? (size_t)(equals - flag) : strlen(flag);
    const char *origin = arena_strndup(load->arena, flag, length);
    const char *text = equals ? equals + 1 : NULL;

    if (!text && stands_alone(load, origin + 2)) {
        text = "true";
    } else if (!text && index < load->sources->argc) {
        text = load->sources->argv[index++];
    }

    if (strcmp(origin, "--config") == 0) {
        load->path = text;
    } else if (!path_only && text) {
        config_give(load, origin + 2, CONFIG_IN_FLAG, text, origin);
    }
    if (!path_only && !text) {
        config_report(&load->problems, origin, "needs a value");
    }
    return index;
}

static void read_flags(struct config_load *load, bool path_only)
{
    int index = 1;

    while (index < load->sources->argc) {
        const char *flag = load->sources->argv[index];
        bool wish = read_wish(load, flag);

        if (!wish && strncmp(flag, "--", 2) == 0 && flag[2] != '\0') {
            index = read_flag(load, index, path_only);
            continue;
        }
        if (!wish && !path_only) {
            config_report(&load->problems, flag, "is not a flag; they start with --");
        }
        index++;
    }
}

void config_read_sources(struct config_load *load)
{
    /* Once for the path alone: the file comes before what may overrule it. */
    read_environment(load, true);
    read_flags(load, true);
    if (load->path && load->path[0] != '\0') {
        config_read_yaml(load, load->path);
    }
    read_environment(load, false);
    read_flags(load, false);
}
