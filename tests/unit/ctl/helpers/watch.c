#include "watch.h"

#include "../../cmocka_all.h"

#include <stdio.h>

void watch_start(struct watch_model *model, int speakers)
{
    static char paths[INVOCATION_SPEAKERS_MAX][INVOCATION_PATH_MAX];
    for (int i = 0; i < speakers; i++)
        snprintf(paths[i], sizeof paths[i], "/%d", i + 1);
    watch_model_init(model, speakers, paths);
}

void watch_line(struct watch_model *model, int speaker, const char *json, int64_t now_ms)
{
    cJSON *line = cJSON_Parse(json);
    assert_non_null(line);
    watch_model_take(model, speaker, line, now_ms);
}
