"""Reads what the virtual card recorded (the format is in vcard/record_file.h)."""
import struct

import numpy as np


class Run:
    """Frames that sounded one after another; times come from its knots (frame, ns)."""

    def __init__(self, conf):
        self.conf = conf
        self.knots = []
        self.chunks = []

    def finish(self):
        self.frames = np.concatenate(self.chunks) if self.chunks else np.zeros((0, 2), "f4")
        self.knot_frames = np.array([k[0] for k in self.knots], float)
        self.knot_ns = np.array([k[1] for k in self.knots], float)
        self.last_rate = self.knots[-1][2] if self.knots else self.conf["rate"]
        return self

    def time_of(self, frame):
        """ns of CLOCK_MONOTONIC at which frame (fractional, from the run's first) began to sound."""
        frame = np.asarray(frame, float)
        inside = np.interp(frame, self.knot_frames, self.knot_ns)
        beyond = self.knot_ns[-1] + (frame - self.knot_frames[-1]) * 1e9 / self.last_rate
        return np.where(frame > self.knot_frames[-1], beyond, inside)

    def frame_at(self, ns):
        ns = np.asarray(ns, float)
        inside = np.interp(ns, self.knot_ns, self.knot_frames)
        beyond = self.knot_frames[-1] + (ns - self.knot_ns[-1]) * self.last_rate / 1e9
        return np.where(ns > self.knot_ns[-1], beyond, inside)

    def covers(self, from_ns, to_ns):
        """It sounded all the time between two moments."""
        return self.time_of(0) <= from_ns and self.time_of(len(self.frames)) >= to_ns

    def part(self, from_ns, to_ns):
        """A run of what it has between two moments, which may be nothing."""
        first, last = (int(np.clip(self.frame_at(ns), 0, len(self.frames))) for ns in (from_ns, to_ns))
        part = Run(self.conf)
        part.knots = [(frame - first, ns, rate) for frame, ns, rate in self.knots]
        part.chunks = [self.frames[first:last]]
        return part.finish()


class Recording:
    """A card's whole recording: runs, each from a start to a stop, xrun or loss; and marks."""

    def __init__(self, path):
        self.runs = []
        self.marks = []
        self.realtime_offset_ns = None
        conf, run = None, None
        data = open(path, "rb").read()
        at = 0
        while at + 8 <= len(data):
            tag, length = data[at:at + 4], struct.unpack_from("<I", data, at + 4)[0]
            if at + 8 + length > len(data):
                break  # the process was killed in the middle of a write
            body = data[at + 8:at + 8 + length]
            at += 8 + length
            if tag == b"VCRD":
                _, _, mono, real = struct.unpack_from("<IIqq", body)
                self.realtime_offset_ns = real - mono
            elif tag == b"CONF":
                keys = ("rate", "channels", "bytes", "bits", "buffer", "period")
                conf = dict(zip(keys, struct.unpack_from("<6I", body)))
            elif tag == b"MARK":
                ns, frame, kind = struct.unpack_from("<qQ8s", body)
                kind = kind.rstrip(b"\0").decode()
                self.marks.append((ns, frame, kind))
                if kind == "start":
                    run = Run(conf)
                    self.runs.append(run)
            elif tag == b"RUN ":
                ns, frame, rate = struct.unpack_from("<qQd", body)
                run.knots.append((frame, ns, rate))
                run.chunks.append(samples(body[24:], conf))
        for each in self.runs:
            each.finish()
        self.runs = [r for r in self.runs if len(r.frames)]

    def count(self, kind):
        return sum(1 for mark in self.marks if mark[2] == kind)


def samples(data, conf):
    if conf["bytes"] == 2:
        flat = np.frombuffer(data, "<i2").astype("f4") / 32768
    elif conf["bytes"] == 4:
        flat = (np.frombuffer(data, "<i4") / float(1 << (conf["bits"] - 1))).astype("f4")
    else:
        raw = np.frombuffer(data, "u1").reshape(-1, 3).astype("i4")
        flat = (((raw[:, 2] << 24 | raw[:, 1] << 16 | raw[:, 0] << 8) >> 8) / float(1 << 23)).astype("f4")
    return flat.reshape(-1, conf["channels"])
