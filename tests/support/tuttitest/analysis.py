"""Which position of a track was audible at which instant, by cross-correlation."""
import numpy as np

WINDOW = 4096      # frames, about 90 ms
UPSAMPLE = 16
BAND_HZ = 6000     # what is compared: above it, resamplers may turn phases without harm
MATCH = 0.998      # normalised correlation that an undisturbed window exceeds; ten frames dropped or
                   # repeated in its middle leave 0.95, a silent millisecond 0.99
SILENCE = 1e-4     # RMS below which there is nothing to match


def band_limit(wave, rate):
    size = 1 << (len(wave) - 1).bit_length()  # of a length with large factors, an FFT takes ten times as long
    spectrum = np.fft.rfft(wave, size)
    spectrum[np.fft.rfftfreq(size, 1 / rate) > BAND_HZ] = 0
    return np.fft.irfft(spectrum, size)[:len(wave)]


class Reference:
    """A decoded track, brought to the card's nominal rate (band-limited, by FFT)."""

    def __init__(self, frames, track_rate, card_rate):
        mono = frames.mean(axis=1)
        if track_rate != card_rate:
            length = int(round(len(mono) * card_rate / track_rate))
            spectrum = np.fft.rfft(mono)
            resized = np.zeros(length // 2 + 1, complex)
            count = min(len(spectrum), len(resized))
            resized[:count] = spectrum[:count]
            mono = np.fft.irfft(resized, length) * (length / len(mono))
            self.rate = card_rate * (length / len(frames)) / (card_rate / track_rate)
        else:
            self.rate = card_rate
        self.mono = mono = band_limit(mono, self.rate)
        self.power = np.concatenate([[0], np.cumsum(mono**2)])

    def seconds(self, index):
        return index / self.rate


def locate(window, reference, low, high):
    """Where `window` begins in the reference, searched in [low, high): (index, correlation)."""
    count = len(window)
    low = max(0, int(low))
    high = min(len(reference.mono) - count, int(high))
    if high <= low:
        return None, 0.0
    stretch = reference.mono[low:high + count]
    size = 1 << (len(stretch) + count - 1).bit_length()
    product = np.fft.rfft(stretch, size) * np.conj(np.fft.rfft(window, size))
    correlation = np.fft.irfft(product, size)[:high - low + 1]
    energy = reference.power[low + count:high + count + 1] - reference.power[low:high + 1]
    normalised = correlation / np.sqrt(np.maximum(energy, 1e-12) * max(np.sum(window**2), 1e-12))
    best = int(np.argmax(normalised))
    shift, match = refine(window, reference.mono[low + best:low + best + count])
    return low + best + shift, match


def refine(window, aligned):
    """(fraction of a frame by which `window` is later than `aligned`, correlation there)."""
    count = len(window)
    taper = np.hanning(count)
    window, aligned = window * taper, aligned * taper
    cross = np.fft.rfft(aligned) * np.conj(np.fft.rfft(window))
    # irfft's upper bins are zero: a band-limited interpolation by UPSAMPLE.
    fine = np.fft.irfft(cross, count * UPSAMPLE) * UPSAMPLE
    reach = 2 * UPSAMPLE
    around = np.concatenate([fine[-reach:], fine[:reach + 1]])
    peak = int(np.argmax(around))
    energy = np.sqrt(max(np.sum(window**2) * np.sum(aligned**2), 1e-24))
    if peak in (0, len(around) - 1):
        return 0.0, float(around[peak] / energy)
    left, middle, right = around[peak - 1:peak + 2]
    curve = left - 2 * middle + right
    shift = 0.5 * (left - right) / curve if curve else 0.0
    return (peak + shift - reach) / UPSAMPLE, float(middle / energy)


class Track:
    """Heard positions over time: ns (CLOCK_MONOTONIC), seconds of track, correlation."""

    def __init__(self, ns, position_s, match, silent):
        self.ns, self.position_s, self.match, self.silent = map(np.array, (ns, position_s, match, silent))

    def between(self, from_ns, to_ns):
        keep = (self.ns >= from_ns) & (self.ns < to_ns)
        return Track(self.ns[keep], self.position_s[keep], self.match[keep], self.silent[keep])

    def unmatched(self):
        return int(np.sum((self.match < MATCH) & ~self.silent))


def follow(run, reference, from_ns=None, to_ns=None, every_s=0.25, expect=None, chase_s=None, count=WINDOW):
    """Positions at regular instants of a run. expect(ns) -> seconds narrows the search to 0.5 s; chase_s: to so much
    around where the last window was found, relative to that. (Music repeats itself, and what plays at another rate is
    smeared: more of it in a longer window.) count: frames of a window."""
    mono = band_limit(run.frames.mean(axis=1), run.conf["rate"])
    first = 0 if from_ns is None else max(0, int(run.frame_at(from_ns)))
    last = len(mono) - count if to_ns is None else min(len(mono) - count, int(run.frame_at(to_ns)))
    reach, lead = (chase_s or 0.5) * reference.rate, 0.0
    ns, position, match, silent = [], [], [], []
    for frame in range(first, last, int(every_s * run.conf["rate"])):
        window = mono[frame:frame + count]
        instant = float(run.time_of(frame))
        quiet = bool(np.sqrt(np.mean(window**2)) < SILENCE)
        low, high = 0, len(reference.mono)
        if expect is not None:
            around = expect(instant) * reference.rate + lead
            low, high = around - reach, around + reach
        index, quality = (None, 0.0) if quiet else locate(window, reference, low, high)
        if chase_s is not None and index is not None:
            lead += index - around
        # A window fits by its middle. A card that is 80 ppm fast takes 4 us less to get there from its first frame.
        middle_s = (float(run.time_of(frame + count / 2)) - instant) / 1e9
        ns.append(instant)
        position.append(np.nan if index is None else reference.seconds(index + count / 2) - middle_s)
        match.append(quality)
        silent.append(quiet)
    return Track(ns, position, match, silent)


def first_sound(run, from_ns, threshold=1e-3):
    """ns at which the first frame above the threshold sounds after from_ns; None if none does."""
    first = max(0, int(run.frame_at(from_ns)))
    loud = np.flatnonzero(np.abs(run.frames[first:]).max(axis=1) > threshold)
    return float(run.time_of(first + loud[0])) if len(loud) else None


def thd_n_db(wave, rate, hz=997.0):
    """Noise and distortion against one steady sine (frequency, amplitude, phase fitted), in dB."""
    t = (np.arange(len(wave)) - len(wave) / 2) / rate  # centred: frequency and phase fit apart
    for _ in range(6):
        basis = np.stack([np.sin(2 * np.pi * hz * t), np.cos(2 * np.pi * hz * t), np.ones_like(t)], axis=1)
        fit, *_ = np.linalg.lstsq(basis, wave, rcond=None)
        rest = wave - basis @ fit
        slope = 2 * np.pi * t * (fit[0] * basis[:, 1] - fit[1] * basis[:, 0])
        hz += float(slope @ rest) / float(slope @ slope)
    basis = np.stack([np.sin(2 * np.pi * hz * t), np.cos(2 * np.pi * hz * t), np.ones_like(t)], axis=1)
    fit, *_ = np.linalg.lstsq(basis, wave, rcond=None)
    rest = wave - basis @ fit
    return 10 * np.log10(np.sum(rest**2) / np.sum((basis[:, :2] @ fit[:2])**2))
