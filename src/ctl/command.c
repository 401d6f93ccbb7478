/*
 * command.c: see command.h.
 */
#include "command.h"

#include "invocation.h"
#include "library.h"

#include <string.h>

#define PLAYLIST COMMAND_NEEDS_PLAYLIST
#define REQUESTS COMMAND_NEEDS_REQUESTS

/* clang-format off */
const struct command commands[] = {
    {.name = "status", .help = "What this speaker does, and how well",
     .build = order_plain, .print = print_status, .result = "status"},
    {.name = "watch", .help = "The same and more, live on the screen", .kind = COMMAND_WATCHES},
    {.name = "play", .arguments = "[TRACK] [--at M:SS]", .help = "Play, or go on (host)", .most = 3,
     .needs = PLAYLIST, .build = order_play, .print = print_confirmed, .done = "playing",
     .words = {"@item"}, .options = "--at"},
    {.name = "pause", .help = "Pause everywhere (host)",
     .build = order_plain, .print = print_confirmed, .done = "paused"},
    {.name = "toggle", .help = "Pause, or go on (host)",
     .build = order_plain, .print = print_toggled},
    {.name = "seek", .arguments = "M:SS | +S | -S", .help = "Go to a position (host)", .least = 1, .most = 1,
     .build = order_seek, .print = print_confirmed, .done = "moved"},
    {.name = "next", .help = "Skip to the next track (host)",
     .build = order_plain, .print = print_skipped, .done = "next track"},
    {.name = "prev", .help = "Skip to the one before (host)",
     .build = order_plain, .print = print_skipped, .done = "previous track"},
    {.name = "playlist", .help = "List the session's tracks",
     .build = order_plain, .print = print_playlist, .result = "playlist"},
    {.name = "search", .arguments = "[WORD...]", .help = "Find tracks in the house's library", .most = 64,
     .build = order_search, .print = print_found, .result = "library"},
    {.name = "add", .arguments = "FILE... | NUMBER... | WORD...", .help = "Add files, or tracks of the library",
     .kind = COMMAND_ADDS, .least = 1, .most = 1000, .words = {"@file", "@file"}, .options = "--name -r"},
    {.name = "remove", .arguments = "ITEM", .help = "Take one off the playlist (host)", .least = 1, .most = 1,
     .needs = PLAYLIST, .build = order_remove, .print = print_confirmed, .done = "removed",
     .words = {"@item"}},
    {.name = "move", .arguments = "ITEM TO", .help = "Put one at another place (host)", .least = 2, .most = 2,
     .needs = PLAYLIST, .build = order_move, .print = print_confirmed, .done = "moved",
     .words = {"@item"}},
    {.name = "save", .arguments = "NAME | FILE.m3u", .help = "Keep the playlist under a name (host)", .least = 1, .most = 64,
     .build = order_list, .print = print_saved, .file = list_file_save, .words = {"@file"}},
    {.name = "load", .arguments = "[NAME | FILE.m3u]", .help = "Add a saved playlist; or list them (host)", .most = 64,
     .build = order_load, .print = print_loaded, .file = list_file_load, .words = {"@file"}},
    {.name = "forget", .arguments = "NAME", .help = "Forget a saved playlist (host)", .least = 1, .most = 64,
     .build = order_list, .print = print_forgotten},
    {.name = "clear", .help = "Take everything off the playlist (host)",
     .build = order_plain, .print = print_cleared},
    {.name = "request", .arguments = "add|remove|move ITEM [TO]", .help = "Ask the host for a change (guest)",
     .least = 2, .most = 3, .needs = PLAYLIST, .build = order_request, .print = print_request,
     .done = "asked:", .words = {"add remove move", "@item"}},
    {.name = "requests", .arguments = "[--pending]", .help = "List what guests asked for", .most = 1,
     .build = order_requests, .print = print_requests, .result = "requests", .options = "--pending"},
    {.name = "approve", .arguments = "REQUEST", .help = "Do what a guest asked for (host)", .least = 1, .most = 1,
     .needs = REQUESTS, .build = order_approve, .print = print_request, .done = "approved:",
     .words = {"@request"}},
    {.name = "deny", .arguments = "REQUEST [--reason TEXT]", .help = "Refuse it (host)", .least = 1, .most = 3,
     .needs = REQUESTS, .build = order_deny, .print = print_request, .done = "denied:",
     .words = {"@request"}, .options = "--reason"},
    {.name = "repeat", .arguments = "[off | one | all]", .help = "What follows the last track (host)", .most = 1,
     .build = order_repeat, .print = print_settings, .result = "settings", .words = {"off one all"}},
    {.name = "shuffle", .arguments = "[on | off]", .help = "Play in an order of chance (host)", .most = 1,
     .build = order_shuffle, .print = print_settings, .result = "settings", .words = {"on off"}},
    {.name = "session", .arguments = "[SETTING VALUE]", .help = "The session; change a setting (host)", .most = 2,
     .build = order_session, .print = print_session, .result = "session", .words = {"advance control add", "on off host everyone requests"}},
    {.name = "pairing", .arguments = "[allow | deny SIGN]", .help = "Who asks to be let in; let one in (host)", .most = 2,
     .build = order_pairing, .print = print_pairing, .result = "pairing", .words = {"allow deny"}},
    {.name = "join", .arguments = "CODE", .help = "Join the session of an invite code", .least = 1, .most = 1,
     .build = order_join, .print = print_confirmed, .done = "joined"},
    {.name = "leave", .help = "Leave the session, and stay out",
     .build = order_plain, .print = print_confirmed, .done = "left the session"},
    {.name = "volume", .arguments = "[N | +N | -N]", .help = "Show or set the volume in percent",
     .most = 1, .build = order_volume, .print = print_volume,
     .rooms_build = order_rooms_volume, .rooms_print = print_rooms_volume},
    {.name = "mute", .arguments = "[on | off]", .help = "Mute this speaker, or not", .most = 1,
     .build = order_mute, .print = print_muted, .words = {"on off"},
     .rooms_build = order_rooms_mute, .rooms_print = print_rooms_mute},
    {.name = "latency", .arguments = "[MS]", .help = "Show or set how late the sound is",
     .most = 1, .build = order_latency, .print = print_latency,
     .rooms_build = order_rooms_latency, .rooms_print = print_rooms_latency},
    {.name = "identify", .help = "A short sound, to find a room by",
     .build = order_plain, .print = print_identified,
     .rooms_build = order_rooms_identify, .rooms_print = print_rooms_identified},
    {.name = "clicks", .arguments = "[on | off]", .help = "Clicks for a minute, to step a latency by", .most = 1,
     .build = order_clicks, .print = print_clicks, .words = {"on off"},
     .rooms_build = order_rooms_clicks, .rooms_print = print_rooms_clicks},
    {.name = "speakers", .arguments = "[--watch]", .help = "The session's speakers, and how they are", .most = 1,
     .build = order_speakers, .print = print_speakers, .result = "speakers", .options = "--watch"},
    {.name = "speaker", .arguments = "rename SPEAKER NAME", .help = "Give a room its name (host)",
     .least = 3, .most = 3, .needs = COMMAND_NEEDS_SPEAKERS, .build = order_speaker, .print = print_speaker,
     .result = "speaker", .words = {"rename", "@speaker"}},
    {.name = "devices", .help = "List the sound devices of this machine",
     .build = order_plain, .print = print_devices, .result = "devices"},
    {.name = "log-level", .arguments = "[LEVEL]", .help = "Show or set what the daemon logs", .most = 1,
     .build = order_log_level, .print = print_level, .words = {"error warn info debug"}},
};
/* clang-format on */

