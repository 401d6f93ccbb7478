/*
 * json_pool.c: see json_pool.h. Pieces are cut off blocks one after the other, and never given back
 * one by one.
 */
#include "json_pool.h"

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/mman.h>

#define BLOCK_BYTES ((size_t)1 << 20)

struct block {
    struct block *next;
    size_t bytes, used;
};

static _Thread_local bool pooling;
static _Thread_local struct block *blocks; /* the first one is cut */

static size_t aligned(size_t bytes)
{
    size_t unit = _Alignof(max_align_t);
    return (bytes + unit - 1) / unit * unit;
}

static struct block *add_block(size_t wanted)
{
    size_t bytes = wanted > BLOCK_BYTES / 2 ? wanted + BLOCK_BYTES : BLOCK_BYTES;
    struct block *block =
        mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (block == MAP_FAILED)
        return NULL;
    *block = (struct block){.next = blocks, .bytes = bytes, .used = aligned(sizeof *block)};
    blocks = block;
    return block;
}

static void *take(size_t bytes)
{
    if (!pooling)
        return malloc(bytes);
    bytes = aligned(bytes);
    struct block *block = blocks;
    if (!block || block->bytes - block->used < bytes)
        block = add_block(bytes);
    if (!block)
        return NULL;
    void *piece = (char *)block + block->used;
    block->used += bytes;
    return piece;
}

static void give_back(void *piece)
{
    if (!pooling)
        free(piece);
}

void json_pool_start(void)
{
    cJSON_InitHooks(&(cJSON_Hooks){take, give_back});
}

void json_pool_begin(void)
{
    pooling = true;
}

void json_pool_end(void)
{
    pooling = false;
    while (blocks) {
        struct block *block = blocks;
        blocks = block->next;
        munmap(block, block->bytes);
    }
}
