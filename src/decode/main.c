/*
 * main.c: tutti-decode: decodes the one file on descriptor 4 for whoever is at the other end of the
 * socket on descriptor 3. Started by tuttid, for a track that is no mp3; of no use by hand.
 */
#include "sandbox.h"
#include "serve.h"
#include "track.h"

#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define SOCKET_FD 3
#define FILE_FD 4

int main(void)
{
    struct stat file, socket;
    if (fstat(SOCKET_FD, &socket) < 0 || !S_ISSOCK(socket.st_mode) || fstat(FILE_FD, &file) < 0) {
        fprintf(stderr, "tutti-decode: tuttid starts this for tracks that are no mp3\n");
        return 2;
    }
    track_prepare();
    if (!sandbox_enter(FILE_FD))
        serve_refuse(SOCKET_FD, "its decoder cannot lock itself in, as it has to");
    else
        serve(SOCKET_FD, FILE_FD, file.st_size);
    _exit(0); /* there is nothing to be put in order */
}
