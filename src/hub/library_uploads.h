/*
 * library_uploads.h: what was uploaded, as the library has it.
 */
#ifndef TUTTI_HUB_LIBRARY_UPLOADS_H
#define TUTTI_HUB_LIBRARY_UPLOADS_H

#include "library_index.h"

/* Brings the index up to what the hub's database, a file, says is in its library. 0, or -errno. */
DB_CHECKED int library_uploads_sync(struct library_index *index, const char *hub_database);

#endif
