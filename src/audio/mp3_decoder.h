/*
 * mp3_decoder.h: an mp3, decoded in process; decoder.h says what each call does.
 */
#ifndef TUTTI_AUDIO_MP3_DECODER_H
#define TUTTI_AUDIO_MP3_DECODER_H

#include "tutti/audio/decoder.h"

struct mp3_decoder;

/* *ret_kind is what the file is, with a DECODER_ERROR that is about that; else untouched. */
enum decoder_result mp3_decoder_open(int fd, int64_t available_bytes, int64_t total_bytes,
                                     struct mp3_decoder **opening, enum audio_kind *ret_kind,
                                     char *error);
void mp3_decoder_destroy(struct mp3_decoder *decoder);
void mp3_decoder_set_available(struct mp3_decoder *decoder, int64_t available_bytes, bool complete);
unsigned mp3_decoder_rate_hz(const struct mp3_decoder *decoder);
int64_t mp3_decoder_length_frames(const struct mp3_decoder *decoder);
uint64_t mp3_decoder_damaged_frames(const struct mp3_decoder *decoder);
const char *mp3_decoder_error(const struct mp3_decoder *decoder);
enum decoder_result mp3_decoder_seek(struct mp3_decoder *decoder, int64_t frame);
bool mp3_decoder_wants_time(const struct mp3_decoder *decoder);
bool mp3_decoder_reaches(struct mp3_decoder *decoder, int64_t frame);
bool mp3_decoder_walk(struct mp3_decoder *decoder);
enum decoder_result mp3_decoder_read(struct mp3_decoder *decoder, float *frames, size_t count,
                                     size_t *ret_count);

#endif
