/* What a program says about its settings. */
#include <ctype.h>
#include <string.h>

#include "common/config/load.h"

enum {
    HELP_COLUMN = 34
};

static void print_flag(const char *name, FILE *out)
{
    for (; *name != '\0'; name++) {
        (void)fputc(*name == '_' ? '-' : *name, out);
    }
}

static void print_variable(const struct config_program *program, const char *name, FILE *out)
{
    (void)fputs(program->prefix, out);
    for (; *name != '\0'; name++) {
        (void)fputc(toupper((unsigned char)*name), out);
    }
}

static const char *value_name(enum config_kind kind)
{
    static const char *const names[] = {
        [CONFIG_TEXT] = "TEXT",     [CONFIG_COUNT] = "COUNT", [CONFIG_DURATION] = "DURATION",
        [CONFIG_SIZE] = "SIZE",     [CONFIG_FLAG] = "BOOL",   [CONFIG_ADDRESS] = "HOST:PORT",
        [CONFIG_CHOICE] = "CHOICE", [CONFIG_FILE] = "FILE",   [CONFIG_SECRET] = "FILE",
    };

    return names[kind];
}

static void print_help_line(const struct config_setting *setting, FILE *out)
{
    const char *end = setting->kind == CONFIG_SECRET ? "-file" : "";
    const char *value =
        setting->kind == CONFIG_CHOICE ? setting->fallback : value_name(setting->kind);
    size_t length = strlen(setting->name) + strlen(end) + strlen(value) + 5;

    (void)fputs("  --", out);
    print_flag(setting->name, out);
    (void)fprintf(out, "%s=%s", end, value);
    if (length >= HELP_COLUMN) {
        (void)fputc('\n', out);
        length = 0;
    }
    (void)fprintf(out, "%*s%s", (int)(HELP_COLUMN - length), "", setting->help);
    if (setting->kind == CONFIG_CHOICE) {
        (void)fprintf(out, " [%.*s]\n", (int)strcspn(setting->fallback, "|"), setting->fallback);
    } else if (setting->fallback[0] != '\0') {
        (void)fprintf(out, " [%s]\n", setting->fallback);
    } else {
        (void)fputc('\n', out);
    }
}

void config_print_help(const struct config_program *program, FILE *out)
{
    (void)fprintf(
        out,
        "%s %s: %s\n\n"
        "%s%s"
        "Settings, with their defaults in brackets. --name-of=x may also be given as the\n"
        "variable %sNAME_OF=x, or in the file as name_of: x.\n\n",
        program->name, program->version, program->summary, program->usage ? program->usage : "",
        program->usage ? "\n" : "", program->prefix);
    for (size_t i = 0; i < program->setting_count; i++) {
        print_help_line(&program->settings[i], out);
    }
    (void)fputs(
        "\nOther flags:\n"
        "  --config=FILE                   Reads settings from this YAML file.\n"
        "  --check-config                  Checks every setting, shows the values, and ends.\n"
        "  --print-settings                Prints the table of settings as Markdown, and ends.\n"
        "  --version                       Prints the version, and ends.\n"
        "  --help                          Prints this, and ends.\n",
        out);
}

/* A cell of a Markdown table. */
static void print_cell(const char *text, FILE *out)
{
    for (; *text != '\0'; text++) {
        if (*text == '|') {
            (void)fputc('\\', out);
        }
        (void)fputc(*text, out);
    }
}

void config_print_reference(const struct config_program *program, FILE *out)
{
    (void)fprintf(
        out, "| Setting | Variable | Value | Default | Meaning |\n"
             "| --- | --- | --- | --- | --- |\n");
    for (size_t i = 0; i < program->setting_count; i++) {
        const struct config_setting *setting = &program->settings[i];
        bool secret = setting->kind == CONFIG_SECRET;
        size_t length = setting->kind == CONFIG_CHOICE ? strcspn(setting->fallback, "|")
                                                       : strlen(setting->fallback);

        (void)fprintf(out, "| `%s%s` | `", setting->name, secret ? "_file" : "");
        print_variable(program, setting->name, out);
        (void)fprintf(out, "%s` | ", secret ? "_FILE" : "");
        print_cell(
            setting->kind == CONFIG_CHOICE ? setting->fallback : value_name(setting->kind), out);
        (void)fprintf(
            out, length > 0 ? " | `%.*s` | " : " | %.*s| ", (int)length, setting->fallback);
        print_cell(setting->help, out);
        (void)fputs(" |\n", out);
    }
}

void config_print_values(const struct config_load *load, FILE *out)
{
    for (size_t i = 0; i < load->program->setting_count; i++) {
        const struct config_setting *setting = &load->program->settings[i];
        const struct config_given *given = &load->given[i];
        bool hidden = setting->kind == CONFIG_SECRET && given->text[0] != '\0' && !given->is_path;

        (void)fprintf(
            out, "%s%s: %s    # %s\n", setting->name, given->is_path ? "_file" : "",
            hidden ? "***" : given->text, given->origin);
    }
}
