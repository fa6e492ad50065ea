"""Voices for the demo's phones, and an ear that tells them apart.

A voice is a babble of syllables: harmonics of a wandering pitch, shaped by the formants of a vowel.
Two voices differ in pitch, and by its pitch the ear knows whom it hears. Everything is 8 kHz.
"""
import math
import operator
import random
import struct
import wave

RATE = 8000
CALLER_HZ = 200
AGENT_HZ = 120  # no octave of the caller's: an ear may err by one
VOWELS = ((730, 1090, 2440), (530, 1840, 2480), (270, 2290, 3010), (570, 840, 2410), (300, 870, 2240))
FRAME = RATE * 40 // 1000
HEARD_DBFS = -50
LONGEST_LAG = RATE // 80
SHORTEST_LAG = RATE // 270


def syllable(dice, pitch, seconds):
    formants = dice.choice(VOWELS)
    pitch *= dice.uniform(0.95, 1.05)
    count = int(RATE * seconds)
    samples = [0.0] * count
    for harmonic in range(1, int(3300 / pitch) + 1):
        hz = harmonic * pitch
        weight = sum(math.exp(-((hz - formant) / (90 + 0.06 * formant)) ** 2) / (i + 1)
                     for i, formant in enumerate(formants))
        weight += 0.8 / harmonic
        step = 2 * math.pi * hz / RATE
        for n in range(count):
            samples[n] += weight * math.sin(step * n)
    return [s * math.sin(math.pi * n / count) ** 0.7 for n, s in enumerate(samples)]


def speech(pitch, seconds):
    """Samples from -1 to 1; the same for the same pitch, always."""
    dice = random.Random(pitch)
    words = []
    while sum(map(len, words)) < 4 * RATE:
        for _ in range(dice.randint(3, 6)):
            words.append(syllable(dice, pitch, dice.uniform(0.14, 0.26)))
            words.append([0.0] * int(RATE * dice.uniform(0.02, 0.07)))
        words.append([0.0] * int(RATE * 0.2))
    phrase = [s for word in words for s in word]
    loudest = max(map(abs, phrase))
    phrase = [0.5 * s / loudest for s in phrase]
    return (phrase * (int(seconds * RATE / len(phrase)) + 1))[:int(seconds * RATE)]


def write(path, samples):
    with wave.open(str(path), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(RATE)
        out.writeframes(struct.pack(f"<{len(samples)}h", *(int(32767 * s) for s in samples)))


def read(path):
    """The samples of a phone's recording, also when the phone could not finish the file's header."""
    with open(path, "rb") as file:
        data = file.read()
    start = data.find(b"data")
    body = data[start + 8:] if start >= 0 else b""
    count = len(body) // 2
    return [s / 32768 for s in struct.unpack(f"<{count}h", body[:2 * count])]


def dbfs(power):
    return 10 * math.log10(power) if power > 1e-10 else -100.0


def pitch_of(frame):
    """The pitch of a frame in Hz, or 0 when it has none."""
    best, best_lag = 0.0, 0
    energy = sum(map(operator.mul, frame, frame))
    room = len(frame) - LONGEST_LAG
    for lag in range(SHORTEST_LAG, LONGEST_LAG):
        likeness = sum(map(operator.mul, frame[:room], frame[lag:lag + room]))
        if likeness > best * 1.15:  # of likes the shorter: a period, not two
            best, best_lag = likeness, lag
    return RATE / best_lag if best > 0.3 * energy * room / len(frame) else 0


class Heard:
    """What an ear makes of a recording: seconds and level of what is not silence, and for how much
    of it each voice was known by its pitch."""

    def __init__(self, samples):
        frames = [samples[i:i + FRAME] for i in range(0, len(samples) - FRAME + 1, FRAME)]
        powers = [sum(map(operator.mul, f, f)) / FRAME for f in frames]
        loud = [(f, p) for f, p in zip(frames, powers) if dbfs(p) > HEARD_DBFS]
        pitches = [pitch_of(f) for f, _ in loud]
        self.seconds = len(loud) * FRAME / RATE
        self.level = dbfs(sum(p for _, p in loud) / len(loud)) if loud else -100.0
        self.shares = {}
        for name, hz in (("caller", CALLER_HZ), ("agent", AGENT_HZ)):
            known = sum(1 for pitch in pitches if abs(pitch - hz) < 0.09 * hz)
            self.shares[name] = known / len(loud) if loud else 0.0

    def is_only(self, name):
        """Whether this voice was heard for a second at least, and hardly another one."""
        others = max(share for other, share in self.shares.items() if other != name)
        return self.seconds >= 1 and self.shares[name] >= 0.5 and others <= 0.1
