/* Runs a fuzz target over its seeds, where libFuzzer is not linked: `fuzz_x [-runs=0] <folder or
 * file>...`. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "common/base/mem.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static int replay_file(const char *path)
{
    FILE *file = fopen(path, "rbe");

    if (!file) {
        perror(path);
        exit(1);
    }

    enum {
        LARGEST = 1 << 20
    };
    uint8_t *bytes = mem_alloc(LARGEST);
    size_t size = fread(bytes, 1, LARGEST, file);
    /* An exact copy, so that AddressSanitizer sees a read past the end. */
    uint8_t *exact = mem_dup(bytes, size);

    (void)fclose(file);
    free(bytes);
    (void)LLVMFuzzerTestOneInput(exact, size);
    free(exact);
    return 1;
}

static int replay(const char *path)
{
    struct stat status;
    int count = 0;

    if (stat(path, &status) != 0) {
        perror(path);
        exit(1);
    }
    if (!S_ISDIR(status.st_mode)) {
        return replay_file(path);
    }

    DIR *folder = opendir(path);
    const struct dirent *entry = NULL;

    if (!folder) {
        perror(path);
        exit(1);
    }
    while ((entry = readdir(folder)) != NULL) { /* NOLINT(concurrency-mt-unsafe): one thread */
        if (entry->d_name[0] != '.') {
            char *name = mem_printf("%s/%s", path, entry->d_name);

            count += replay_file(name);
            free(name);
        }
    }
    (void)closedir(folder);
    return count;
}

int main(int argc, char **argv)
{
    int count = 0;

    for (int i = 1; i < argc; i++) {
        if (argv[i][0] != '-') {
            count += replay(argv[i]);
        }
    }
    printf("%d seeds replayed\n", count);
    return count == 0;
}
