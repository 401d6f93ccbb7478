/*
 * texts.c: see texts.h. The thread has the text until it is parsed, the loop what it says from then
 * on; what is left over goes back to the thread to be freed.
 */
#include "texts.h"

#include "json_pool.h"
#include "tutti/core/playlist.h"
#include "tutti/io/background.h"

#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct text {
    struct background *reader;
    struct text_source source;
    struct parsed parsed;
    void (*done)(void *user, struct text *text, struct parsed *parsed); /* NULL: cancelled */
    void *user;
};

/* cJSON's memory is the pool's; what is read of it, the heap's. */
void link_say(struct link_said *said, const cJSON *json)
{
    char *text = json ? cJSON_PrintUnformatted(json) : NULL;
    said->text = text ? strdup(text) : NULL;
    cJSON_free(text);
}

char *link_said_take(struct link_said *said)
{
    char *text = said->text;
    said->text = NULL;
    return text;
}

static void read_answer(const struct text_source *source, struct parsed *parsed)
{
    cJSON *root = cJSON_ParseWithLength(source->text, source->bytes);
    if (root)
        source->read(root, source->key, &parsed->said);
    parsed->good = root != NULL;
    snprintf(parsed->reason, sizeof parsed->reason, "%s", root ? "" : "it is no JSON");
    cJSON_Delete(root);
}

static void parse(void *job)
{
    struct text *text = job;
    struct parsed *parsed = &text->parsed;
    const struct text_source *source = &text->source;
    json_pool_begin();
    switch (source->kind) {
    case TEXT_MESSAGE:
        parsed->good =
            protocol_parse(source->text, source->bytes, &parsed->message, parsed->reason);
        break;
    case TEXT_PLAYLIST:
        parsed->good =
            protocol_parse_playlist(source->text, source->bytes, &parsed->playlist, parsed->reason);
        break;
    case TEXT_SNAPSHOT:
        parsed->good = protocol_parse_snapshot(source->text, source->bytes, &parsed->playback,
                                               &parsed->playlist, parsed->reason);
        break;
    case TEXT_ANSWER:
        read_answer(source, parsed);
        break;
    case TEXT_JOINED:
        parsed->good = protocol_parse_session(source->text, source->bytes, &parsed->session);
        snprintf(parsed->reason, sizeof parsed->reason, "%s",
                 parsed->good ? "" : "it holds no session");
        break;
    }
    json_pool_end();
    free(text->source.text);
    text->source.text = NULL;
}

static void nothing(void *job)
{
    (void)job;
}

static void free_text(void *job)
{
    struct text *text = job;
    if (text->parsed.good && text->source.kind == TEXT_MESSAGE)
        protocol_message_finish(&text->parsed.message);
    playlist_message_finish(&text->parsed.playlist);
    free(text->parsed.said.text);
    free(text);
}

static void parsed_it(void *job)
{
    struct text *text = job;
    if (text->done)
        text->done(text->user, text, &text->parsed);
    background_run(text->reader, free_text, nothing, text);
}

struct text *texts_parse(struct background *reader, const struct text_source *source,
                         void (*done)(void *user, struct text *text, struct parsed *parsed),
                         void *user)
{
    struct text *text = calloc(1, sizeof *text);
    if (!text) {
        free(source->text);
        return NULL;
    }
    text->reader = reader;
    text->source = *source;
    text->parsed.kind = source->kind;
    text->parsed.bytes = source->bytes;
    text->parsed.received = source->received;
    text->done = done;
    text->user = user;
    if (background_try(reader, parse, parsed_it, text))
        return text;
    free(source->text);
    free(text);
    return NULL;
}

void texts_cancel(struct text *text)
{
    if (text)
        text->done = NULL;
}

void texts_forget(struct background *reader, void *memory)
{
    if (memory)
        background_run(reader, free, nothing, memory);
}

static void finish_playlist(void *job)
{
    playlist_message_finish(job);
    free(job);
}

void texts_forget_playlist(struct background *reader, struct playlist_message *playlist)
{
    struct playlist_message *last =
        playlist->count > 0 && playlist_is_last(playlist) ? malloc(sizeof *last) : NULL;
    if (!last) {
        playlist_message_finish(playlist);
        return;
    }
    *last = *playlist;
    *playlist = (struct playlist_message){0};
    background_run(reader, finish_playlist, nothing, last);
}
