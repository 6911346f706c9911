#include "fuzz/fuzz.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const fuzz_target *target;

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    const char *name = getenv("RESHED_FUZZ"), *folder = getenv("RESHED_FUZZ_SEEDS");
    (void)argc, (void)argv;
    for (int i = 0; i < fuzz_target_count; i++)
        if (name && strcmp(name, fuzz_targets[i].name) == 0) target = &fuzz_targets[i];
    if (!target) {
        for (int i = 0; i < fuzz_target_count; i++)
            printf("%s%s", i ? " " : "", fuzz_targets[i].name);
        printf("\n");
        exit(name ? 1 : 0);
    }
    if (!folder) return 0;
    target->seeds(folder);
    exit(0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    target->read(data, n);
    return 0;
}

void fuzz_seed(const char *folder, const char *name, const void *bytes, size_t n)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *f = fopen(path, "wb");
    if (!f || fwrite(bytes, 1, n, f) != n || fclose(f) != 0) {
        fprintf(stderr, "%s: cannot be written\n", path);
        exit(1);
    }
}
