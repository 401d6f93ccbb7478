/*
 * failing_malloc.c: memory that runs out for one library, on command. Loaded by LD_PRELOAD.
 *
 * TUTTI_FAIL_MALLOC names a file whose text is the name of a library, or empty: while it is
 * "libcurl", every allocation that libcurl asks for fails. The file is mapped, so looking costs
 * nothing.
 */
#include <fcntl.h>
#include <link.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define NAME_BYTES 32
#define RANGES_MAX 8

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *old, size_t size);

static const volatile char *wanted;

static struct range {
    char name[NAME_BYTES];
    uintptr_t from, to;
} ranges[RANGES_MAX];
static int range_count;

static int note(struct dl_phdr_info *info, size_t size, void *user)
{
    static const char *const names[] = {"libcurl", "libmpg123", "libcjson"};
    (void)size;
    (void)user;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (!strstr(info->dlpi_name, names[i]) || range_count == RANGES_MAX)
            continue;
        struct range *range = &ranges[range_count++];
        strcpy(range->name, names[i]);
        for (int p = 0; p < info->dlpi_phnum; p++) {
            uintptr_t from = info->dlpi_addr + info->dlpi_phdr[p].p_vaddr;
            if (info->dlpi_phdr[p].p_type != PT_LOAD)
                continue;
            if (!range->from)
                range->from = from;
            range->to = from + info->dlpi_phdr[p].p_memsz;
        }
    }
    return 0;
}

__attribute__((constructor)) static void start(void)
{
    const char *path = getenv("TUTTI_FAIL_MALLOC");
    int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    if (fd < 0)
        return;
    dl_iterate_phdr(note, NULL);
    void *map = mmap(NULL, NAME_BYTES, PROT_READ, MAP_SHARED, fd, 0);
    close(fd);
    if (map != MAP_FAILED)
        wanted = map;
}

static bool fails(const void *caller)
{
    if (!wanted || !wanted[0])
        return false;
    for (int i = 0; i < range_count; i++)
        if ((uintptr_t)caller >= ranges[i].from && (uintptr_t)caller < ranges[i].to &&
            strncmp(ranges[i].name, (const char *)wanted, NAME_BYTES) == 0)
            return true;
    return false;
}

void *malloc(size_t size)
{
    return fails(__builtin_return_address(0)) ? NULL : __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
    return fails(__builtin_return_address(0)) ? NULL : __libc_calloc(count, size);
}

void *realloc(void *old, size_t size)
{
    return fails(__builtin_return_address(0)) ? NULL : __libc_realloc(old, size);
}
