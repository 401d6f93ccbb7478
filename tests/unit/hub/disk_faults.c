/*
 * disk_faults.c: see disk_faults.h. Only the thread that planned the faults sees them.
 */
#include "disk_faults.h"

#include <errno.h>
#include <sqlite3.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

static int operation, first_at, fails, failed;
static bool is_full;
static int syncs;

static bool fails_now(bool writes)
{
    if (first_at == 0 || (is_full && !writes))
        return false;
    operation++;
    if (operation < first_at || operation >= first_at + fails)
        return false;
    failed++;
    return true;
}

void disk_faults_plan(int first, int count, bool full)
{
    operation = failed = 0;
    first_at = first;
    fails = count;
    is_full = full;
}

bool disk_faults_end(void)
{
    first_at = 0;
    return failed > 0;
}

/* --- our own files ------------------------------------------------------------------------- */

ssize_t __real_write(int fd, const void *bytes, size_t count);
ssize_t __wrap_write(int fd, const void *bytes, size_t count);
int __real_fsync(int fd);
int __wrap_fsync(int fd);
int __real_fdatasync(int fd);
int __wrap_fdatasync(int fd);
int __real_rename(const char *from, const char *to);
int __wrap_rename(const char *from, const char *to);

static bool fail_here(void)
{
    if (!fails_now(true))
        return false;
    errno = is_full ? ENOSPC : EIO;
    return true;
}

ssize_t __wrap_write(int fd, const void *bytes, size_t count)
{
    return fd > STDERR_FILENO && fail_here() ? -1 : __real_write(fd, bytes, count);
}

int disk_faults_syncs(void)
{
    return syncs;
}

int __wrap_fsync(int fd)
{
    syncs++;
    return fail_here() ? -1 : __real_fsync(fd);
}

int __wrap_fdatasync(int fd)
{
    return fail_here() ? -1 : __real_fdatasync(fd);
}

int __wrap_rename(const char *from, const char *to)
{
    return fail_here() ? -1 : __real_rename(from, to);
}

/* --- SQLite -------------------------------------------------------------------------------- */

struct file {
    sqlite3_file base;
    sqlite3_file real[]; /* as large as the usual VFS wants it */
};

static sqlite3_vfs *usual;
static sqlite3_vfs faulty;
static sqlite3_io_methods methods;

static sqlite3_file *real_of(sqlite3_file *file)
{
    return ((struct file *)file)->real;
}

static int f_close(sqlite3_file *file)
{
    return real_of(file)->pMethods->xClose(real_of(file));
}

static int f_read(sqlite3_file *file, void *to, int count, sqlite3_int64 at)
{
    if (fails_now(false))
        return SQLITE_IOERR_READ;
    return real_of(file)->pMethods->xRead(real_of(file), to, count, at);
}

static int f_write(sqlite3_file *file, const void *from, int count, sqlite3_int64 at)
{
    if (fails_now(true))
        return is_full ? SQLITE_FULL : SQLITE_IOERR_WRITE;
    return real_of(file)->pMethods->xWrite(real_of(file), from, count, at);
}

static int f_truncate(sqlite3_file *file, sqlite3_int64 size)
{
    if (fails_now(true))
        return SQLITE_IOERR_TRUNCATE;
    return real_of(file)->pMethods->xTruncate(real_of(file), size);
}

static int f_sync(sqlite3_file *file, int flags)
{
    if (fails_now(true))
        return SQLITE_IOERR_FSYNC;
    return real_of(file)->pMethods->xSync(real_of(file), flags);
}

static int f_size(sqlite3_file *file, sqlite3_int64 *size)
{
    if (fails_now(false))
        return SQLITE_IOERR_FSTAT;
    return real_of(file)->pMethods->xFileSize(real_of(file), size);
}

static int f_lock(sqlite3_file *file, int level)
{
    return real_of(file)->pMethods->xLock(real_of(file), level);
}

static int f_unlock(sqlite3_file *file, int level)
{
    return real_of(file)->pMethods->xUnlock(real_of(file), level);
}

static int f_reserved(sqlite3_file *file, int *out)
{
    return real_of(file)->pMethods->xCheckReservedLock(real_of(file), out);
}

static int f_control(sqlite3_file *file, int op, void *argument)
{
    return real_of(file)->pMethods->xFileControl(real_of(file), op, argument);
}

static int f_sector(sqlite3_file *file)
{
    return real_of(file)->pMethods->xSectorSize(real_of(file));
}

static int f_device(sqlite3_file *file)
{
    return real_of(file)->pMethods->xDeviceCharacteristics(real_of(file));
}

static int f_shm_map(sqlite3_file *file, int page, int size, int extend, void volatile **map)
{
    if (fails_now(extend))
        return SQLITE_IOERR_SHMMAP;
    return real_of(file)->pMethods->xShmMap(real_of(file), page, size, extend, map);
}

static int f_shm_lock(sqlite3_file *file, int offset, int n, int flags)
{
    return real_of(file)->pMethods->xShmLock(real_of(file), offset, n, flags);
}

static void f_shm_barrier(sqlite3_file *file)
{
    real_of(file)->pMethods->xShmBarrier(real_of(file));
}

static int f_shm_unmap(sqlite3_file *file, int delete)
{
    return real_of(file)->pMethods->xShmUnmap(real_of(file), delete);
}

static int v_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags, int *out)
{
    (void)vfs;
    file->pMethods = NULL;
    if (fails_now(flags & SQLITE_OPEN_CREATE))
        return SQLITE_CANTOPEN;
    int result = usual->xOpen(usual, name, real_of(file), flags, out);
    if (result == SQLITE_OK)
        file->pMethods = &methods;
    return result;
}

void disk_faults_install(void)
{
    usual = sqlite3_vfs_find(NULL);
    faulty = *usual;
    faulty.zName = "faulty";
    faulty.szOsFile = (int)sizeof(struct file) + usual->szOsFile;
    faulty.xOpen = v_open;
    methods = (sqlite3_io_methods){
        .iVersion = 2,
        .xClose = f_close,
        .xRead = f_read,
        .xWrite = f_write,
        .xTruncate = f_truncate,
        .xSync = f_sync,
        .xFileSize = f_size,
        .xLock = f_lock,
        .xUnlock = f_unlock,
        .xCheckReservedLock = f_reserved,
        .xFileControl = f_control,
        .xSectorSize = f_sector,
        .xDeviceCharacteristics = f_device,
        .xShmMap = f_shm_map,
        .xShmLock = f_shm_lock,
        .xShmBarrier = f_shm_barrier,
        .xShmUnmap = f_shm_unmap,
    };
    sqlite3_vfs_register(&faulty, 1);
}
