/*
 * boot_file.h: tutti.conf on the boot partition, which any PC can write: taken over into the
 * configuration, once.
 */
#ifndef TUTTI_IO_BOOT_FILE_H
#define TUTTI_IO_BOOT_FILE_H

enum boot_file_result {
    BOOT_FILE_NONE,  /* there is none */
    BOOT_FILE_TAKEN, /* its options are in CONFIG.d/50-boot.conf, and it is called tutti.conf.done */
    BOOT_FILE_REFUSED, /* nothing has changed; why is in the log, and in tutti-errors.txt beside it */
};

/*
 * Takes directory/tutti.conf (or tutti.conf.txt, as some editors call it) over into the drop-ins of
 * config_path. All of it or nothing: a run that is cut off at any point is made up for by the next.
 * What an earlier one has said, and this one does not mention, stays.
 */
enum boot_file_result boot_file_take(const char *directory, const char *config_path);

#endif
