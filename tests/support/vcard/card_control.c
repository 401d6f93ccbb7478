/*
 * card_control.c: reads the lines of card_control.h. Called from every call into the card, so the
 * usual case, nothing new, is one stat().
 */
#include "card_control.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *const NAMES[] = {
    [CARD_FAIL] = "fail", [CARD_BUSY] = "busy",       [CARD_OK] = "ok",
    [CARD_XRUN] = "xrun", [CARD_SUSPEND] = "suspend", [CARD_FREEZE] = "freeze",
    [CARD_THAW] = "thaw", [CARD_PPM] = "ppm",
};

static void run_line(const char *line, card_control_fn *each, void *user)
{
    char word[16] = "";
    double value = 0;

    if (sscanf(line, "%15s %lf", word, &value) < 1)
        return;
    for (size_t i = 0; i < sizeof(NAMES) / sizeof(NAMES[0]); i++) {
        if (strcmp(word, NAMES[i]) == 0) {
            each(user, (enum card_command)i, value);
            return;
        }
    }
    fprintf(stderr, "vcard: unknown command: %s\n", word);
}

static void run_lines(struct card_control *control, char *text, card_control_fn *each, void *user)
{
    char *newline;

    while ((newline = strchr(text, '\n'))) {
        *newline = '\0';
        run_line(text, each, user);
        control->read_bytes += newline + 1 - text;
        text = newline + 1;
    }
}

void card_control_poll(struct card_control *control, card_control_fn *each, void *user)
{
    char text[4096];
    struct stat st;
    ssize_t n;
    int fd;

    if (!control->path || stat(control->path, &st) < 0 || st.st_size == control->read_bytes)
        return;
    if (st.st_size < control->read_bytes)
        control->read_bytes = 0;
    fd = open(control->path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return;
    while ((n = pread(fd, text, sizeof(text) - 1, control->read_bytes)) > 0) {
        off_t before = control->read_bytes;
        text[n] = '\0';
        run_lines(control, text, each, user);
        if (control->read_bytes == before)
            break;
    }
    close(fd);
}
