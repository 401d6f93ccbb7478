"""The rooms on the page, beside two real speakers whose cards record."""
import json
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent.parent / "support"))

from test_listen import heard  # noqa: E402
from tuttitest import harness, together  # noqa: E402
from tuttitest.proxy import Proxy  # noqa: E402

HERE = Path(__file__).parent
TRACK = harness.MUSIC / "meadow.mp3"
ROOMS = """Object.fromEntries([...document.querySelectorAll('.rooms .room')].map((room) => {
  const text = (selector) => room.querySelector(selector).textContent.replace(/[\\u2066-\\u2069]/g, '');
  return [text('.name'), {standing: room.dataset.standing, state: text('.chip'), exact: text('.exact'), facts: text('.facts'), wrong: text('.wrong'),
    line: room.querySelector('.curve')?.getAttribute('d') ?? ''}];
}))"""


class Page:
    """A browser at a hub's page."""

    def __init__(self, link):
        self.process = subprocess.Popen([shutil.which("node"), HERE / "puppet.js", link], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self._answer()

    def _answer(self):
        line = self.process.stdout.readline()
        assert line, "the browser is gone"
        answer = json.loads(line)
        assert "error" not in answer, answer["error"]
        assert not answer.get("errors"), answer["errors"]
        return answer["value"]

    def do(self, work):
        """JavaScript with the page: what it returns."""
        self.process.stdin.write(json.dumps(work) + "\n")
        self.process.stdin.flush()
        return self._answer()

    def show(self, view):
        self.do(f"await page.evaluate(() => {{ location.hash = '{view}'; }}); await page.waitForSelector('.shell[data-view={view}]')")

    def evaluate(self, expression):
        return self.do(f"return page.evaluate(() => ({expression}))")

    def rooms(self):
        return self.evaluate(ROOMS)

    def until(self, look, condition, what, patience_s=20):
        """What is seen once it is so."""
        seen = None

        def fits():
            nonlocal seen
            seen = look()
            return condition(seen)
        harness.wait_until(fits, patience_s, lambda: f"{what}; it shows {seen}")
        return seen

    def wait_rooms(self, condition, what, patience_s=30):
        return self.until(self.rooms, condition, what, patience_s)

    def end(self):
        self.process.stdin.close()
        self.process.wait(30)


class Evening:
    """A hub, a session, two speakers, and the host's page."""

    def __init__(self, directory, through=None, track=TRACK):
        self.hub = harness.Hub(directory)
        self.house = harness.House(directory)
        self.through = through(self.hub.port) if through else None
        self.url = self.through.url if self.through else self.hub.url
        self.host = harness.Host(self.hub.url)
        self.track = track
        self.host.upload("meadow", track)
        self.cards = {name: self.house.card(name) for name in ("bath", "kitchen")}
        self.speakers = {name: self.house.speaker(name, self.url, card, backend_join_code=self.host.code, audio_mixer="software") for name, card in self.cards.items()}
        for speaker in self.speakers.values():
            speaker.wait_connected()
        self.page = Page(self.link())

    def link(self):
        status, link, said = self.hub.run("--listen", f"127.0.0.1:{self.hub.port}", "session", "link", self.host.code)
        assert status == 0, said
        return link.strip().replace(self.hub.url, self.url)

    def end(self):
        self.page.end()
        self.house.stop()
        if self.through:
            self.through.stop()
        self.hub.stop()


@pytest.fixture
def evening(tmp_path):
    one = Evening(tmp_path)
    yield one
    one.end()


def test_rooms_are_shown_as_they_are(evening):
    page, speakers = evening.page, evening.speakers
    page.show("rooms")
    rooms = page.wait_rooms(lambda shown: all(shown.get(name, {}).get("standing") == "quiet" for name in speakers), "both rooms, in silence")
    assert all("connected since" in room["facts"] for room in rooms.values())
    assert page.evaluate("document.querySelector('.together .curve')?.getAttribute('d') ?? ''") == "", "nothing was played, no line"
    # What plays says how exactly, and is drawn.
    evening.host.playback(state="playing", position_ms=0)
    page.wait_rooms(lambda shown: all(room["standing"] == "known" and "±" in room["exact"] and room["line"].count("L") >= 3 for room in shown.values()),
                    "both rooms' errors over some seconds")
    assert page.evaluate("[...document.querySelectorAll('.together .curve')].filter((line) => line.getAttribute('d').includes('L')).length") == 2
    # What a speaker says of itself is told at once; a name is given by the host.
    assert speakers["bath"].ctl("volume", "40")[0] == 0
    page.wait_rooms(lambda shown: "volume 40 %" in shown["bath"]["facts"], "the bath's volume")
    assert speakers["bath"].ctl("mute")[0] == 0
    page.wait_rooms(lambda shown: "muted" in shown["bath"]["facts"], "the bath to be mute")
    page.do("""await page.click('button[aria-label*="Rename"][aria-label*="bath"]');
               await page.fill('dialog input', 'Upstairs <b>Bath</b>'); await page.click('dialog button:has-text("Rename")')""")
    page.wait_rooms(lambda shown: set(shown) == {"Upstairs <b>Bath</b>", "kitchen"}, "the new name")
    # Gone is gone, and forgotten only then.
    assert page.evaluate("""document.querySelector('button[aria-label*="Forget"][aria-label*="kitchen"]').hidden""")
    speakers["kitchen"].stop()
    rooms = page.wait_rooms(lambda shown: shown["kitchen"]["standing"] == "away", "the kitchen to be gone")
    assert rooms["kitchen"]["exact"] == "" and "gone since" in rooms["kitchen"]["facts"]
    line = rooms["kitchen"]["line"]
    assert line.count("M") == 1, "its line has ended"
    page.do("""await page.click('button[aria-label*="Forget"][aria-label*="kitchen"]'); await page.click('dialog button:has-text("Forget")')""")
    page.wait_rooms(lambda shown: set(shown) == {"Upstairs <b>Bath</b>"}, "the kitchen to be forgotten")


def test_a_sound_device_that_fails_is_said(evening):
    page = evening.page
    page.show("rooms")
    evening.host.playback(state="playing", position_ms=0)
    page.wait_rooms(lambda shown: shown.get("bath", {}).get("standing") == "known", "the bath to play")
    evening.cards["bath"].tell("fail")
    page.wait_rooms(lambda shown: shown["bath"]["wrong"] and shown["kitchen"]["standing"] == "known" and not shown["kitchen"]["wrong"],
                    "what is wrong with the bath, and nothing with the kitchen")
    assert page.rooms()["bath"]["exact"] == "Silent", "what does not sound has no error"


def askers(page):
    return page.evaluate("""[...document.querySelectorAll('.requests[aria-label="Want to join"] li')].map((one) => ({
      wish: one.querySelector('.wish').textContent, sign: one.querySelector('.sign').textContent.replace(/\\D/g, ''), double: !one.querySelector('.notice').hidden}))""")


def sign_of(speaker):
    def told():
        code, said, _ = speaker.ctl("--json", "session")
        problem = json.loads(said).get("problem", "") if code == 0 else ""
        return problem.rpartition("with the sign ")[2] if "with the sign " in problem else None
    return harness.wait_until(told, 20, "its sign")


def test_a_speaker_is_let_in_by_its_sign(evening):
    page = evening.page
    attic = evening.house.speaker("attic", evening.url)
    sign = sign_of(attic)
    # It is said wherever one looks.
    page.do("await page.waitForSelector('.toast:has-text(\"attic\")'); await page.waitForSelector('nav button:has-text(\"Rooms\") .badge:text(\"1\")')")
    page.show("rooms")
    (asker,) = askers(page)
    assert asker["wish"].startswith("attic wants to join.") and "127.0.0.1" in asker["wish"]
    assert (asker["sign"], asker["double"]) == (sign, False)
    page.do("await page.click('button:has-text(\"Let in\")')")
    page.wait_rooms(lambda shown: "attic" in shown and shown["attic"]["standing"] == "quiet", "the attic among the rooms")
    attic.wait_connected()
    assert askers(page) == []
    # One with a name that there is: that is said, and this one is refused.
    other = evening.house.card("other")
    second = harness.Speaker(evening.house, "second", evening.url, other, {"backend_name": "kitchen"})
    evening.house.speakers.append(second)
    sign = sign_of(second)
    harness.wait_until(lambda: askers(page), 20, "it to ask")
    assert [(one["sign"], one["double"]) for one in askers(page)] == [(sign, True)]
    page.do("await page.click('.requests button:has-text(\"Refuse\")'); await page.waitForSelector('.toast:has-text(\"was refused\")')")
    harness.wait_until(lambda: askers(page) == [], 10, "it to ask no longer")
    assert not (second.status() or {}).get("session", {}).get("connected")


def loudness(card, from_ns, to_ns):
    """What was heard between two moments of the realtime clock."""
    recording = card.recording()
    from_ns, to_ns = from_ns - recording.realtime_offset_ns, to_ns - recording.realtime_offset_ns
    run = next((one for one in recording.runs if one.knot_ns[0] <= from_ns and one.knot_ns[-1] >= to_ns), None)
    assert run, f"{card.name} was let run dry by this machine"
    first, last = int(run.frame_at(from_ns)), int(run.frame_at(to_ns))
    return float(np.sqrt(np.mean(np.square(run.frames[first:last].astype(float)))))


def test_rooms_are_changed_from_the_page(evening):
    page, speakers, cards = evening.page, evening.speakers, evening.cards
    page.show("rooms")
    evening.host.playback(state="playing", position_ms=0)
    page.wait_rooms(lambda shown: len(shown) == 2 and all(room["standing"] == "known" for room in shown.values()), "both rooms to play")
    together.pass_time(2)
    before_ns = time.time_ns()
    # One room softer: it says so itself, it is heard, and the other is as it was.
    page.do("""await page.locator('input[aria-label*="Volume of"][aria-label*="bath"]').evaluate((bar) => {
      bar.value = '30'; bar.dispatchEvent(new Event('input')); bar.dispatchEvent(new Event('change')); })""")
    page.wait_rooms(lambda shown: "volume 30 %" in shown["bath"]["facts"] and "volume 100 %" in shown["kitchen"]["facts"], "the bath at 30 %")
    assert speakers["bath"].status()["volume"] == 30
    together.pass_time(1)
    softer_ns = time.time_ns()
    together.pass_time(2)
    # A step of latency, mute, and all rooms at once.
    page.do("""await page.locator('[aria-label*="Latency of"][aria-label*="bath"] button[aria-label*="0.1"][aria-label*="more"]').click()""")
    page.wait_rooms(lambda shown: "latency 0.1 ms" in shown["bath"]["facts"], "a step of the bath's latency")
    # A chime there, and clicks until they are enough.
    page.do("""await page.click('button[aria-label*="chime"][aria-label*="bath"]')""")
    page.wait_rooms(lambda _: page.evaluate("!document.querySelector('.loudness .waits')"), "the chime")
    for pressed in ("true", "false"):
        page.do(f"""await page.click('button[aria-label*="Clicks in"][aria-label*="bath"]');
          await page.waitForSelector('button[aria-label*="Clicks in"][aria-label*="bath"][aria-pressed={pressed}]')""")
        assert speakers["bath"].status()["clicks"] is (pressed == "true")
    page.do("""await page.click('button[aria-label*="Mute"][aria-label*="kitchen"]')""")
    page.wait_rooms(lambda shown: "muted" in shown["kitchen"]["facts"] and "muted" not in shown["bath"]["facts"], "the kitchen to be mute")
    page.do("await page.click('button:has-text(\"Unmute all\")')")
    page.wait_rooms(lambda shown: "muted" not in shown["kitchen"]["facts"], "the kitchen to be heard again")
    page.do("await page.click('button[aria-label=\"All softer\"]')")
    page.wait_rooms(lambda shown: "volume 95 %" in shown["kitchen"]["facts"], "all to be softer")
    # Who does not answer is named, and what he said last is shown, not what was wanted.
    speakers["bath"].process.process.send_signal(signal.SIGSTOP)
    page.do("""await page.click('button[aria-label*="Mute"][aria-label*="bath"]'); await page.waitForSelector('.toast.bad:has-text("bath")')""")
    assert "muted" not in page.rooms()["bath"]["facts"]
    speakers["bath"].process.process.send_signal(signal.SIGCONT)
    evening.house.stop()
    spans = ((before_ns - 2_000_000_000, before_ns), (softer_ns, softer_ns + 2_000_000_000))
    (bath, bath_softer), (kitchen, kitchen_after) = ([loudness(cards[name], *span) for span in spans] for name in ("bath", "kitchen"))
    assert 0.8 < bath / kitchen < 1.25
    assert bath_softer / kitchen_after < 0.3, "the bath is heard softer, beside the kitchen"


def test_guests_may_what_the_host_says(evening):
    link = f"{evening.url}/#join={evening.host.code}"
    page = evening.page
    guest = page.do(f"""const other = await page.context().browser().newContext(); const guest = await other.newPage(); await guest.goto('{link}');
      await guest.fill('#guest-name', 'Anna'); await guest.click('button:has-text("Join")'); await guest.waitForSelector('.connection.live', {{state: 'attached'}});
      globalThis.guest = guest; return guest.locator('.controls').isVisible()""")
    assert guest is False
    page.show("more")
    page.do("""await page.selectOption('#control', 'everyone'); await guest.waitForSelector('.controls', {state: 'visible'});
      await guest.click('.round.play'); await page.waitForSelector('.round.play[aria-label="Pause"]', {state: 'attached'})""")
    page.do("""await page.selectOption('#add', 'everyone'); await guest.click('nav button:has-text("Queue")');
      await guest.waitForSelector('.add:has-text("Add music")')""")
    page.do("""await page.selectOption('#add', 'host'); await guest.waitForSelector('.add', {state: 'hidden'});
      await page.selectOption('#control', 'host'); await guest.waitForSelector('.controls', {state: 'hidden'})""")


# --- the network and the hub, gone and back ------------------------------------------------------


SHOWN_WITHIN_S = 0.6   # the page draws four times a second
HEARD_WITHIN_MS = 100  # here: that it is the same moment of the music; how exactly, others judge
AWAY_S = 20


class Watch:
    """What the page shows while an evening goes wrong, and what was heard meanwhile."""

    def __init__(self, evening):
        self.evening, self.page = evening, evening.page
        state = evening.host.playback(state="playing", position_ms=0)
        self.began_s = harness.utc_ns(state["updated_at"]) / 1e9

    def shown(self):
        return self.page.evaluate("""{live: document.querySelector('.connection').classList.contains('live'), at: Number(document.querySelector('.progress .bar').value) / 1000,
          banner: document.querySelector('.banner').hidden ? '' : document.querySelector('.banner').textContent,
          may: !document.querySelector('.round.play').disabled, playing: document.querySelector('.round.play').getAttribute('aria-label') === 'Pause',
          loud: document.querySelector('.cover').classList.contains('sounding')}""")

    def agrees(self):
        """It shows what is heard now, and says that it is true."""
        def true():
            before = time.time()
            shown = self.shown()
            after = time.time()
            return shown if shown["live"] and shown["playing"] and shown["loud"] and shown["may"] and not shown["banner"] and \
                before - self.began_s - SHOWN_WITHIN_S < shown["at"] < after - self.began_s + SHOWN_WITHIN_S else None
        harness.wait_until(true, 30, "the page to show what is heard")
        self.page.wait_rooms(lambda shown: len(shown) == 2 and all(room["standing"] == "known" for room in shown.values()), "both rooms to play", 60)

    def says_it_is_lost(self):
        def lost():
            shown = self.shown()
            return shown if "Connection lost" in shown["banner"] else None
        return harness.wait_until(lost, 15, "the page to say that it has lost the hub")

    def claims_nothing(self, at):
        """While it is lost: what is shown stands still, is marked as old, and of no room an error is told as if it were known."""
        shown = self.shown()
        assert not shown["live"] and "Connection lost" in shown["banner"] and not shown["may"] and not shown["loud"]
        assert shown["at"] == at, "a progress that nobody vouches for stands still"

    def check_sound(self):
        """From its beginning until now, in both rooms: never silent, never elsewhere."""
        for name, card in self.evening.cards.items():
            recording = card.recording()
            assert recording.count("xrun") == 0, f"{name}: this machine let it run dry"
            run = max(recording.runs, key=lambda one: len(one.frames))
            track, error = heard(run, recording.realtime_offset_ns, self.began_s, self.evening.track)
            # The first window with sound and the last are partly silence, which fits elsewhere in the music as well.
            first = np.argmax(~track.silent) + 1
            last = len(track.silent) - 1 - np.argmax(~track.silent[::-1])
            print(f"{name}: {last - first} windows, {np.nanmax(np.abs(error[first:last])):.2f} ms off at most")
            assert track.ns[last] - track.ns[first] > AWAY_S * 1e9
            assert not track.silent[first:last].any(), f"{name} was silent"
            assert np.nanmax(np.abs(error[first:last])) < HEARD_WITHIN_MS, name


@pytest.fixture
def long_evening(tmp_path):
    track = tmp_path / "long.mp3"
    track.write_bytes(TRACK.read_bytes() * 3)
    one = Evening(tmp_path, through=Proxy, track=track)
    yield one
    one.end()


def test_a_network_that_is_gone_for_20_s_and_a_hub_that_is_restarted(long_evening):
    evening, page = long_evening, long_evening.page
    page.show("rooms")
    watch = Watch(evening)
    watch.agrees()
    # Gone without a word: what was connected carries nothing any more, and nothing connects.
    evening.through.open = False
    evening.through.forget()
    gone_s = time.time()
    lost = watch.says_it_is_lost()
    page.wait_rooms(lambda shown: all(room["standing"] in ("lost", "unheard") and "±" not in room["exact"] for room in shown.values()), "no error to be claimed")
    while time.time() < gone_s + AWAY_S:
        watch.claims_nothing(lost["at"])
        together.pass_time(0.5)
    page.wait_rooms(lambda shown: all(room["state"].startswith("no word for") for room in shown.values()), "for how long there was no word")
    evening.through.open = True
    evening.through.reset()
    watch.agrees()
    # The lines have a gap of that time, and nothing is drawn across it.
    page.wait_rooms(lambda shown: all(room["line"].count("M") >= 2 for room in shown.values()), "lines with a gap")
    # The hub is killed in mid-play, and comes back.
    evening.hub.stop(9)
    lost = watch.says_it_is_lost()
    watch.claims_nothing(lost["at"])
    evening.hub.start()
    watch.agrees()
    evening.house.stop()
    watch.check_sound()
