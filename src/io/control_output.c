/*
 * control_output.c: see control_output.h. A round sends so much and no more, and of a long line it
 * makes one piece: whoever reads fast, or asks for a lot, does not keep the loop.
 */
#include "control_output.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define ROUND_BYTES 131072u

struct control_entry {
    struct control_entry *next;
    struct control_source source; /* more is NULL: the text is all there */
    size_t at, bytes;
    char text[];
};

static void append(struct control_output *output, struct control_entry *entry)
{
    entry->next = NULL;
    if (output->last)
        output->last->next = entry;
    else
        output->first = entry;
    output->last = entry;
}

bool control_output_put(struct control_output *output, const char *line)
{
    size_t bytes = strlen(line) + 1;
    struct control_entry *entry = output->line_bytes + bytes > CONTROL_SOCKET_QUEUE_MAX
                                      ? NULL
                                      : malloc(sizeof *entry + bytes);
    if (!entry)
        return false;
    entry->source.more = NULL;
    entry->at = 0;
    entry->bytes = bytes;
    memcpy(entry->text, line, bytes - 1);
    entry->text[bytes - 1] = '\n';
    output->line_bytes += bytes;
    append(output, entry);
    return true;
}

bool control_output_put_long(struct control_output *output, const struct control_source *source)
{
    struct control_entry *entry =
        output->long_count < CONTROL_SOCKET_LONG_MAX ? calloc(1, sizeof *entry) : NULL;
    if (!output->piece)
        output->piece = malloc(CONTROL_SOCKET_PIECE_BYTES + 1);
    if (!entry || !output->piece) {
        free(entry);
        return false;
    }
    entry->source = *source;
    output->long_count++;
    append(output, entry);
    return true;
}

bool control_output_is_empty(const struct control_output *output)
{
    return !output->first;
}

static void drop_first(struct control_output *output)
{
    struct control_entry *entry = output->first;
    output->first = entry->next;
    if (!output->first)
        output->last = NULL;
    if (entry->source.more) {
        output->long_count--;
        entry->source.finish(entry->source.user);
    } else {
        output->line_bytes -= entry->bytes;
    }
    free(entry);
}

/* The end of the line is a piece of its own. */
static void make_piece(struct control_output *output, const struct control_source *source)
{
    size_t bytes = source->more(source->user, output->piece, CONTROL_SOCKET_PIECE_BYTES);
    output->piece_is_last = bytes == 0;
    if (output->piece_is_last)
        output->piece[bytes++] = '\n';
    output->piece_at = 0;
    output->piece_bytes = bytes;
}

/* How many were sent; 0: the socket is full; -1. */
static long send_some(int fd, const char *bytes, size_t count)
{
    ssize_t sent;
    do
        sent = send(fd, bytes, count, MSG_NOSIGNAL);
    while (sent < 0 && errno == EINTR);
    if (sent < 0 && errno == EAGAIN)
        return 0;
    return sent <= 0 ? -1 : (long)sent;
}

static long send_line(struct control_output *output, int fd, size_t most)
{
    struct control_entry *entry = output->first;
    size_t left = entry->bytes - entry->at;
    long sent = send_some(fd, entry->text + entry->at, left < most ? left : most);
    if (sent > 0)
        entry->at += (size_t)sent;
    if (entry->at == entry->bytes)
        drop_first(output);
    return sent;
}

static long send_piece(struct control_output *output, int fd)
{
    long sent =
        send_some(fd, output->piece + output->piece_at, output->piece_bytes - output->piece_at);
    if (sent > 0)
        output->piece_at += (size_t)sent;
    if (output->piece_at == output->piece_bytes && output->piece_is_last) {
        output->piece_at = output->piece_bytes = 0;
        drop_first(output);
    }
    return sent;
}

long control_output_send(struct control_output *output, int fd)
{
    size_t done = 0;
    bool made = false;
    while (output->first && done < ROUND_BYTES) {
        const struct control_source *source = &output->first->source;
        bool needs_piece = source->more && output->piece_at == output->piece_bytes;
        if (needs_piece && made)
            break;
        if (needs_piece)
            make_piece(output, source);
        made = made || needs_piece;
        long sent =
            source->more ? send_piece(output, fd) : send_line(output, fd, ROUND_BYTES - done);
        if (sent < 0)
            return -1;
        if (sent == 0)
            break;
        done += (size_t)sent;
    }
    return (long)done;
}

void control_output_finish(struct control_output *output)
{
    while (output->first)
        drop_first(output);
    free(output->piece);
    *output = (struct control_output){0};
}
