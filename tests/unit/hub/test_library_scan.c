/*
 * test_library_scan.c: directories of all kinds, and what the index knows of them then.
 */
#include "../../../src/hub/library_file.h"
#include "../../../src/hub/library_scan.h"
#include "../../../src/hub/library_words.h"
#include "../cmocka_all.h"
#include "../remove_tree.h"
#include "tutti/base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct shelf {
    char directory[64];
    char root[96];
    char database[96];
    struct library_index *index;
    struct library_scan scan;
    atomic_bool stop;
    int reads;
    int stop_after; /* so many reads; 0: never */
};

/* "title|artist|album|number": a track; "broken": none; "unreadable": not now. */
static int read_line(void *user, int fd, const atomic_bool *stop, struct library_reading *ret)
{
    struct shelf *shelf = user;
    char text[64] = "", *save = NULL;
    (void)stop;
    if (read(fd, text, sizeof text - 1) < 0 || strcmp(text, "unreadable") == 0)
        return -EIO;
    if (++shelf->reads == shelf->stop_after)
        shelf->stop = true;
    *ret = (struct library_reading){.kind = AUDIO_MP3, .duration_s = 60, .tags = track_tags_none()};
    if (strcmp(text, "broken") == 0)
        return 0;
    const char *title = strtok_r(text, "|", &save);
    const char *artist = strtok_r(NULL, "|", &save), *album = strtok_r(NULL, "|", &save);
    const char *number = strtok_r(NULL, "|", &save);
    snprintf(ret->tags.title, sizeof ret->tags.title, "%s", title && artist ? title : "");
    snprintf(ret->tags.artist, sizeof ret->tags.artist, "%s", artist ? artist : "");
    snprintf(ret->tags.album, sizeof ret->tags.album, "%s", album ? album : "");
    ret->tags.number = number ? atoi(number) : 0;
    return 1;
}

static int setup(void **state)
{
    struct shelf *shelf = calloc(1, sizeof *shelf);
    log_set_level(LOG_ERROR);
    strcpy(shelf->directory, "/tmp/tutti-library-XXXXXX");
    assert_non_null(mkdtemp(shelf->directory));
    snprintf(shelf->root, sizeof shelf->root, "%s/music", shelf->directory);
    snprintf(shelf->database, sizeof shelf->database, "%s/library.sqlite", shelf->directory);
    assert_int_equal(mkdir(shelf->root, 0700), 0);
    shelf->index = library_index_create(shelf->database);
    assert_non_null(shelf->index);
    shelf->scan = (struct library_scan){.index = shelf->index,
                                        .read = read_line,
                                        .read_user = shelf,
                                        .tracks_max = 1000,
                                        .stop = &shelf->stop};
    *state = shelf;
    return 0;
}

static int teardown(void **state)
{
    struct shelf *shelf = *state;
    library_index_close(shelf->index);
    int failed = remove_tree(shelf->directory);
    free(shelf);
    return failed;
}

