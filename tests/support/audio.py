"""Looks into recorded calls: how loud is a tone, and when?

    heard = audio.load("caller.wav")
    audio.level(heard, 1000, 3.0, 4.0)     dBFS of 1000 Hz between the third and fourth second
    audio.intervals(heard, 1000)           [(2.9, 7.4)]: when it was heard, to a tenth of a second
"""
import array
import math
import sys
import wave

SILENCE_DBFS = -96.0
WINDOW_S = 0.1


class Recording:
    def __init__(self, samples, rate):
        self.samples = samples
        self.rate = rate

    @property
    def seconds(self):
        return len(self.samples) / self.rate


def load(path):
    """A mono 16-bit WAV file, as rtp_party writes it."""
    with wave.open(str(path)) as file:
        if file.getnchannels() != 1 or file.getsampwidth() != 2:
            raise ValueError(f"{path}: not mono with 16 bits")
        samples = array.array("h", file.readframes(file.getnframes()))
        if sys.byteorder == "big":
            samples.byteswap()
        return Recording(samples, file.getframerate())


def _dbfs(rms):
    return max(SILENCE_DBFS, 20 * math.log10(rms / 32768)) if rms > 0 else SILENCE_DBFS


def level(recording, hz=None, start=0.0, end=None):
    """RMS in dBFS of one tone, by Goertzel's algorithm, or of everything when hz is None."""
    first = int(start * recording.rate)
    last = len(recording.samples) if end is None else int(end * recording.rate)
    samples = recording.samples[first:last]
    if not samples:
        return SILENCE_DBFS
    if hz is None:
        return _dbfs(math.sqrt(sum(s * s for s in samples) / len(samples)))
    turn = 2 * math.cos(2 * math.pi * hz / recording.rate)
    one = two = 0.0
    for sample in samples:
        one, two = sample + turn * one - two, one
    power = max(0.0, one * one + two * two - turn * one * two)
    return _dbfs(2 * math.sqrt(power) / len(samples) / math.sqrt(2))


def intervals(recording, hz=None, dbfs=-30.0):
    """When the tone was at least this loud: a list of (from, to) in seconds."""
    found = []
    for index in range(int(recording.seconds / WINDOW_S)):
        start = index * WINDOW_S
        if level(recording, hz, start, start + WINDOW_S) < dbfs:
            continue
        if found and found[-1][1] == index:
            found[-1][1] = index + 1
        else:
            found.append([index, index + 1])
    return [(round(a * WINDOW_S, 3), round(b * WINDOW_S, 3)) for a, b in found]


def heard_seconds(recording, hz=None, dbfs=-30.0):
    return sum(b - a for a, b in intervals(recording, hz, dbfs))
