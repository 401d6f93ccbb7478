/*
 * watch_list.c: see watch_list.h. A list is changed in one walk through it: cJSON's own calls would
 * walk for each item.
 */
#include "watch_list.h"

#include "members.h"

#include <math.h>
#include <string.h>

/* -1: no count of that list. */
static int count_of(const cJSON *change, const char *name, int most)
{
    double number = member_number(change, name);
    return number >= 0 && number <= most && number == floor(number) ? (int)number : -1;
}

static void remove_items(cJSON *list, cJSON *first, int count)
{
    for (cJSON *item = first, *next; count > 0; item = next, count--) {
        next = item->next;
        cJSON_Delete(cJSON_DetachItemViaPointer(list, item));
    }
}

/* The first of a list knows its last. */
static void insert_items(cJSON *list, cJSON *follows, cJSON *items)
{
    cJSON *first = items->child, *head = list->child;
    if (!first)
        return;
    cJSON *last = first->prev, *before = follows ? follows->prev : head ? head->prev : NULL;
    items->child = NULL;
    last->next = follows;
    if (!head || follows == head)
        list->child = first;
    else
        before->next = first;
    if (follows)
        follows->prev = last;
    first->prev = before;
    if (!follows || !head)
        list->child->prev = last;
}

static cJSON *item_at(cJSON *list, int at)
{
    cJSON *item = list->child;
    while (item && at-- > 0)
        item = item->next;
    return item;
}

void watch_list_change(cJSON *list, cJSON *change)
{
    int size = cJSON_GetArraySize(list);
    int at = count_of(change, "at", size);
    int removed = at < 0 ? -1 : count_of(change, "removed", size - at);
    cJSON *items = cJSON_GetObjectItemCaseSensitive(change, "items");
    if (!cJSON_IsArray(list) || removed < 0 || !cJSON_IsArray(items))
        return;
    remove_items(list, item_at(list, at), removed);
    insert_items(list, item_at(list, at), items);
}

bool watch_list_is_current(const cJSON *status, const cJSON *item)
{
    const char *current = member_text(status, "item_id");
    if (!member(status, "item_id"))
        return member_is_true(item, "current");
    return *current && strcmp(current, member_text(item, "id")) == 0;
}