/* In the directory; folders are made on the way. */
static void put(struct shelf *shelf, const char *path, const char *text)
{
    char full[5000];
    snprintf(full, sizeof full, "%s/%s", shelf->root, path);
    for (char *slash = full + strlen(shelf->root) + 1; (slash = strchr(slash, '/')); slash++) {
        *slash = '\0';
        if (mkdir(full, 0700) < 0)
            assert_int_equal(errno, EEXIST);
        *slash = '/';
    }
    FILE *file = fopen(full, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static void drop(struct shelf *shelf, const char *path)
{
    char full[512];
    snprintf(full, sizeof full, "%s/%s", shelf->root, path);
    assert_int_equal(remove_tree(full), 0);
}

static int scan(struct shelf *shelf)
{
    shelf->reads = 0;
    shelf->scan.changed = shelf->scan.refused = shelf->scan.unread = shelf->scan.left_out = 0;
    return library_scan_root(&shelf->scan, shelf->root);
}

static void add_title(void *user, const struct library_track *track)
{
    char *to = user;
    size_t used = strlen(to);
    snprintf(to + used, 1024 - used, "%s%s", used ? "; " : "", track->reading.tags.title);
}

/* The titles that are found, "; " between them. */
static const char *found(struct shelf *shelf, const char *words, const char *album, int64_t after,
                         int64_t limit)
{
    static char titles[1024];
    struct library_query query = {.after = after, .limit = limit};
    snprintf(query.words, sizeof query.words, "%s", words);
    snprintf(query.album, sizeof query.album, "%s", album);
    titles[0] = '\0';
    assert_int_equal(library_index_search(shelf->index, &query, add_title, titles), 0);
    return titles;
}

static int64_t count(struct shelf *shelf)
{
    int64_t tracks = -1;
    assert_int_equal(library_index_count(shelf->index, shelf->root, &tracks), 0);
    return tracks;
}

static void put_albums(struct shelf *shelf)
{
    put(shelf, "Ferry/Harbour/02.mp3", "Tide|Ferry|Harbour|2");
    put(shelf, "Ferry/Harbour/01.mp3", "Öresund|Ferry|Harbour|1");
    put(shelf, "Ferry/Harbour/10.flac", "Rope|Ferry|Harbour|10");
    put(shelf, "Ferry/Harbour/cover.jpg", "no track");
    put(shelf, "Anna/Night/1.ogg", "Night in the harbour|Anna|Night|1");
}

static void test_what_is_there_is_found(void **state)
{
    struct shelf *shelf = *state;
    put_albums(shelf);
    assert_int_equal(scan(shelf), 0);
    assert_int_equal(shelf->reads, 4);
    assert_int_equal(count(shelf), 4);
    assert_string_equal(found(shelf, "", "", 0, 10), "Night in the harbour; Öresund; Tide; Rope");
    assert_string_equal(found(shelf, "harb", "", 0, 10),
                        "Night in the harbour; Öresund; Tide; Rope");
    assert_string_equal(found(shelf, "harb nig", "", 0, 10), "Night in the harbour");
    assert_string_equal(found(shelf, "HARBOUR fer t", "", 0, 10), "Tide");
    assert_string_equal(found(shelf, "oresund", "", 0, 10), "Öresund");
    assert_string_equal(found(shelf, "flac", "", 0, 10), "Rope"); /* a word of its path */
    assert_string_equal(found(shelf, "arbour", "", 0, 10), "");   /* no word begins so */
    assert_string_equal(found(shelf, "", "harbour", 0, 10), "Öresund; Tide; Rope");
}

static void test_pages(void **state)
{
    struct shelf *shelf = *state;
    put_albums(shelf);
    assert_int_equal(scan(shelf), 0);
    assert_string_equal(found(shelf, "harb", "", 0, 2), "Night in the harbour; Öresund");
    assert_string_equal(found(shelf, "harb", "", 2, 2), "Tide; Rope");
    assert_string_equal(found(shelf, "harb", "", 4, 2), "");
}

/* Operators of the query language, quotes and rubbish are words like others, or none. */
static void test_hostile_words(void **state)
{
    struct shelf *shelf = *state;
    char longest[LIBRARY_TEXT_MAX], quotes[LIBRARY_TEXT_MAX];
    static const char *const nothing[] = {
        "ferry OR zzz", "NOT ferry zz",       "title:zz",
        "\"",           "ferry\" AND zzz \"", "NEAR(zz b)",
        "a*b^c",        "\xff\xfe",           "'; DROP TABLE tracks; --"};
    put_albums(shelf);
    assert_int_equal(scan(shelf), 0);
    for (size_t i = 0; i < sizeof nothing / sizeof *nothing; i++) {
        const char *titles = found(shelf, nothing[i], "", 0, 1);
        bool no_words = strcmp(nothing[i], "\"") == 0;
        assert_int_equal(titles[0] != '\0', no_words);
    }
    memset(longest, 'a', sizeof longest - 1);
    memset(quotes, '"', sizeof quotes - 1);
    longest[sizeof longest - 1] = quotes[sizeof quotes - 1] = '\0';
    quotes[0] = 'a';
    assert_string_equal(found(shelf, longest, "", 0, 1), "");
    found(shelf, quotes, "", 0, 1);
    for (size_t i = 1; i < sizeof longest - 1; i += 2)
        longest[i] = ' ';
    found(shelf, longest, "", 0, 1); /* more words than are looked at */
    assert_int_equal(count(shelf), 4);
}

static void test_a_rescan_reads_what_is_new_only(void **state)
{
    struct shelf *shelf = *state;
    put_albums(shelf);
    put(shelf, "broken.mp3", "broken");
    assert_int_equal(scan(shelf), 0);
    assert_int_equal(shelf->scan.refused, 1);
    assert_int_equal(scan(shelf), 0);
    assert_int_equal(shelf->reads, 0);
    assert_int_equal(shelf->scan.changed, 0);
    put(shelf, "Ferry/Harbour/02.mp3", "Tides|Ferry|Harbour|2");
    drop(shelf, "Anna");
    put(shelf, "broken.mp3", "Whole|Ferry|Other|1");
    assert_int_equal(scan(shelf), 0);
    assert_int_equal(shelf->reads, 2);
    assert_int_equal(count(shelf), 4);
    assert_string_equal(found(shelf, "tide", "", 0, 10), "Tides");
    assert_string_equal(found(shelf, "night", "", 0, 10), "");
    assert_string_equal(found(shelf, "whole", "", 0, 10), "Whole");
}

static void put_picture(struct shelf *shelf, const char *path, char what)
{
    char text[64] = "\xff\xd8\xff";
    memset(text + 3, what, 40);
    put(shelf, path, text);
}

static void remember_cover(void *user, const struct library_track *track)
{
    snprintf(user, COVER_NAME_MAX, "%s", track->reading.cover);
}

/* Of the one track that these words find. */
static void cover_of(struct shelf *shelf, const char *words, char ret[COVER_NAME_MAX])
{
    struct library_query query = {.limit = 10};
    snprintf(query.words, sizeof query.words, "%s", words);
    strcpy(ret, "?");
    assert_int_equal(library_index_search(shelf->index, &query, remember_cover, ret), 0);
}

static void test_pictures_beside_tracks(void **state)
{
    struct shelf *shelf = *state;
    char first[COVER_NAME_MAX], again[COVER_NAME_MAX];
    struct covers *covers = covers_create(shelf->directory, 0);
    shelf->scan.covers = covers;
    put(shelf, "Pier/01.mp3", "Tide|Ferry|Pier|1");
    put(shelf, "Quay/01.mp3", "Rope|Ferry|Quay|1");
    put_picture(shelf, "Pier/Folder.JPG", 'a');
    put(shelf, "Quay/cover.png", "<svg xmlns='http://www.w3.org/2000/svg'></svg>");
    assert_int_equal(scan(shelf), 0);
    cover_of(shelf, "tide", first);
    assert_int_equal(strlen(first), COVER_NAME_MAX - 1);
    assert_int_equal(library_index_has_cover(shelf->index, first), 1);
    cover_of(shelf, "rope", again);
    assert_string_equal(again, "");
    assert_int_equal(scan(shelf), 0);
    assert_int_equal(shelf->scan.changed, 0);
    /* A better name; without that, the other again; another picture of the same name; none. */
    put_picture(shelf, "Pier/cover.jpg", 'b');
    assert_int_equal(scan(shelf), 0);
    cover_of(shelf, "tide", again);
    assert_string_not_equal(first, again);
    assert_int_equal(library_index_has_cover(shelf->index, first), 0);
    drop(shelf, "Pier/cover.jpg");
    assert_int_equal(scan(shelf), 0);
    cover_of(shelf, "tide", again);
    assert_string_equal(first, again);
    put_picture(shelf, "Pier/Folder.JPG", 'c');
    assert_int_equal(scan(shelf), 0);
    cover_of(shelf, "tide", again);
    assert_string_not_equal(first, again);
    drop(shelf, "Pier/Folder.JPG");
    assert_int_equal(scan(shelf), 0);
    cover_of(shelf, "tide", again);
    assert_string_equal(again, "");
    assert_int_equal(shelf->reads, 0); /* no track was looked at again */
    covers_destroy(covers);
}

static void test_a_link_is_no_picture(void **state)
{
    struct shelf *shelf = *state;
    char cover[COVER_NAME_MAX], outside[128], link[160];
    struct covers *covers = covers_create(shelf->directory, 0);
    shelf->scan.covers = covers;
    put(shelf, "Pier/01.mp3", "Tide|Ferry|Pier|1");
    put_picture(shelf, "outside.jpg", 'a');
    snprintf(outside, sizeof outside, "%s/outside.jpg", shelf->root);
    snprintf(link, sizeof link, "%s/Pier/cover.jpg", shelf->root);
    assert_int_equal(symlink(outside, link), 0);
    assert_int_equal(scan(shelf), 0);
    cover_of(shelf, "tide", cover);
    assert_string_equal(cover, "");
    covers_destroy(covers);
}

static void test_one_folder(void **state)
{
    struct shelf *shelf = *state;
    put_albums(shelf);
    assert_int_equal(scan(shelf), 0);
    put(shelf, "Ferry/Harbour/03.mp3", "Quay|Ferry|Harbour|3");
    put(shelf, "Ferry/Later/live/01.mp3", "Bell|Ferry|Later|1");
    put(shelf, "Anna/Night/2.ogg", "Moon|Anna|Night|2");
    assert_int_equal(library_scan_folder(&shelf->scan, shelf->root, "Ferry"), 0);
    assert_string_equal(found(shelf, "ferry", "", 0, 10), "Öresund; Tide; Rope; Bell");
    assert_int_equal(library_scan_folder(&shelf->scan, shelf->root, "Ferry/Harbour"), 0);
    assert_string_equal(found(shelf, "quay", "", 0, 10), "Quay");
    assert_string_equal(found(shelf, "moon", "", 0, 10), "");
    drop(shelf, "Ferry/Later");
    assert_int_equal(library_scan_folder(&shelf->scan, shelf->root, "Ferry"), 0);
    assert_string_equal(found(shelf, "bell", "", 0, 10), "");
    assert_int_equal(library_scan_folder(&shelf->scan, shelf->root, "Ferry/Later"), -ENOENT);
    put(shelf, "Ferry/Later/01.mp3", "Bell|Ferry|Later|1");
    assert_int_equal(library_scan_folder(&shelf->scan, shelf->root, "Ferry/Later"), -ENOENT);
}

static void test_hostile_names(void **state)
{
    struct shelf *shelf = *state;
    char path[600], link[200];
    put(shelf, "new\nline.mp3", "x");
    put(shelf, "invalid \xff\xc3.mp3", "x");
    put(shelf, "\x1b[31mred\xe2\x80\xae.mp3", "x");
    put(shelf, ".hidden.mp3", "x");
    put(shelf, ".Trash/gone.mp3", "x");
    put(shelf, "..mp3", "x");
    put(shelf, ".mp3", "x");
    memset(path, 'n', 251);
    strcpy(path + 251, ".mp3");
    put(shelf, path, "x");
    snprintf(path, sizeof path, "%s/loop", shelf->root);
    assert_int_equal(symlink(".", path), 0);
    snprintf(path, sizeof path, "%s/passwd.mp3", shelf->root);
    assert_int_equal(symlink("/etc/passwd", path), 0);
    snprintf(path, sizeof path, "%s/pipe.mp3", shelf->root);
    assert_int_equal(mkfifo(path, 0600), 0);
    snprintf(path, sizeof path, "%s/folder.mp3", shelf->root);
    assert_int_equal(mkdir(path, 0700), 0);
    snprintf(link, sizeof link, "%s/outside", shelf->root);
    assert_int_equal(symlink("/usr", link), 0);
    assert_int_equal(scan(shelf), 0);
    assert_int_equal(count(shelf), 4);
    assert_string_equal(found(shelf, "line", "", 0, 10), "new?line");
    assert_string_equal(found(shelf, "invalid", "", 0, 10), "invalid ??");
    assert_string_equal(found(shelf, "red", "", 0, 10), "");
    assert_string_equal(found(shelf, "31mred", "", 0, 10), "?[31mred?");
    assert_int_equal(scan(shelf), 0);
    assert_int_equal(shelf->scan.changed, 0);
}

static void test_too_deep_and_too_long(void **state)
{
    struct shelf *shelf = *state;
    char path[4000] = "";
    for (int depth = 0; depth <= LIBRARY_DEPTH_MAX; depth++)
        strcat(path, "d/");
    strcat(path, "deep.mp3");
    put(shelf, path, "x");
    put(shelf, path + 2, "x");
    assert_int_equal(scan(shelf), 0);
    assert_int_equal(count(shelf), 1);
    assert_int_equal(shelf->scan.left_out, 1);
}

static void test_too_many(void **state)
{
    struct shelf *shelf = *state;
    put_albums(shelf);
    shelf->scan.tracks_max = 2;
    assert_int_equal(scan(shelf), 0);
    assert_int_equal(count(shelf), 2);
    assert_int_equal(shelf->scan.left_out, 2);
    shelf->scan.tracks_max = 4;
    assert_int_equal(scan(shelf), 0);
    assert_int_equal(count(shelf), 4);
}

/* What cannot be read now is not gone. */
static void test_what_is_known_stays(void **state)
{
    struct shelf *shelf = *state;
    char path[200];
    put_albums(shelf);
    assert_int_equal(scan(shelf), 0);
    put(shelf, "Anna/Night/1.ogg", "unreadable");
    assert_int_equal(scan(shelf), 0);
    assert_int_equal(shelf->scan.unread, 1);
    assert_int_equal(count(shelf), 4);
    snprintf(path, sizeof path, "%s/Ferry", shelf->root);
    if (geteuid() != 0) { /* whom nothing is closed to */
        assert_int_equal(chmod(path, 0), 0);
        assert_int_equal(scan(shelf), 0);
        assert_int_equal(count(shelf), 4);
        assert_int_equal(chmod(path, 0700), 0);
    }
    drop(shelf, "Ferry");
    drop(shelf, "Anna");
    assert_int_equal(scan(shelf), -ENODATA); /* an empty mount point */
    assert_int_equal(count(shelf), 4);
    assert_int_equal(rmdir(shelf->root), 0);
    assert_int_equal(scan(shelf), -ENOENT);
    assert_int_equal(count(shelf), 4);
    assert_int_equal(mkdir(shelf->root, 0700), 0);
    put(shelf, "one.mp3", "x"); /* it is there, and holds something else now */
    assert_int_equal(scan(shelf), 0);
    assert_int_equal(count(shelf), 1);
}

static void test_a_scan_that_is_stopped_goes_on(void **state)
{
    struct shelf *shelf = *state;
    put_albums(shelf);
    shelf->stop_after = 2;
    assert_int_equal(scan(shelf), -ECANCELED);
    assert_int_equal(count(shelf), 2);
    shelf->stop = false;
    assert_int_equal(scan(shelf), 0);
    assert_int_equal(shelf->reads, 2);
    assert_int_equal(count(shelf), 4);
}

static void test_other_directories_are_forgotten(void **state)
{
    struct shelf *shelf = *state;
    char other[100];
    snprintf(other, sizeof other, "%s/Ferry", shelf->root);
    put_albums(shelf);
    assert_int_equal(scan(shelf), 0);
    assert_int_equal(library_scan_root(&shelf->scan, other), 0);
    const char *const roots[] = {other, NULL};
    assert_int_equal(library_scan_forget_others(&shelf->scan, roots), 0);
    assert_int_equal(count(shelf), 0);
    assert_string_equal(found(shelf, "", "", 0, 10), "Öresund; Tide; Rope");
}

static void test_a_damaged_index_is_made_anew(void **state)
{
    struct shelf *shelf = *state;
    put_albums(shelf);
    assert_int_equal(scan(shelf), 0);
    library_index_close(shelf->index);
    FILE *file = fopen(shelf->database, "r+");
    assert_non_null(file);
    fputs("this is no database", file);
    fclose(file);
    log_set_level(LOG_ERROR);
    shelf->index = library_index_create(shelf->database);
    assert_non_null(shelf->index);
    shelf->scan.index = shelf->index;
    assert_int_equal(count(shelf), 0);
    assert_int_equal(scan(shelf), 0);
    assert_int_equal(count(shelf), 4);
}

static void test_nothing_leads_out_of_a_directory(void **state)
{
    struct shelf *shelf = *state;
    static const char *const paths[] = {"../library.sqlite",
                                        "Ferry/../../library.sqlite",
                                        "/etc/passwd",
                                        "",
                                        ".",
                                        "Ferry",
                                        "Ferry/",
                                        "link/passwd",
                                        "passwd",
                                        "Ferry//Harbour/01.mp3",
                                        "pipe",
                                        "none"};
    struct stat status;
    char path[200];
    put_albums(shelf);
    snprintf(path, sizeof path, "%s/link", shelf->root);
    assert_int_equal(symlink("/etc", path), 0);
    snprintf(path, sizeof path, "%s/passwd", shelf->root);
    assert_int_equal(symlink("/etc/passwd", path), 0);
    snprintf(path, sizeof path, "%s/pipe", shelf->root);
    assert_int_equal(mkfifo(path, 0600), 0);
    int root = library_file_open_root(shelf->root);
    assert_true(root >= 0);
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++)
        assert_int_equal(library_file_open(root, paths[i], &status), -ENOENT);
    int fd = library_file_open(root, "Ferry/Harbour/01.mp3", &status);
    assert_true(fd >= 0 && status.st_size > 0);
    close(fd);
    close(root);
}

static void test_titles_of_files_without_tags(void **state)
{
    (void)state;
    static const struct {
        const char *file, *title;
        int64_t number;
    } rows[] = {
        {"Harbour.mp3", "Harbour", 0},
        {"07 - Harbour.mp3", "Harbour", 7},
        {"07 Harbour.flac", "Harbour", 7},
        {"7. Harbour.ogg", "Harbour", 7},
        {"12-Harbour.ogg", "Harbour", 12},
        {"99 Luftballons.mp3", "99 Luftballons", 0},
        {"1979.mp3", "1979", 0},
        {"1979 - live.mp3", "1979 - live", 0},
        {"01.mp3", "01", 0},
        {"a.b.c.mp3", "a.b.c", 0},
        {"01_harbour.mp3", "harbour", 1},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct track_tags reading = track_tags_none();
        library_words_complete(&reading, "Pier/Live", rows[i].file);
        assert_string_equal(reading.title, rows[i].title);
        assert_string_equal(reading.album, "Live");
        assert_int_equal(reading.number, rows[i].number);
    }
    struct track_tags told = {.title = "Tide\n", .artist = "\xff", .number = 3};
    library_words_complete(&told, "", "07 - Harbour.mp3");
    assert_string_equal(told.title, "Tide?");
    assert_string_equal(told.album, "");
    assert_string_equal(told.artist, "?");
    assert_int_equal(told.number, 3);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_what_is_there_is_found),
        TEST(test_pages),
        TEST(test_hostile_words),
        TEST(test_a_rescan_reads_what_is_new_only),
        TEST(test_pictures_beside_tracks),
        TEST(test_a_link_is_no_picture),
        TEST(test_one_folder),
        TEST(test_hostile_names),
        TEST(test_too_deep_and_too_long),
        TEST(test_too_many),
        TEST(test_what_is_known_stays),
        TEST(test_a_scan_that_is_stopped_goes_on),
        TEST(test_other_directories_are_forgotten),
        TEST(test_a_damaged_index_is_made_anew),
        TEST(test_nothing_leads_out_of_a_directory),
        cmocka_unit_test(test_titles_of_files_without_tags),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
