/*
 * library_picture.h: the picture beside the tracks of a folder: cover.jpg and its likes, for those that bring
 * none along.
 */
#ifndef TUTTI_HUB_LIBRARY_PICTURE_H
#define TUTTI_HUB_LIBRARY_PICTURE_H

#include "library_index.h"

/* How good a name it is for one, from 1 on; 0: it is none. */
int library_picture_rank(const char *file);

/* Reads it and keeps it. 1: its name; 0: it is no picture, too large, or there is no room: name is ""; -errno:
 * it cannot be read now. Waits for the disk. */
int library_picture_keep(int folder, const char *file, struct covers *covers,
                         struct library_stamp *ret_stamp, char name[COVER_NAME_MAX]);

#endif
