/*
 * fuzz.h: what the targets have in common.
 */
#ifndef TUTTI_FUZZ_H
#define TUTTI_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

/* The entry that libFuzzer (or replay.c) calls. Always 0. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What must hold for any input; unlike assert(), in every build. */
#define FUZZ_CHECK(condition)                                                                      \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fprintf(stderr, "%s:%d: not true: %s\n", __FILE__, __LINE__, #condition);              \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

/* A fresh directory, in memory where there is such a file system, removed at exit. One per process.
 */
const char *fuzz_directory(void);

/* How many descriptors are open, give or take what is always open. */
int fuzz_open_files(void);

#endif
