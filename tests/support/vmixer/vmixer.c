/*
 * vmixer.c: a card's mixer in user space, as an ALSA external control plugin.
 *
 *   ctl.kitchen {
 *       type tutti_vmixer
 *       values "/tmp/kitchen.values"    # what the controls are at, rewritten at every change
 *       controls [ "Digital 0 207 -10350 50" "Headphone 0 3" ]
 *   }
 *
 * A control is NAME MIN MAX [MIN_CDB STEP_CDB [mute]]: its raw range and, if it has one, its scale
 * in 1/100 dB (mute: the lowest step is silence); it begins at MIN, with its switch off. In the
 * values file every control has a line: NAME LEFT RIGHT SWITCH. While a file of that name with
 * ".gone" behind it exists, the card is gone.
 */
#include <alsa/asoundlib.h>
#include <alsa/control_external.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CONTROLS_MAX 8

struct control {
    char name[44];
    long min, max;
    int has_scale, mute;
    int min_cdb, step_cdb;
    long values[2];
    long on;
};

struct vmixer {
    snd_ctl_ext_t ext;
    char values_path[256];
    char gone_path[264];
    struct control controls[CONTROLS_MAX];
    unsigned count;
};

/* Keys: two per control, volume and switch. */
static struct control *control_of(struct vmixer *mixer, snd_ctl_ext_key_t key)
{
    return &mixer->controls[key / 2];
}

static int is_gone(const struct vmixer *mixer)
{
    return access(mixer->gone_path, F_OK) == 0;
}

static void save(const struct vmixer *mixer)
{
    FILE *file = fopen(mixer->values_path, "w");
    if (!file)
        return;
    for (unsigned i = 0; i < mixer->count; i++) {
        const struct control *control = &mixer->controls[i];
        fprintf(file, "%s %ld %ld %ld\n", control->name, control->values[0], control->values[1],
                control->on);
    }
    fclose(file);
}

static int elem_count(snd_ctl_ext_t *ext)
{
    struct vmixer *mixer = ext->private_data;
    return (int)mixer->count * 2;
}

static int elem_list(snd_ctl_ext_t *ext, unsigned offset, snd_ctl_elem_id_t *id)
{
    struct vmixer *mixer = ext->private_data;
    char name[64];
    snprintf(name, sizeof name, "%.43s Playback %s", mixer->controls[offset / 2].name,
             offset % 2 ? "Switch" : "Volume");
    snd_ctl_elem_id_set_interface(id, SND_CTL_ELEM_IFACE_MIXER);
    snd_ctl_elem_id_set_name(id, name);
    return 0;
}

static snd_ctl_ext_key_t find_elem(snd_ctl_ext_t *ext, const snd_ctl_elem_id_t *id)
{
    struct vmixer *mixer = ext->private_data;
    const char *name = snd_ctl_elem_id_get_name(id);
    for (unsigned i = 0; i < mixer->count; i++) {
        size_t length = strlen(mixer->controls[i].name);
        if (strncmp(name, mixer->controls[i].name, length) != 0)
            continue;
        if (strcmp(name + length, " Playback Volume") == 0)
            return i * 2;
        if (strcmp(name + length, " Playback Switch") == 0)
            return i * 2 + 1;
    }
    return SND_CTL_EXT_KEY_NOT_FOUND;
}

static int read_tlv(snd_ctl_ext_t *ext, snd_ctl_ext_key_t key, int op, unsigned numid,
                    unsigned *tlv, unsigned tlv_size)
{
    const struct control *control = control_of(ext->private_data, key);
    (void)numid;
    if (op != 0 || !control->has_scale || tlv_size < 4 * sizeof *tlv)
        return -ENXIO;
    tlv[0] = SND_CTL_TLVT_DB_SCALE;
    tlv[1] = 2 * sizeof *tlv;
    tlv[2] = (unsigned)control->min_cdb;
    tlv[3] = (unsigned)control->step_cdb | (control->mute ? 0x10000 : 0);
    return 0;
}

static int get_attribute(snd_ctl_ext_t *ext, snd_ctl_ext_key_t key, int *type, unsigned *access_,
                         unsigned *count)
{
    const struct control *control = control_of(ext->private_data, key);
    *type = key % 2 ? SND_CTL_ELEM_TYPE_BOOLEAN : SND_CTL_ELEM_TYPE_INTEGER;
    *access_ = SND_CTL_EXT_ACCESS_READWRITE;
    *count = key % 2 ? 1 : 2;
    if (key % 2 == 0 && control->has_scale) {
        *access_ |= SND_CTL_EXT_ACCESS_TLV_READ | SND_CTL_EXT_ACCESS_TLV_CALLBACK;
        ext->tlv.c = read_tlv;
    }
    return is_gone(ext->private_data) ? -ENODEV : 0;
}

