/*
 * add.c: see add.h.
 */
#include "add.h"

#include "folder.h"
#include "invocation.h"
#include "library.h"
#include "members.h"
#include "print.h"
#include "text.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define BAR_COLUMNS 30
/* The daemon tells of progress as long as there is any; then the backend stores what it got. */
#define PATIENCE_S 60

struct upload {
    const char *name;
    bool on_terminal;
};

void add_name_of(const char *path, char *to, size_t size)
{
    const char *slash = strrchr(path, '/');
    text_clean(to, size, slash ? slash + 1 : path);
    char *dot = strrchr(to, '.');
    if (dot && dot > to)
        *dot = '\0';
}

void add_bar(char *to, size_t size, const char *name, double sent_bytes, double total_bytes,
             int columns)
{
    char shown[256], done[BAR_COLUMNS + 1];
    double part = total_bytes > 0 ? fmin(fmax(sent_bytes / total_bytes, 0), 1) : 0;
    int filled = (int)(part * BAR_COLUMNS);
    memset(done, ' ', BAR_COLUMNS);
    memset(done, '#', (size_t)filled);
    done[BAR_COLUMNS] = '\0';
    text_fit(shown, sizeof shown, name, columns - BAR_COLUMNS - 30);
    snprintf(to, size, "%s [%s] %3.0f %%  %.1f of %.1f MB", shown, done, floor(part * 100),
             part * total_bytes / 1e6, total_bytes / 1e6);
}

static void show_progress(void *user, const cJSON *progress)
{
    const struct upload *upload = user;
    char bar[512];
    double total_bytes = member_number(progress, "total_bytes");
    double sent_bytes = member_number(progress, "sent_bytes");
    if (!upload->on_terminal || !isfinite(total_bytes) || !isfinite(sent_bytes))
        return;
    add_bar(bar, sizeof bar, upload->name, sent_bytes, total_bytes, PAPER_COLUMNS - 1);
    fprintf(stderr, "\r%s\033[K", bar);
}

int add_open_file(const char *path)
{
    struct stat about;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0 || fstat(fd, &about) < 0) {
        complain("%s: %s", path, strerror(errno));
    } else if (!S_ISREG(about.st_mode)) {
        complain("%s: not a file", path);
    } else if (about.st_size == 0) {
        complain("%s: empty", path);
    } else {
        return fd;
    }
    if (fd >= 0)
        close(fd);
    return -1;
}

static void print_added(const struct paper *paper, const cJSON *answer, const char *name,
                        double answered_ms)
{
    /* A guest's upload is a request. */
    bool asked = member(answer, "request") != NULL;
    char shown[256];
    text_fit(shown, sizeof shown, name, 44);
    struct print_context context = {
        .subject = shown, .answered_ms = answered_ms, .done = asked ? "asked: add" : "added"};
    print_confirmed(paper, answer, &context);
}

static cJSON *upload_request(const char *path, const char *name)
{
    const char *slash = strrchr(path, '/');
    char filename[256];
    cJSON *request = cJSON_CreateObject();
    text_clean(filename, sizeof filename, slash ? slash + 1 : path);
    cJSON_AddStringToObject(request, "cmd", "add");
    cJSON_AddStringToObject(request, "name", name);
    cJSON_AddStringToObject(request, "filename", filename);
    return request;
}

static enum exit_code show(const struct client *client, const cJSON *answer, const char *path,
                           const char *name, bool json, const struct paper *paper)
{
    if (!member_is_true(answer, "ok")) {
        complain("%s: %s", path, member_text(answer, "error"));
        return EXIT_REFUSED;
    }
    if (json)
        paper_json(paper->out, answer);
    else
        print_added(paper, answer, name, client->answered_ms);
    return EXIT_OK;
}

