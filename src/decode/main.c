/*
 * main.c: tutti-decode: decodes the one file on descriptor 4 for whoever is at the other end of the
 * socket on descriptor 3. Started by tuttid and tutti-hub; of no use by hand. "tutti-decode mp3": it is
 * one, which speakers decode by themselves, and what is wanted is what it says of itself. "tutti-decode files":
 * they come over the socket, one after the other, and what they are is wanted.
 */
#include "sandbox.h"
#include "serve.h"
#include "track.h"

#include <link.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define SOCKET_FD 3
#define FILE_FD 4

/* What loading the libraries has read of them, a hundred, is let go of again: little of it is needed
 * for any one track, and comes back when it is. Only what cannot have been changed. */
static int let_go(struct dl_phdr_info *library, size_t size, void *user)
{
    (void)size;
    (void)user;
    uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
    for (int i = 0; i < library->dlpi_phnum; i++) {
        const ElfW(Phdr) *part = &library->dlpi_phdr[i];
        uintptr_t from = library->dlpi_addr + part->p_vaddr;
        uintptr_t begin = (from + page - 1) & ~(page - 1),
                  end = (from + part->p_filesz) & ~(page - 1);
        if (part->p_type == PT_LOAD && (part->p_flags & PF_W) == 0 && begin < end)
            madvise((void *)begin, end - begin, MADV_DONTNEED);
    }
    return 0;
}

int main(int argc, char **argv)
{
    bool is_mp3 = argc > 1 && strcmp(argv[1], "mp3") == 0;
    bool many = argc > 1 && strcmp(argv[1], "files") == 0;
    struct stat file = {0}, socket;
    if (fstat(SOCKET_FD, &socket) < 0 || !S_ISSOCK(socket.st_mode) ||
        (!many && fstat(FILE_FD, &file) < 0)) {
        fprintf(stderr, "tutti-decode: tuttid starts this for tracks that are no mp3\n");
        return 2;
    }
    track_prepare();
    dl_iterate_phdr(let_go, NULL);
    if (!sandbox_enter(many ? SOCKET_FD : FILE_FD))
        serve_refuse(SOCKET_FD, "its decoder cannot lock itself in, as it has to");
    else if (many)
        serve_files(SOCKET_FD);
    else
        serve(SOCKET_FD, FILE_FD, file.st_size, is_mp3);
    _exit(0); /* there is nothing to be put in order */
}
