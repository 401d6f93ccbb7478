"""docs/install.md, line by line on fresh machines: from a clone to sound, by what their cards recorded."""
import re
import shutil
import time

import numpy as np

import page
import street as houses
from tuttitest import analysis, box, harness, recording, typist

SECOND_NS = 1_000_000_000
IN_STEP_S = 1e-3
# Packages for a speaker of another architecture than the machine's that makes them, and of the same.
OTHERS, OWN = ("3. The package", 0), ("3. The package", 1)
PACKAGES, NOT_FOLLOWED = (OWN, OTHERS) if houses.ARCH == houses.NATIVE else (OTHERS, OWN)
ON_SPEAKER = ("3. The package", 2)
# Which block of the page is typed where: "pc" has the tree, "kitchen" is the first speaker, "study" the second.
FIRST = [("1. Flash", 0, "pc"), ("1. Flash", 1, "kitchen"), ("2. The card", 0, "kitchen"), (*PACKAGES, "pc"),
         (*ON_SPEAKER, "kitchen"), ("4. The sound", 0, "kitchen"), ("5. The backend", 0, "kitchen"),
         ("6. The first speaker: the host", 0, "kitchen")]
SECOND = [("1. Flash", 1, "study"), ("2. The card", 0, "study"), (*ON_SPEAKER, "study"), ("4. The sound", 0, "study"),
          ("7. The others: guests", 0, "study")]
MUSIC = [("8. Music", 0, "kitchen"), ("8. Music", 1, "kitchen"), ("8. Music", 1, "study")]
WITHOUT = ("Without a package", 0)
CARDS = {"kitchen": ("sndrpihifiberry RPi snd_rpi_hifiberry_dac", 80), "study": ("Device USB-Audio USB Audio", -60)}
HAVE_THE_TREE = ("pc", "bath")
TEST_TONE = "sudo tuttid --test-tone=hw:CARD=sndrpihifiberry,DEV=0"
ANSWERS = [(r"\[Y/n\] ?$", "y\n"), (r"\(yes/no/\[fingerprint\]\)\? $", "yes\n"), (r"\[yes/no\] $", "yes\n")]
# How what does not end by itself is left.
LEAVES = {"ssh ": (r"\$ $", "exit\n"), "tuttictl watch": (r"\d:\d\d", "q")}
# An editor for who types what the page has below what there is.
EDITOR = "#!/bin/sh\ncat /opt/typed >>\"$1\"\n"


class Reader:
    """Follows the page, each block at a fresh login."""

    def __init__(self, machines):
        self.machines, self.blocks, self.read = machines, page.read(), set()
        self.said, self.substitutes = {}, {}
        self.after = {}  # line: what is looked at when it has been typed
        self.started_s = time.monotonic()

    def block(self, heading, index):
        return [each for each in self.blocks if each.heading == heading][index]

    def follow(self, walk):
        for heading, index, where in walk:
            block = self.block(heading, index)
            self.read.add(block)
            if block.file:
                self.machines[where].write("/opt/typed", self.own_words(block.file))
            for line in block.lines:
                self.type(where, line)

    def own_words(self, text):
        """As the page means it here: this house's code instead of the example's."""
        for example, own in self.substitutes.items():
            text = text.replace(example, own)
        return text

    def type(self, where, line):
        machine, home = self.machines[where], f"/home/{houses.USER}"
        directory = f"{home}/tutti" if where in HAVE_THE_TREE else home
        words = [*machine.inside, "env", "-i", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "TERM=xterm", "LANG=C.UTF-8",
                 "SUDO_EDITOR=/opt/editor", "runuser", "--whitelist-environment=SUDO_EDITOR,LANG", "-l", houses.USER,
                 "--session-command", f"cd {directory} && {self.own_words(line)}"]
        answers = ANSWERS + [keys for begin, keys in LEAVES.items() if line.startswith(begin)]
        begun_s = time.monotonic()
        code, said = typist.type_line(words, answers, timeout_s=3600)
        print(f"{time.monotonic() - self.started_s:7.1f} s  {where:7} {time.monotonic() - begun_s:6.1f} s  {line}", flush=True)
        assert code == 0, f"{where}: {line}: {code}\n{said[-6000:]}"
        self.said[where, line] = said
        self.after.get((where, line), lambda: None)()


def a_tone(machine):
    """What the card played of a test tone, then forgotten."""
    tone = machine.root / houses.TONE.lstrip("/")
    frames = np.concatenate([run.frames for run in recording.Recording(tone).runs])
    tone.unlink()
    left, right = (np.abs(frames[:, side]) > 1e-3 for side in (0, 1))
    assert left.any() and right.any() and (left & ~right).any() and (right & ~left).any(), "left, right and both"


def heard(machine, from_ns, to_ns):
    """(ns, position in s) of the track, by the machine's card, once a quarter of a second. Where it is now is looked for in the
    whole track, and where it was around what follows from that."""
    for run in reversed(recording.Recording(machine.root / houses.RECORD.lstrip("/")).runs):
        reference = harness.reference(harness.MUSIC / "harbour.mp3", run.conf["rate"])
        now = analysis.follow(run, reference, to_ns - SECOND_NS, to_ns, 0.4)
        known = np.flatnonzero(now.match >= analysis.MATCH)  # of silence it is 0
        if len(known) == 0:
            continue
        at_ns, at_s = now.ns[known[0]], now.position_s[known[0]]
        track = analysis.follow(run, reference, from_ns, to_ns, 0.25, lambda ns: at_s + (ns - at_ns) / SECOND_NS)
        good = track.match >= analysis.MATCH
        return track.ns[good], track.position_s[good]
    return np.zeros(0), np.zeros(0)


