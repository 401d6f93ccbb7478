/*
 * replay.c: a fuzz target's main without a fuzzer: runs it on every file that is named, or that
 * lies in a directory that is named. Any compiler builds it, so the corpora are part of the tests.
 */
#include "fuzz.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define PATH_BYTES 4096

static int run_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    struct stat status;
    if (!file || fstat(fileno(file), &status) < 0) {
        perror(path);
        exit(1);
    }
    size_t size = (size_t)status.st_size;
    /* Of exactly that size, so that a sanitizer sees what reads beyond it. */
    uint8_t *data = malloc(size ? size : 1);
    if (!data || fread(data, 1, size, file) != size) {
        perror(path);
        exit(1);
    }
    fclose(file);
    fprintf(stderr, "%s: %zu bytes\n", path, size);
    LLVMFuzzerTestOneInput(data, size);
    free(data);
    return 1;
}

static int run_directory(const char *path)
{
    char name[PATH_BYTES];
    const struct dirent *item;
    int count = 0;
    DIR *directory = opendir(path);
    if (!directory)
        return run_file(path);
    while ((item = readdir(directory))) {
        if (item->d_name[0] == '.')
            continue;
        snprintf(name, sizeof name, "%s/%s", path, item->d_name);
        count += run_file(name);
    }
    closedir(directory);
    return count;
}

int main(int argc, char **argv)
{
    int count = 0;
    for (int i = 1; i < argc; i++)
        count += run_directory(argv[i]);
    printf("%d inputs\n", count);
    return count > 0 ? 0 : 1;
}
