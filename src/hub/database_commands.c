/*
 * database_commands.c: tutti-hub backup | restore | check | repair: the database as a file.
 *
 * What there was before a restoration or a repair is kept beside the new one.
 */
#include "commands_internal.h"
#include "owner.h"
#include "store_internal.h"
#include "tutti/base/write_all.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define PROBLEMS_SHOWN 20

static void path_in(const struct command_call *call, const char *name, char to[COMMAND_PATH_MAX])
{
    snprintf(to, COMMAND_PATH_MAX, "%s/%s", call->directory, name);
}

/* --- files --------------------------------------------------------------------------------- */

static int copy_open(int from, int to)
{
    char bytes[65536];
    ssize_t got;
    while ((got = read(from, bytes, sizeof bytes)) > 0) {
        int result = write_all(to, bytes, (size_t)got);
        if (result < 0)
            return result;
    }
    return got < 0 || fsync(to) < 0 ? -errno : 0;
}

/* An open file to a new one, of whoever we are now. */
static int copy_to(int from, const char *path)
{
    unlink(path);
    int to = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (to < 0)
        return -errno;
    int result = copy_open(from, to);
    close(to);
    if (result < 0)
        unlink(path);
    return result;
}

static void sync_directory(const struct command_call *call)
{
    int fd = open(call->directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return;
    if (fsync(fd) < 0)
        perror("tutti-hub: fsync");
    close(fd);
}

/* The database and what belongs to it, under names of then. It goes first: without it, its log is
 * not taken for another's (store.c). 0, or -errno. */
static int set_aside(const struct command_call *call, const char *what, char kept[COMMAND_PATH_MAX])
{
    static const char *const endings[] = {"", "-wal", "-shm"};
    char from[COMMAND_PATH_MAX + 8], to[COMMAND_PATH_MAX + 8], name[96];
    snprintf(name, sizeof name, STORE_FILE ".%s-%lld", what, (long long)time(NULL));
    path_in(call, name, kept);
    for (size_t i = 0; i < sizeof endings / sizeof *endings; i++) {
        snprintf(from, sizeof from, "%s/" STORE_FILE "%s", call->directory, endings[i]);
        snprintf(to, sizeof to, "%s%s", kept, endings[i]);
        if (rename(from, to) < 0 && errno != ENOENT)
            return -errno;
    }
    return 0;
}

/* --- backup -------------------------------------------------------------------------------- */

/* Made by the database's owner beside it, and copied by whoever called us to where he wants it. */
static int write_backup(const struct command_call *call, struct store *store, const char *path)
{
    char own[COMMAND_PATH_MAX], part[COMMAND_PATH_MAX];
    path_in(call, "backup.part", own);
    unlink(own);
    mode_t mask = umask(0077);
    int result = store_copy(store, own);
    int from = result < 0 ? -1 : open(own, O_RDONLY | O_CLOEXEC);
    unlink(own);
    owner_leave();
    snprintf(part, sizeof part, "%s.part", path);
    if (result == 0)
        result = from < 0 ? -errno : copy_to(from, part);
    if (result == 0 && rename(part, path) < 0)
        result = -errno;
    umask(mask);
    if (from >= 0)
        close(from);
    if (result < 0)
        return command_failed(path, strerror(-result));
    printf("%s: good; the tracks are in uploads/, and never change: copy what is new\n", path);
    return 0;
}

int command_backup(const struct command_call *call)
{
    if (call->count != 1)
        return command_usage("backup takes the file to write");
    struct store *store = command_open_store(call);
    if (!store)
        return 1;
    int result = write_backup(call, store, call->words[0]);
    store_close(store);
    return result;
}

/* --- check --------------------------------------------------------------------------------- */

/* SQLite breaks its longer lines. */
static void print_problem(const char *text)
{
    char line[COMMAND_PATH_MAX];
    snprintf(line, sizeof line, "%s", text);
    for (char *c = line; *c; c++)
        if (*c == '\n')
            *c = ' ';
    command_print(line);
    putchar('\n');
}

static int print_problems(sqlite3 *db)
{
    int result, count = 0;
    struct db_rows rows = db_query(db, "PRAGMA integrity_check(20)", "");
    while ((result = db_next(&rows)) == 1) {
        if (strcmp(db_text(&rows, 0), "ok") == 0)
            continue;
        print_problem(db_text(&rows, 0));
        count++;
    }
    return result < 0 ? result : count;
}

static int open_to_read(const char *path, sqlite3 **ret)
{
    if (access(path, R_OK) < 0)
        return -errno;
    if (sqlite3_open_v2(path, ret, SQLITE_OPEN_READONLY, NULL) == SQLITE_OK)
        return 0;
    sqlite3_close(*ret);
    *ret = NULL;
    return -EIO;
}

/* 0: in order; how many problems; or -errno. */
static int examine(const char *path)
{
    sqlite3 *db;
    int result = open_to_read(path, &db);
    if (result < 0)
        return result;
    result = print_problems(db);
    sqlite3_close(db);
    return result;
}

struct missing {
    const char *directory;
    int count;
};

static void look_for_file(void *user, const char *track)
{
    struct missing *missing = user;
    char path[COMMAND_PATH_MAX];
    snprintf(path, sizeof path, "%s/%s", missing->directory, track);
    if (access(path, R_OK) == 0)
        return;
    printf("%s: %s\n", track, strerror(errno));
    missing->count++;
}

static int check_tracks(const struct command_call *call)
{
    struct missing missing = {.directory = call->directory};
    struct store *store = command_open_store(call);
    if (!store)
        return 1;
    int result = store_each_media(store, look_for_file, &missing);
    store_close(store);
    return result < 0 || missing.count > 0;
}

int command_check(const struct command_call *call)
{
    char path[COMMAND_PATH_MAX];
    path_in(call, STORE_FILE, path);
    int problems = examine(path);
    if (problems != 0)
        return command_failed(path, problems < 0
                                        ? strerror(-problems)
                                        : "is damaged; stop the hub, then: tutti-hub repair");
    if (check_tracks(call))
        return command_failed(path, "is in order, but the files of tracks are missing");
    printf("%s: in order, and so are the files that it names\n", path);
    return 0;
}

/* --- restore and repair: nobody else works on it meanwhile ---------------------------------- */

static int alone(const struct command_call *call, int (*run)(const struct command_call *call))
{
    int lock = owner_lock(call->directory);
    if (lock == -EWOULDBLOCK)
        return command_failed(call->directory, "a hub runs there; stop it first");
    if (lock < 0)
        return command_failed(call->directory, strerror(-lock));
    int result = run(call);
    close(lock);
    return result;
}

/* The new file in the place of the old one, which is kept. */
static int replace(const struct command_call *call, const char *made, const char *what)
{
    char kept[COMMAND_PATH_MAX], path[COMMAND_PATH_MAX];
    path_in(call, STORE_FILE, path);
    int result = set_aside(call, what, kept);
    if (result == 0 && rename(made, path) < 0)
        result = -errno;
    sync_directory(call);
    if (result < 0)
        return command_failed(path, strerror(-result));
    printf("good; what there was before is kept as %s\n", kept);
    return 0;
}

static int restore_alone(const struct command_call *call)
{
    char part[COMMAND_PATH_MAX];
    const char *path = call->words[0];
    path_in(call, "restore.part", part);
    owner_leave();
    int from = open(path, O_RDONLY | O_CLOEXEC);
    int result = from < 0 ? -errno : owner_enter(call->directory);
    if (result == 0)
        result = copy_to(from, part);
    if (from >= 0)
        close(from);
    if (result < 0)
        return command_failed(path, strerror(-result));
    result = examine(part);
    if (result == 0)
        return replace(call, part, "before-restore");
    unlink(part);
    return command_failed(path, result < 0 ? "is no database" : "is damaged");
}

int command_restore(const struct command_call *call)
{
    if (call->count != 1)
        return command_usage("restore takes the file of a backup");
    return alone(call, restore_alone);
}

/* Indexes that do not fit their tables can be made again, in a copy. */
static int reindex(const char *path)
{
    sqlite3 *db = NULL;
    int result = -EIO;
    if (sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE, NULL) == SQLITE_OK)
        result = sqlite3_exec(db, "REINDEX; PRAGMA wal_checkpoint(TRUNCATE)", NULL, NULL, NULL) ==
                         SQLITE_OK
                     ? print_problems(db)
                     : -EUCLEAN;
    sqlite3_close(db);
    return result;
}