static int get_integer_info(snd_ctl_ext_t *ext, snd_ctl_ext_key_t key, long *min, long *max,
                            long *step)
{
    const struct control *control = control_of(ext->private_data, key);
    *min = key % 2 ? 0 : control->min;
    *max = key % 2 ? 1 : control->max;
    *step = 0;
    return 0;
}

static int read_integer(snd_ctl_ext_t *ext, snd_ctl_ext_key_t key, long *value)
{
    const struct control *control = control_of(ext->private_data, key);
    if (is_gone(ext->private_data))
        return -ENODEV;
    if (key % 2) {
        value[0] = control->on;
        return 0;
    }
    value[0] = control->values[0];
    value[1] = control->values[1];
    return 0;
}

static int write_integer(snd_ctl_ext_t *ext, snd_ctl_ext_key_t key, long *value)
{
    struct control *control = control_of(ext->private_data, key);
    if (is_gone(ext->private_data))
        return -ENODEV;
    if (key % 2) {
        control->on = value[0];
    } else {
        control->values[0] = value[0];
        control->values[1] = value[1];
    }
    save(ext->private_data);
    return 1;
}

static int read_event(snd_ctl_ext_t *ext, snd_ctl_elem_id_t *id, unsigned *event_mask)
{
    (void)ext;
    (void)id;
    (void)event_mask;
    return -EAGAIN;
}

static void close_mixer(snd_ctl_ext_t *ext)
{
    close(ext->poll_fd);
    free(ext->private_data);
}

static const snd_ctl_ext_callback_t callbacks = {
    .close = close_mixer,
    .elem_count = elem_count,
    .elem_list = elem_list,
    .find_elem = find_elem,
    .get_attribute = get_attribute,
    .get_integer_info = get_integer_info,
    .read_integer = read_integer,
    .write_integer = write_integer,
    .read_event = read_event,
};

static int parse_control(struct vmixer *mixer, const char *text)
{
    struct control *control = &mixer->controls[mixer->count];
    char mute[8] = "";
    if (mixer->count == CONTROLS_MAX)
        return -EINVAL;
    int fields = sscanf(text, "%43s %ld %ld %d %d %7s", control->name, &control->min, &control->max,
                        &control->min_cdb, &control->step_cdb, mute);
    if (fields < 3)
        return -EINVAL;
    for (char *c = control->name; *c; c++)
        if (*c == '_') /* "Line_Out" is "Line Out" */
            *c = ' ';
    control->has_scale = fields >= 5;
    control->mute = strcmp(mute, "mute") == 0;
    control->values[0] = control->values[1] = control->min;
    mixer->count++;
    return 0;
}

static int read_config(struct vmixer *mixer, snd_config_t *conf)
{
    snd_config_iterator_t i, next, j, after;
    snd_config_for_each(i, next, conf)
    {
        snd_config_t *entry = snd_config_iterator_entry(i);
        const char *id, *text;
        if (snd_config_get_id(entry, &id) < 0)
            continue;
        if (strcmp(id, "values") == 0 && snd_config_get_string(entry, &text) >= 0) {
            snprintf(mixer->values_path, sizeof mixer->values_path, "%s", text);
            snprintf(mixer->gone_path, sizeof mixer->gone_path, "%s.gone", mixer->values_path);
        }
        if (strcmp(id, "controls") != 0)
            continue;
        snd_config_for_each(j, after, entry)
        {
            if (snd_config_get_string(snd_config_iterator_entry(j), &text) < 0 ||
                parse_control(mixer, text) < 0)
                return -EINVAL;
        }
    }
    return mixer->values_path[0] ? 0 : -EINVAL;
}

SND_CTL_PLUGIN_DEFINE_FUNC(tutti_vmixer)
{
    struct vmixer *mixer = calloc(1, sizeof *mixer);
    (void)root;
    if (!mixer)
        return -ENOMEM;
    int result = read_config(mixer, conf);
    if (result >= 0 && is_gone(mixer))
        result = -ENODEV;
    if (result >= 0) {
        int ends[2] = {-1, -1};
        result = pipe(ends);
        mixer->ext.poll_fd = ends[0];
        close(ends[1]);
    }
    if (result >= 0) {
        mixer->ext.version = SND_CTL_EXT_VERSION;
        mixer->ext.card_idx = 0;
        strcpy(mixer->ext.id, "vmixer");
        strcpy(mixer->ext.name, "tutti virtual mixer");
        mixer->ext.callback = &callbacks;
        mixer->ext.private_data = mixer;
        result = snd_ctl_ext_create(&mixer->ext, name, mode);
    }
    if (result < 0) {
        free(mixer);
        return result;
    }
    save(mixer);
    *handlep = mixer->ext.handle;
    return 0;
}

SND_CTL_PLUGIN_SYMBOL(tutti_vmixer);
