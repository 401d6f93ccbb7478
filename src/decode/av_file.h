/*
 * av_file.h: the descriptor as libavformat's input. It is only read, at places of our choice.
 */
#ifndef TUTTI_DECODE_AV_FILE_H
#define TUTTI_DECODE_AV_FILE_H

#include <libavformat/avformat.h>
#include <stdbool.h>

struct av_file {
    int fd;
    int64_t bytes, at;
    AVIOContext *io;
};

/* False: out of memory. */
bool av_file_open(struct av_file *file, int fd, int64_t bytes);
void av_file_close(struct av_file *file);

#endif
