/*
 * control_output.h: what waits to be sent to one client of the control socket: lines, and lines
 * that are made as they are sent.
 */
#ifndef TUTTI_IO_CONTROL_OUTPUT_H
#define TUTTI_IO_CONTROL_OUTPUT_H

#include "tutti/io/control_socket.h"

#include <stdbool.h>
#include <stddef.h>

struct control_entry;

/* Zeroed: empty. */
struct control_output {
    struct control_entry *first, *last;
    size_t line_bytes; /* of the lines that are there in full */
    unsigned long_count;
    char *piece; /* of the long line that is being sent */
    size_t piece_at, piece_bytes;
    bool piece_is_last;
};

/* False: it is full, or there is no memory. The source is not finished then. */
bool control_output_put(struct control_output *output, const char *line);
bool control_output_put_long(struct control_output *output, const struct control_source *source);
bool control_output_is_empty(const struct control_output *output);
/* One round's worth, or as much as the socket takes. How many bytes; -1: the client has gone. */
long control_output_send(struct control_output *output, int fd);
void control_output_finish(struct control_output *output);

#endif