static enum exit_code add_file(struct client *client, const char *path, const char *name, bool json,
                               const struct paper *paper)
{
    int fd = add_open_file(path);
    if (fd < 0)
        return EXIT_REFUSED;
    struct upload upload = {name, isatty(STDERR_FILENO)};
    cJSON *answer =
        client_ask(client, upload_request(path, name), fd, PATIENCE_S, show_progress, &upload);
    close(fd);
    if (upload.on_terminal)
        fputs("\r\033[K", stderr);
    enum exit_code result =
        answer ? show(client, answer, path, name, json, paper) : EXIT_UNREACHABLE;
    cJSON_Delete(answer);
    return result;
}

/* --- the arguments ------------------------------------------------------------------------- */

struct wanted {
    const char *words[INVOCATION_WORDS_MAX];
    int count;
    const char *name;   /* NULL: its own */
    const char *folder; /* with all that is in it; NULL: none */
};

/* The value of an option, behind "=" or as the next word: true, and *ret is NULL if it is missing. */
static bool take_option(const char *option, int argc, char *const *argv, int *at, const char **ret)
{
    size_t length = strlen(option);
    const char *word = argv[*at];
    if (strncmp(word, option, length) != 0 || (word[length] != '\0' && word[length] != '='))
        return false;
    if (word[length] == '=')
        *ret = word + length + 1;
    else
        *ret = ++*at < argc ? argv[*at] : NULL;
    return true;
}

static bool sort_arguments(int argc, char *const *argv, struct wanted *wanted)
{
    if (argc > INVOCATION_WORDS_MAX)
        return false;
    for (int i = 0; i < argc; i++) {
        const char *value = "";
        if (take_option("--name", argc, argv, &i, &value))
            wanted->name = value;
        else if (take_option("-r", argc, argv, &i, &value))
            wanted->folder = value;
        else
            wanted->words[wanted->count++] = argv[i];
        if (!value)
            return false;
    }
    if (wanted->folder)
        return wanted->count == 0 && !wanted->name;
    return wanted->count > 0 &&
           (!wanted->name || (wanted->count == 1 && *wanted->name && text_is_clean(wanted->name)));
}

/* What is a file, or looks like the path of one: the rest is looked for in the library. */
static bool is_file(const char *word)
{
    struct stat about;
    const char *dot = strrchr(word, '.');
    return strchr(word, '/') || stat(word, &about) == 0 ||
           (dot && strlen(dot) > 1 && strlen(dot) <= 5 && !strchr(dot, ' '));
}

static bool are_files(const struct wanted *wanted)
{
    for (int i = 0; i < wanted->count; i++)
        if (is_file(wanted->words[i]))
            return true;
    return wanted->name != NULL;
}

/* One after the other, whatever becomes of them. */
struct additions {
    struct client *client;
    const char *name;
    bool json;
    const struct paper *paper;
    int count;
    enum exit_code result;
};

static bool add_next(void *user, const char *path)
{
    struct additions *additions = user;
    char own[256];
    add_name_of(path, own, sizeof own);
    enum exit_code one = add_file(additions->client, path, additions->name ? additions->name : own,
                                  additions->json, additions->paper);
    additions->count++;
    if (one != EXIT_OK)
        additions->result = one;
    return one != EXIT_UNREACHABLE;
}

static void add_folder(struct additions *additions, const char *path)
{
    int error = folder_each_track(path, add_next, additions);
    if (error < 0)
        complain("%s: %s", path, strerror(-error));
    else if (additions->count == 0)
        complain("%s: there is no track in it", path);
    if (additions->count == 0)
        additions->result = EXIT_REFUSED;
}

enum exit_code add_tracks(struct client *client, int argc, char *const *argv, bool json,
                          const struct paper *paper)
{
    struct wanted wanted = {.count = 0};
    if (!sort_arguments(argc, argv, &wanted))
        return EXIT_USAGE;
    struct additions additions = {client, wanted.name, json, paper, 0, EXIT_OK};
    if (wanted.folder)
        add_folder(&additions, wanted.folder);
    else if (!are_files(&wanted))
        return library_add(client, wanted.count, wanted.words, json, paper);
    for (int i = 0; i < wanted.count && additions.result != EXIT_UNREACHABLE; i++)
        add_next(&additions, wanted.words[i]);
    return additions.result;
}
