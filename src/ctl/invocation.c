/*
 * invocation.c: see invocation.h. Not getopt(): "seek -10" is no option, "status --json" has one.
 */
#include "invocation.h"

#include <stdio.h>
#include <string.h>

struct reader {
    struct invocation *invocation;
    int count, at;
    char **words;
    char *error;
    size_t size;
};

static bool add_socket(struct reader *reader, const char *before, const char *name,
                       const char *behind)
{
    struct invocation *invocation = reader->invocation;
    if (invocation->speaker_count == INVOCATION_SPEAKERS_MAX) {
        snprintf(reader->error, reader->size, "at most %d speakers can be named",
                 INVOCATION_SPEAKERS_MAX);
        return false;
    }
    char *path = invocation->sockets[invocation->speaker_count++];
    int length = snprintf(path, INVOCATION_PATH_MAX, "%s%s%s", before, name, behind);
    if (*name && length < INVOCATION_PATH_MAX)
        return true;
    if (*name)
        snprintf(reader->error, reader->size, "%.40s...: too long for a socket's path", name);
    else
        snprintf(reader->error, reader->size, "a speaker's name or path must not be empty");
    return false;
}

static bool add_instance(struct reader *reader, const char *name)
{
    if (!strchr(name, '/'))
        return add_socket(reader, "/run/tutti-", name, "/control.sock");
    snprintf(reader->error, reader->size, "%.40s: an instance's name has no slash", name);
    return false;
}

static bool add_room(struct reader *reader, const char *name)
{
    struct invocation *invocation = reader->invocation;
    if (*name && invocation->room_count < INVOCATION_ROOMS_MAX) {
        invocation->rooms[invocation->room_count++] = name;
        return true;
    }
    snprintf(reader->error, reader->size, "--room wants a speaker's name, at most %d times",
             INVOCATION_ROOMS_MAX);
    return false;
}

enum outcome { NO_OPTION, TAKEN, WRONG };

/* The value of option name, if that is this word: behind "=", or the next word. letter: '\0': it has
 * none. */
static enum outcome take_value(struct reader *reader, const char *name, char letter,
                               const char **ret_value)
{
    const char *word = reader->words[reader->at];
    size_t length = strlen(name);
    if (strncmp(word, name, length) == 0 && word[length] == '=') {
        *ret_value = word + length + 1;
        return TAKEN;
    }
    bool is_letter = letter && word[0] == '-' && word[1] == letter && word[2] == '\0';
    if (strcmp(word, name) != 0 && !is_letter)
        return NO_OPTION;
    if (reader->at + 1 == reader->count) {
        snprintf(reader->error, reader->size, "%.40s wants a value", word);
        return WRONG;
    }
    *ret_value = reader->words[++reader->at];
    return TAKEN;
}

static enum outcome take_flag(struct invocation *invocation, const char *word)
{
    if (strcmp(word, "--json") == 0)
        invocation->json = true;
    else if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0)
        invocation->help = true;
    else if (strcmp(word, "--version") == 0)
        invocation->version = true;
    else if (strcmp(word, "--all") == 0)
        invocation->all = true;
    else
        return NO_OPTION;
    return TAKEN;
}

static enum outcome take_option(struct reader *reader)
{
    const char *value;
    enum outcome outcome = take_value(reader, "--socket", 's', &value);
    if (outcome == TAKEN)
        return add_socket(reader, "", value, "") ? TAKEN : WRONG;
    if (outcome == NO_OPTION)
        outcome = take_value(reader, "--instance", 'i', &value);
    if (outcome == TAKEN)
        return add_instance(reader, value) ? TAKEN : WRONG;
    if (outcome == NO_OPTION)
        outcome = take_value(reader, "--room", '\0', &value);
    if (outcome == TAKEN)
        return add_room(reader, value) ? TAKEN : WRONG;
    return outcome == WRONG ? WRONG : take_flag(reader->invocation, reader->words[reader->at]);
}

static bool take_word(struct reader *reader, bool only_words)
{
    struct invocation *invocation = reader->invocation;
    char *word = reader->words[reader->at];
    if (!only_words) {
        enum outcome outcome = take_option(reader);
        if (outcome != NO_OPTION)
            return outcome == TAKEN;
    }
    if (!invocation->command && word[0] == '-' && !only_words) {
        snprintf(reader->error, reader->size, "there is no option %.40s; see tuttictl --help",
                 word);
        return false;
    }
    if (!invocation->command) {
        invocation->command = word;
        return true;
    }
    if (invocation->argc == INVOCATION_WORDS_MAX) {
        snprintf(reader->error, reader->size, "more than %d arguments", INVOCATION_WORDS_MAX);
        return false;
    }
    invocation->argv[invocation->argc++] = word;
    return true;
}

bool invocation_parse(struct invocation *invocation, int count, char **words,
                      const char *default_socket, char *error, size_t size)
{
    struct reader reader = {invocation, count, 0, words, error, size};
    bool only_words = false;
    *invocation = (struct invocation){0};
    for (; reader.at < count; reader.at++) {
        if (!only_words && strcmp(words[reader.at], "--") == 0)
            only_words = true;
        else if (!take_word(&reader, only_words))
            return false;
    }
    if (invocation->speaker_count == 0)
        return add_socket(&reader, "", default_socket ? default_socket : INVOCATION_SOCKET, "");
    return true;
}
