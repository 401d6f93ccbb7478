/*
 * record_file.h: what the virtual card played, as an append-only file.
 *
 * A file is a sequence of records, little-endian, each: char tag[4], u32 payload bytes, payload.
 *   "VCRD"  u32 version (1), u32 pid, i64 monotonic_ns, i64 realtime_ns (read together),
 *           char name[] : a process opened the card
 *   "CONF"  u32 rate_hz, u32 channels, u32 sample_bytes, u32 sample_bits, u32 buffer_frames,
 *           u32 period_frames : hw_params; samples are signed, in the low bits of sample_bytes
 *   "RUN "  i64 ns, u64 frame, f64 rate_hz, then interleaved frames: frame number `frame` since the
 *           last start began to sound at ns of CLOCK_MONOTONIC, at that instantaneous rate. A run
 *           is at most 50 ms long, so between two runs time is linear in frames to far under 1 ns.
 *   "MARK"  i64 ns, u64 frame, char kind[8]: start, stop, xrun, fail, suspend, freeze, thaw, close
 * A file of a killed process ends with its last flush, at most FLUSH_NS before its last call.
 */
#ifndef VCARD_RECORD_FILE_H
#define VCARD_RECORD_FILE_H

#include <stddef.h>
#include <stdint.h>

struct record_file;

struct record_conf {
    uint32_t rate_hz, channels, sample_bytes, sample_bits, buffer_frames, period_frames;
};

/* Appends to path and locks it: -EBUSY while another holds it, as a card of hardware would say. */
int record_file_open(const char *path, const char *name, struct record_file **ret_file);
void record_file_close(struct record_file *file);

void record_file_conf(struct record_file *file, const struct record_conf *conf);
void record_file_mark(struct record_file *file, int64_t ns, uint64_t frame, const char *kind);
void record_file_run(struct record_file *file, int64_t ns, uint64_t frame, double rate_hz,
                     const void *frames, size_t bytes);
/* Hands what is older than a few ms to the kernel, where it survives the process. */
void record_file_flush_old(struct record_file *file, int64_t now_ns);

#endif
