"""The rooms on the page, beside two real speakers whose cards record."""
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent.parent / "support"))

from tuttitest import harness  # noqa: E402

HERE = Path(__file__).parent
TRACK = harness.MUSIC / "meadow.mp3"
ROOMS = """Object.fromEntries([...document.querySelectorAll('.rooms .room')].map((room) => {
  const text = (selector) => room.querySelector(selector).textContent.replace(/[\\u2066-\\u2069]/g, '');
  return [text('.name'), {standing: room.dataset.standing, state: text('.chip'), exact: text('.exact'), facts: text('.hint'), wrong: text('.wrong'),
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

    def wait_rooms(self, condition, what, patience_s=30):
        def fits():
            rooms = self.rooms()
            return rooms if condition(rooms) else None
        try:
            return harness.wait_until(fits, patience_s, what)
        except AssertionError as error:
            raise AssertionError(f"{error}; it shows {self.rooms()}") from None

    def end(self):
        self.process.stdin.close()
        self.process.wait(30)


class Evening:
    """A hub, a session, two speakers, and the host's page."""

    def __init__(self, directory, through=None):
        self.hub = harness.Hub(directory)
        self.house = harness.House(directory)
        self.through = through(self.hub.port) if through else None
        self.url = self.through.url if self.through else self.hub.url
        self.host = harness.Host(self.hub.url)
        self.host.upload("meadow", TRACK)
        self.cards = {name: self.house.card(name) for name in ("bath", "kitchen")}
        self.speakers = {name: self.house.speaker(name, self.url, card, backend_join_code=self.host.code) for name, card in self.cards.items()}
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
