/*
 * serve.h: the talk with tuttid (core/decode_message.h), from the process's side.
 */
#ifndef TUTTI_DECODE_SERVE_H
#define TUTTI_DECODE_SERVE_H

#include <stdbool.h>
#include <stdint.h>

/* Opens the file, which is an mp3 or anything else, says what it is, and decodes what is asked for,
 * until the socket ends. */
void serve(int socket, int file, int64_t file_bytes, bool is_mp3);

/* Says of each file that comes what it is, until the socket ends. */
void serve_files(int socket);

/* Says why not. */
void serve_refuse(int socket, const char *why);

#endif
