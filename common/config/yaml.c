/* The settings file: one YAML mapping of names to scalars, read by libyaml. */
#include <errno.h>
#include <string.h>
#include <yaml.h>

#include "common/base/arena.h"
#include "common/config/load.h"

static const char *place(struct config_load *load, const char *path, const yaml_mark_t *mark)
{
    return arena_printf(load->arena, "%s:%zu", path, mark->line + 1);
}

static const char *scalar(struct config_load *load, const yaml_node_t *node)
{
    const char *text = (const char *)node->data.scalar.value;
    size_t length = node->data.scalar.length;

    return node->type == YAML_SCALAR_NODE && !memchr(text, '\0', length)
               ? arena_strndup(load->arena, text, length)
               : NULL;
}

/* `start` and `pair`: the pairs of the mapping up to this one, to find a name that came before. */
static bool came_before(
    struct config_load *load,
    yaml_document_t *document,
    const yaml_node_pair_t *start,
    const yaml_node_pair_t *pair)
{
    const char *name = scalar(load, yaml_document_get_node(document, pair->key));

    for (; name && start < pair; start++) {
        const char *earlier = scalar(load, yaml_document_get_node(document, start->key));

        if (earlier && strcmp(earlier, name) == 0) {
            return true;
        }
    }
    return false;
}

static void read_mapping(struct config_load *load, yaml_document_t *document, const char *path)
{
    const yaml_node_t *root = yaml_document_get_root_node(document);

    if (!root) {
        return; /* an empty file says nothing */
    }
    if (root->type != YAML_MAPPING_NODE) {
        config_report(&load->problems, path, "must hold lines such as `name: value`");
        return;
    }

    const yaml_node_pair_t *start = root->data.mapping.pairs.start;

    for (const yaml_node_pair_t *pair = start; pair < root->data.mapping.pairs.top; pair++) {
        const yaml_node_t *key = yaml_document_get_node(document, pair->key);
        const char *origin = place(load, path, &key->start_mark);
        const char *name = scalar(load, key);
        const char *text = scalar(load, yaml_document_get_node(document, pair->value));

        if (!name || !text) {
            config_report(&load->problems, origin, "must be a name and a plain value");
        } else if (came_before(load, document, start, pair)) {
            config_report(&load->problems, origin, "%s is given twice", name);
        } else {
            config_give(
                load, name, CONFIG_IN_FILE, text,
                arena_printf(load->arena, "%s (%s)", origin, name));
        }
    }
}

void config_read_yaml(struct config_load *load, const char *path)
{
    FILE *file = fopen(path, "re");
    yaml_parser_t parser;
    yaml_document_t document;

    if (!file) {
        config_report(&load->problems, path, "cannot be read: %s", strerrordesc_np(errno));
        return;
    }
    if (yaml_parser_initialize(&parser)) {
        yaml_parser_set_input_file(&parser, file);
        if (yaml_parser_load(&parser, &document)) {
            read_mapping(load, &document, path);
            yaml_document_delete(&document);
        } else {
            config_report(
                &load->problems, place(load, path, &parser.problem_mark), "is not YAML: %s",
                parser.problem ? parser.problem : "cannot be read");
        }
        yaml_parser_delete(&parser);
    }
    (void)fclose(file);
}