static int copy_file(const char *from, const char *to)
{
    int fd = open(from, O_RDONLY | O_CLOEXEC);
    int result = fd < 0 ? -errno : copy_to(fd, to);
    if (fd >= 0)
        close(fd);
    return result;
}

static void forget(const char *path)
{
    static const char *const endings[] = {"", "-wal", "-shm", "-journal"};
    char name[COMMAND_PATH_MAX + 16];
    for (size_t i = 0; i < sizeof endings / sizeof *endings; i++) {
        snprintf(name, sizeof name, "%s%s", path, endings[i]);
        unlink(name);
    }
}

static int copy_with_log(const char *from, const char *to)
{
    char from_log[COMMAND_PATH_MAX + 8], to_log[COMMAND_PATH_MAX + 8];
    snprintf(from_log, sizeof from_log, "%s-wal", from);
    snprintf(to_log, sizeof to_log, "%s-wal", to);
    forget(to);
    int result = copy_file(from, to);
    if (result == 0)
        result = copy_file(from_log, to_log);
    return result == -ENOENT ? 0 : result;
}

static int repair_alone(const struct command_call *call)
{
    char path[COMMAND_PATH_MAX], part[COMMAND_PATH_MAX], copy[COMMAND_PATH_MAX];
    path_in(call, STORE_FILE, path);
    path_in(call, "repair.part", part);
    path_in(call, "repair.copy", copy);
    int problems = examine(path);
    if (problems == 0) {
        printf("%s: in order, there is nothing to repair\n", path);
        return 0;
    }
    if (problems == -ENOENT)
        return command_failed(path, strerror(ENOENT));
    int result = copy_with_log(path, copy);
    if (result < 0)
        return command_failed(path, strerror(-result));
    if (reindex(copy) == 0) {
        printf("the indexes were made again, and nothing is lost\n");
        result = replace(call, copy, "damaged");
        forget(copy);
        return result;
    }
    forget(part);
    copy_with_log(path, copy);
    result = repair_salvage(copy, part);
    forget(copy);
    if (result < 0)
        return command_failed(path, "nothing can be read of it: restore a backup");
    return replace(call, part, "damaged");
}

int command_repair(const struct command_call *call)
{
    return alone(call, repair_alone);
}
