/*
 * add.c: see add.h.
 */
#include "add.h"

#include "invocation.h"
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

/* A descriptor, or -1 after a line on standard error. */
static int open_track(const char *path)
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
    int fd = open_track(path);
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

/* The files of argv into files[], which has room for all; their number, or -1 for wrong usage. */
static int sort_arguments(int argc, char *const *argv, const char **files, const char **ret_name)
{
    static const char option[] = "--name";
    int count = 0;
    *ret_name = NULL;
    for (int i = 0; i < argc; i++) {
        if (strncmp(argv[i], "--name=", sizeof option) == 0)
            *ret_name = argv[i] + sizeof option;
        else if (strcmp(argv[i], option) != 0)
            files[count++] = argv[i];
        else if (++i == argc)
            return -1;
        else
            *ret_name = argv[i];
    }
    bool good = count > 0 && (!*ret_name || (count == 1 && **ret_name && text_is_clean(*ret_name)));
    return good ? count : -1;
}

enum exit_code add_files(struct client *client, int argc, char *const *argv, bool json,
                         const struct paper *paper)
{
    const char *files[INVOCATION_WORDS_MAX], *name;
    int count = argc <= INVOCATION_WORDS_MAX ? sort_arguments(argc, argv, files, &name) : -1;
    enum exit_code result = count > 0 ? EXIT_OK : EXIT_USAGE;
    for (int i = 0; i < count && result != EXIT_UNREACHABLE; i++) {
        char own[256];
        add_name_of(files[i], own, sizeof own);
        enum exit_code one = add_file(client, files[i], name ? name : own, json, paper);
        result = one == EXIT_OK ? result : one;
    }
    return result;
}