const size_t command_count = sizeof commands / sizeof *commands;

static const char *arguments(const struct command *command)
{
    return command->arguments ? command->arguments : "";
}

void command_print_usage(FILE *out, const struct command *command)
{
    const char *words = arguments(command);
    fprintf(out, "Usage: tuttictl %s%s%s\n", command->name, *words ? " " : "", words);
}

void command_print_help(FILE *out)
{
    fprintf(out, "Usage: tuttictl [OPTION...] COMMAND [ARGUMENT...]\n"
                 "       tuttictl help [COMMAND]\n\n");
    for (size_t i = 0; i < command_count; i++) {
        char usage[48];
        snprintf(usage, sizeof usage, "%s %s", commands[i].name, arguments(&commands[i]));
        fprintf(out, "  %-35s %s\n", usage, commands[i].help);
    }
    fprintf(out, "\n"
                 "ITEM and TRACK: a number of `tuttictl playlist`, an id, or a part of the name\n"
                 "\n"
                 "add FILE... uploads files, add -r FOLDER all that are in it;\n"
                 "add NUMBER... takes what the last search found, add WORD... an album, or what\n"
                 "has these words alone\n"
                 "\n"
                 "save FILE.m3u writes the playlist into a file, save - on standard output;\n"
                 "load FILE.m3u, and load -, adds what the library has of it\n"
                 "\n"
                 "SETTING VALUE: advance on|off: whether it goes on at the end of a track;\n"
                 "control host|everyone: who may play, pause and change rooms;\n"
                 "add host|everyone|requests: who may add tracks\n"
                 "\n"
                 "volume, mute, latency, identify and clicks, in other rooms of the session:\n"
                 "      --room SPEAKER   there, by its name; more than one can be given\n"
                 "      --all            in all; volume +N and -N keep their proportions\n"
                 "\n"
                 "  -i, --instance NAME  the speaker of that name on this machine\n"
                 "  -s, --socket PATH    default " INVOCATION_SOCKET "\n"
                 "      --json           print the answer as JSON\n"
                 "  -h, --help\n"
                 "      --version\n"
                 "\n"
                 "Exit codes: 0 done, 1 refused, 2 wrong usage, 3 no daemon\n");
}

const struct command *command_find(const char *name)
{
    for (size_t i = 0; i < command_count; i++) {
        if (strcmp(commands[i].name, name) == 0)
            return &commands[i];
    }
    return NULL;
}

/* Levenshtein's distance; names are short. */
static size_t distance(const char *a, const char *b)
{
    size_t row[32], length = strlen(b);
    if (length >= 31)
        return length;
    for (size_t j = 0; j <= length; j++)
        row[j] = j;
    for (size_t i = 0; a[i]; i++) {
        size_t diagonal = row[0];
        row[0] = i + 1;
        for (size_t j = 0; j < length; j++) {
            size_t best = diagonal + (a[i] != b[j]);
            diagonal = row[j + 1];
            if (row[j + 1] + 1 < best)
                best = row[j + 1] + 1;
            if (row[j] + 1 < best)
                best = row[j] + 1;
            row[j + 1] = best;
        }
    }
    return row[length];
}

/* One that begins so, or else the one with the fewest letters to change. */
const struct command *command_nearest(const char *name)
{
    const struct command *nearest = &commands[0];
    for (size_t i = 0; i < command_count; i++) {
        if (*name && strncmp(commands[i].name, name, strlen(name)) == 0)
            return &commands[i];
        if (distance(commands[i].name, name) < distance(nearest->name, name))
            nearest = &commands[i];
    }
    return nearest;
}