def apart(machines, from_ns, to_ns):
    """(ns, by how many s the two are apart then), wherever both play."""
    (ns, here), (other_ns, there) = (heard(each, from_ns, to_ns) for each in machines)
    if len(other_ns) < 2:
        return np.zeros(0), np.zeros(0)
    within = (ns >= other_ns[0]) & (ns <= other_ns[-1])
    return ns[within], np.abs(here - np.interp(ns, other_ns, there))[within]


class Listener:
    """In the room, from the moment on in which play was typed; sound_s: when both rooms sounded in step first."""

    def __init__(self, machines):
        self.machines, self.sound_s = machines, None

    def listen(self):
        from_ns = time.monotonic_ns()

        def in_step():
            # What the cards have of now is in their files a moment later.
            ns, apart_s = apart(self.machines, from_ns, time.monotonic_ns() - SECOND_NS)
            good = apart_s < IN_STEP_S
            return (ns[good][0], apart_s) if np.sum(good) >= 20 else None
        first_ns, apart_s = harness.wait_until(in_step, 60, "both rooms to play in step")
        self.sound_s = first_ns / SECOND_NS
        print(f"in step: {np.median(apart_s) * 1e6:.0f} us apart, {apart_s.max() * 1e6:.0f} us at most")
        assert np.median(apart_s) < IN_STEP_S


def give_tree(machine):
    """From where its user can clone it."""
    box.must("git", "clone", "--quiet", "--bare", "--depth", "1", f"file://{page.ROOT}", machine.root / "srv/tutti.git")
    machine.run("chown", "-R", houses.USER, "/srv/tutti.git")


def clone(machine):
    machine.run("runuser", "-l", houses.USER, "-c", "git clone --quiet /srv/tutti.git tutti")


def switch_on(machines):
    for machine in machines:
        machine.boot()
    for machine in machines:
        harness.wait_until(machine.is_settled, 120, f"{machine.name} to be up")


def fresh_machines(street):
    """By their names: pc, who can clone the tree and log in to the others; kitchen and study, with a card each."""
    machines = {"pc": street.machine("pc", houses.NATIVE), **{name: street.machine(name) for name in CARDS}}
    give_tree(machines["pc"])
    for name, (card, ppm) in CARDS.items():
        machines[name].add_card(card, ppm)
        machines[name].write("/opt/editor", EDITOR, 0o755)
        machines[name].trust(machines["pc"])
    for name, track in (("song", "harbour"), ("another", "meadow")):
        shutil.copy(harness.MUSIC / f"{track}.mp3", machines["kitchen"].root / f"home/{houses.USER}/{name}.mp3")
    switch_on(machines.values())
    return machines


def follow_with_both(reader):
    """Steps 1 to 8: the first speaker, then the second, which gets its packages and its code from the first one's."""
    reader.follow(FIRST)
    said = reader.said["kitchen", "tuttictl status"]
    assert "live as host" in said
    reader.substitutes = {"kitchen.local:": "study.local:"}
    reader.type("pc", next(line for line in reader.block(*PACKAGES).lines if line.startswith("scp ")))
    reader.substitutes = {"D5D6A6": re.search(r"invite code (\w+)", said).group(1)}
    reader.follow(SECOND)
    reader.follow(MUSIC)


def test_the_page_leads_from_a_clone_to_sound(street):
    machines = fresh_machines(street)
    speakers = [machines[name] for name in CARDS]
    reader, room = Reader(machines), Listener(speakers)
    for machine in speakers:
        reader.after[machine.name, TEST_TONE] = lambda m=machine: a_tone(m)
    reader.after["kitchen", "tuttictl play"] = room.listen

    clone(machines["pc"])
    follow_with_both(reader)
    print(f"from the clone to sound: {room.sound_s - reader.started_s:.0f} s")
    for name, (card, _) in CARDS.items():
        assert f"hw:CARD={card.split()[0]},DEV=0" in reader.said[name, "sudo tuttid --list-devices"]
    reader.read.update(reader.block(*elsewhere) for elsewhere in (NOT_FOLLOWED, WITHOUT))
    left = [each.lines for each in reader.blocks if each not in reader.read]
    assert left == [], "nobody has followed these"
    for machine in speakers:
        machine.run("apt-get", "purge", "-y", "tuttid", *(["tutti-hub"] if machine.name == "kitchen" else []))
        assert not (machine.root / "var/lib/tutti").exists()


def test_without_a_package(street):
    """What is built where it is to play is a speaker as the packages' is: under its own user, with a card, asking to be let in."""
    bath = street.machine("bath")
    give_tree(bath)
    bath.add_card(*CARDS["study"])
    switch_on([bath])
    clone(bath)
    reader = Reader({"bath": bath})
    reader.follow([(*WITHOUT, "bath")])
    said = reader.said["bath", "sudo tuttictl status"]
    assert bath.show("tuttid", "ActiveState") == "active", bath.journal("tuttid")
    assert bath.show("tuttid", "FragmentPath").startswith("/usr/local/"), "another's unit"
    assert bath.run("stat", "-c", "%U", f"/proc/{bath.show('tuttid', 'MainPID')}")[1].strip() == "tutti"
    assert "no hub announces itself" in said, said
