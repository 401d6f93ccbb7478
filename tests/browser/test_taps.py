"""An evening by taps only, as one test: a phone, a guest's phone, a hub and two speakers, which are switched off, restarted and cut off.
After each step what the pages show is held against what the cards recorded."""
import json
import sys
import time
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent.parent / "support"))

from test_rooms import Page, askers, loudness, sign_of  # noqa: E402
from tuttitest import analysis, faults, harness, pieces, together  # noqa: E402

SECOND_NS = 1_000_000_000
SHOWN_WITHIN_S = 0.15  # of a bar that was drawn just now
IN_STEP_S = 1e-3
TURN_S = 0.1  # the silence between two tracks whose files say nothing of their padding
AWAY_S = 20
PASSWORD = "open sesame"

# Once the bar has been drawn anew, which happens four times a second: what is shown then is true then. A bar that stands still is
# told after a second.
SHOWN = """(async () => {
  const one = (selector) => document.querySelector(selector);
  const bar = one('.progress .bar');
  const [was, end] = [bar.value, performance.now() + 1000];
  while (bar.value === was && performance.now() < end) await new Promise((resolve) => setTimeout(resolve, 5));
  return {utc_ms: Date.now(), at_s: Number(bar.value) / 1000, goes: bar.value !== was, title: one('h1.title').textContent, tab: document.title,
    live: one('.connection').classList.contains('live'), banner: one('.banner').hidden ? '' : one('.banner').textContent,
    playing: one('.round.play').getAttribute('aria-label') === 'Pause', loud: one('.cover').classList.contains('sounding')};
})()"""


def lead_s(shown):
    """Of what is shown before the clock: the same until somebody changes it."""
    return shown["at_s"] - shown["utc_ms"] / 1e3


class Phone(Page):
    """The host's, and the guest's beside it (page, guest), in one browser."""

    def tap(self, selector, who="page"):
        self.do(f"await {who}.tap({json.dumps(selector)})")

    def tap_at(self, selector, share):
        """A slider, at this share of its width."""
        self.do(f"""const bar = page.locator({json.dumps(selector)}); await bar.scrollIntoViewIfNeeded();
          const {{width, height}} = await bar.boundingBox(); await bar.tap({{position: {{x: {share} * width, y: height / 2}}}})""")

    def go(self, view, who="page"):
        self.tap(f'nav button:has-text("{view}")', who)

    def choose(self, tracks, who="page"):
        """Files, where the button for music asks for them."""
        paths = json.dumps([str(harness.MUSIC / f"{track}.mp3") for track in tracks])
        self.do(f"const [asked] = await Promise.all([{who}.waitForEvent('filechooser'), {who}.tap('.add')]); await asked.setFiles({paths})")

    def queue(self, who="page"):
        return self.do(f"return {who}.locator('.queue .name').allTextContents()")

    def shown(self, who="page"):
        return self.do(f"return {who}.evaluate(() => {SHOWN})")

    def drag(self, track, to):
        """By its grip, with a finger, a little past the middle of another."""
        self.do(f"""const middle = async (name) => {{
            const grip = page.locator(`.queue li:has(.name:text-is("${{name}}")) .grip`); await grip.scrollIntoViewIfNeeded();
            const box = await grip.boundingBox(); return [box.x + box.width / 2, box.y + box.height / 2]; }};
          await middle('{to}'); const [x, begin] = await middle('{track}'); const [, other] = await middle('{to}');
          const way = other - begin + 6 * Math.sign(other - begin);
          const screen = await page.context().newCDPSession(page);
          const touch = (type, ...touchPoints) => screen.send('Input.dispatchTouchEvent', {{type, touchPoints}});
          await touch('touchStart', {{x, y: begin}});
          for (const share of [0.25, 0.5, 0.75, 1]) await touch('touchMove', {{x, y: begin + share * way}});
          await touch('touchEnd')""")


class Evening:
    """pages: those that there are. The kitchen's speaker is host of the session that it has begun; the bath's asks to be let in."""

    def __init__(self, directory):
        self.hub = harness.Hub(directory, house_password=PASSWORD)
        self.house = harness.House(directory)
        self.cards = {name: self.house.card(name, ppm=ppm) for name, ppm in (("kitchen", 60), ("bath", -80))}
        self.speakers = {}
        self.phone, self.pages = Phone(self.hub.url), ["page"]

    def switch_on(self, name, **options):
        self.speakers[name] = self.house.speaker(name, self.hub.url, self.cards[name], audio_mixer="software", within=["chrt", "-f", "20"], **options)
        return self.speakers[name]

    def end(self):
        self.phone.end()
        self.house.stop()
        self.hub.stop()

    def queues(self, *names):
        for page in self.pages:
            self.phone.until(lambda: self.phone.queue(page), lambda queue: queue == list(names), f"{page} to show {names}")

    def rooms_play(self, *rooms):
        """So the speakers say, and the page of them."""
        for room in rooms:
            self.speakers[room].wait_clock()
            self.speakers[room].wait_state("playing", 30)
        self.phone.go("Rooms")
        self.phone.wait_rooms(lambda shown: [name for name, room in shown.items() if room["standing"] == "known"] == sorted(rooms), f"{rooms} to play, and no other", 60)
        self.phone.go("Playing")

    def recorded(self, room, from_ns, to_ns):
        """(what it played between two moments of the realtime clock and a little around them, as runs; that clock before CLOCK_MONOTONIC), once
        that is recorded. The whole of an evening would take its time to look through."""
        def reaches():
            all_of_it = self.cards[room].recording()
            last = all_of_it.runs[-1] if all_of_it.runs else None
            return all_of_it if last and last.time_of(len(last.frames)) + all_of_it.realtime_offset_ns > to_ns else None
        all_of_it = harness.wait_until(reaches, 10, f"the {room} to be recorded")
        around = [ns - all_of_it.realtime_offset_ns for ns in (from_ns - SECOND_NS // 4, to_ns + SECOND_NS // 4)]
        return [part for part in (run.part(*around) for run in all_of_it.runs) if len(part.frames)], all_of_it.realtime_offset_ns

    def agrees(self, title, *rooms):
        """The pages show this track, playing, and where in it the rooms are heard, which are in step. What the host's page shows."""
        for page in self.pages:
            self.phone.until(lambda: self.phone.shown(page), lambda shown: shown["title"] == title and shown["tab"].startswith(f"{title} ") and shown["live"]
                       and not shown["banner"] and shown["playing"] and shown["loud"], f"{page} to show that {title} plays", 30)
        self.rooms_play(*rooms)
        together.pass_time(0.7)
        all_shown = [self.phone.shown(page) for page in self.pages]
        assert all(shown["title"] == title and shown["playing"] and shown["goes"] for shown in all_shown), all_shown
        together.pass_time(0.3)
        begin_ns = int(all_shown[0]["utc_ms"] * 1e6)
        from_ns, to_ns = begin_ns - SECOND_NS // 2, int(all_shown[-1]["utc_ms"] * 1e6) + SECOND_NS // 4
        heard = {}
        for room in rooms:
            runs, offset_ns = self.recorded(room, from_ns, to_ns)
            run = next((run for run in runs if run.covers(from_ns - offset_ns, to_ns - offset_ns)), None)
            assert run, f"the {room} has a gap there"
            track = analysis.follow(run, harness.reference(harness.MUSIC / f"{title}.mp3", run.conf["rate"]), from_ns - offset_ns, to_ns - offset_ns, 0.05,
                                    lambda ns: all_shown[0]["at_s"] + (ns + offset_ns - begin_ns) / 1e9)
            assert len(track.ns) > 10 and not track.silent.any(), f"the {room} is silent"
            assert track.match.min() > analysis.MATCH, f"{room}: what is heard is not {title} there: a window fits by {track.match.min():.4f}"
            heard[room] = (track.ns + offset_ns, track.position_s - (track.ns + offset_ns) / 1e9)
        errors_s = {(page, room): lead_s(shown) - np.interp(shown["utc_ms"] * 1e6, *heard[room]) for page, shown in zip(self.pages, all_shown) for room in rooms}
        apart_s = pieces.apart_s(list(heard.values()))
        print(f"  {title} at {all_shown[0]['at_s']:.1f} s, shown", ", ".join(f"{error_s * 1e3:.0f}" for error_s in errors_s.values()), f"ms off; {apart_s * 1e6:.0f} us apart")
        assert max(map(abs, errors_s.values())) < SHOWN_WITHIN_S, errors_s
        assert apart_s < IN_STEP_S
        return all_shown[0]

    def silence_s(self, room, from_ns, to_ns):
        """The longest between two moments of the realtime clock."""
        runs, offset_ns = self.recorded(room, from_ns, to_ns)
        return faults.longest_silence(runs, from_ns - offset_ns, to_ns - offset_ns)[0]

    def plays_on(self, room, from_ns, most_s=0.0):
        silence_s = self.silence_s(room, from_ns, time.time_ns() - SECOND_NS // 5)
        print(f"  {room}: silent for {silence_s * 1e3:.0f} ms at most")
        assert silence_s <= most_s, room

    def says_it_is_lost(self):
        """And shows as old what was true last: a progress that nobody vouches for stands still. What it shows."""
        return self.phone.until(self.phone.shown, lambda shown: "Connection lost" in shown["banner"] and not (shown["live"] or shown["loud"] or shown["goes"]),
                          "the page to say that it has lost the hub")


BOTH = ("kitchen", "bath")


def a_session_is_opened(evening):
    phone = evening.phone
    evening.switch_on("kitchen", backend_role="host", backend_house_password=PASSWORD).wait_connected()
    phone.tap("summary")
    phone.do(f"await page.fill('#host-name', 'Ada'); await page.fill('#password', '{PASSWORD}')")
    phone.tap('button:has-text("Continue")')
    phone.tap('.choice:has-text("kitchen")')
    phone.do("await page.waitForSelector('.connection.live', {state: 'attached'}); await page.waitForSelector('.top .chip:text(\"Host\")')")
    # The bath is let in by its sign.
    bath = evening.switch_on("bath")
    sign = sign_of(bath)
    phone.go("Rooms")
    (asker,) = phone.until(lambda: askers(phone), lambda asking: asking, "the bath to ask")
    assert asker["wish"].startswith("bath wants to join.") and asker["sign"] == sign
    phone.tap('button:has-text("Let in")')
    phone.wait_rooms(lambda shown: {name: room["standing"] for name, room in shown.items()} == dict.fromkeys(BOTH, "quiet"), "both rooms, in silence")


def music_is_added_and_played(evening):
    phone = evening.phone
    phone.go("Queue")
    phone.choose(["harbour", "pier", "lantern"])
    evening.queues("harbour", "pier", "lantern")
    phone.tap(".queue .open >> nth=0")
    assert evening.agrees("harbour", *BOTH)["at_s"] < 20


def seek(evening, share):
    """Of harbour, which has 75 s."""
    began_s = time.time()
    evening.phone.go("Playing")
    evening.phone.tap_at(".progress .bar", share)
    evening.phone.until(evening.phone.shown, lambda shown: abs(shown["at_s"] - 75 * share) < 2 + time.time() - began_s, "the new place")
    shown = evening.agrees("harbour", *BOTH)
    assert 75 * share - 2 < shown["at_s"] < 75 * share + 2 + shown["utc_ms"] / 1e3 - began_s


def it_is_sought(evening):
    for share in (0.6, 0.1):
        seek(evening, share)


def it_is_paused(evening):
    phone = evening.phone
    phone.tap(".round.play")
    paused = phone.until(phone.shown, lambda shown: not shown["playing"] and not shown["loud"], "the pause")
    for room in BOTH:
        evening.speakers[room].wait_state("paused")
    together.pass_time(0.3)
    from_ns = time.time_ns()
    still = phone.shown()
    assert not still["goes"] and still["at_s"] == paused["at_s"], "it stands"
    to_ns = time.time_ns()
    phone.tap(".round.play")
    shown = evening.agrees("harbour", *BOTH)
    assert paused["at_s"] <= shown["at_s"] < paused["at_s"] + shown["utc_ms"] / 1e3 - to_ns / 1e9 + SHOWN_WITHIN_S, "it goes on from there"
    for room in BOTH:
        assert evening.silence_s(room, from_ns, to_ns) > (to_ns - from_ns) / 1e9 - 0.01, f"the {room} is not paused"


def the_order_is_changed(evening):
    evening.phone.go("Queue")
    evening.phone.drag("lantern", "pier")
    evening.queues("harbour", "lantern", "pier")
    evening.agrees("harbour", *BOTH)


def a_guest_asks_for_a_track(evening):
    phone = evening.phone
    phone.go("More")
    link = phone.evaluate("document.querySelector('.address').textContent")
    # An error there is one of the phone's, which each step looks at.
    phone.do(f"""const context = await page.context().browser().newContext({{viewport: page.viewportSize(), hasTouch: true, isMobile: true}});
      globalThis.guest = await context.newPage(); guest.on('pageerror', (error) => page.errors.push(String(error)));
      await guest.goto({json.dumps(link)}); await guest.fill('#guest-name', 'Bo'); await guest.tap('button:has-text("Join")');
      await guest.waitForSelector('.connection.live', {{state: 'attached'}})""")
    evening.pages.append("guest")
    phone.go("Queue", "guest")
    evening.queues("harbour", "lantern", "pier")
    phone.choose(["meadow"], "guest")
    phone.go("Requests")
    phone.tap('li.card:has-text("meadow"):has-text("Bo") button:has-text("Approve")')
    evening.queues("harbour", "lantern", "pier", "meadow")
    phone.go("Requests", "guest")
    phone.do("await guest.waitForSelector('li.card:has-text(\"meadow\") .chip[data-state=approved]')")
    evening.agrees("harbour", *BOTH)


def a_room_is_turned_down(evening):
    phone, bath = evening.phone, evening.speakers["bath"]
    slider = 'input[aria-label*="Volume of"][aria-label*="bath"]'

    def turned(share):
        """Until it is shown, and then for a while, in which it is heard."""
        phone.go("Rooms")
        phone.tap_at(slider, share)
        wanted = 100 * share
        rooms = phone.wait_rooms(lambda shown: abs(volume(shown["bath"]) - wanted) < 8, f"the bath at {wanted} % or so")
        assert volume(rooms["bath"]) == bath.status()["volume"] and volume(rooms["kitchen"]) == 100
        together.pass_time(0.5)
        from_ns = time.time_ns()
        together.pass_time(1)
        spans.append((from_ns, time.time_ns()))
        volumes.append(volume(rooms["bath"]))

    def volume(room):
        return int(room["facts"].partition("volume ")[2].partition(" ")[0])

    spans, volumes = [], []
    for share in (0.99, 0.3, 0.99):
        turned(share)
    evening.agrees("harbour", *BOTH)
    ratios = [loudness(evening.cards["bath"], *span) / loudness(evening.cards["kitchen"], *span) for span in spans]
    print("  the bath beside the kitchen:", ", ".join(f"{ratio:.3f} at {percent} %" for ratio, percent in zip(ratios, volumes)))
    assert volumes[1] < 50 < volumes[0] == volumes[2]
    # The gain is the cube of it (docs/audio.md).
    assert ratios == pytest.approx([(percent / 100) ** 3 for percent in volumes], rel=0.1), "it is heard as loud as it is shown"


def the_host_s_speaker_is_switched_off(evening):
    phone, from_ns = evening.phone, time.time_ns()
    before = phone.shown()
    evening.speakers["kitchen"].stop()
    phone.go("Rooms")
    rooms = phone.wait_rooms(lambda shown: shown["kitchen"]["standing"] == "away", "the kitchen to be gone")
    assert "gone since" in rooms["kitchen"]["facts"]
    assert abs(lead_s(evening.agrees("harbour", "bath")) - lead_s(before)) < SHOWN_WITHIN_S, "the music goes on"
    evening.plays_on("bath", from_ns)


def and_on_again(evening):
    evening.speakers["kitchen"].start()
    evening.speakers["kitchen"].wait_connected()
    seek(evening, 0.2)


def the_hub_is_restarted(evening):
    phone, from_ns = evening.phone, time.time_ns()
    before = phone.shown()
    evening.hub.stop()
    assert evening.says_it_is_lost()["title"] == "harbour"
    evening.hub.start()
    assert abs(lead_s(evening.agrees("harbour", *BOTH)) - lead_s(before)) < SHOWN_WITHIN_S, "the music goes on"
    for room in BOTH:
        evening.plays_on(room, from_ns)


def the_phone_has_no_network(evening):
    """The tracks that are heard before are in the order that was changed, and the one that it comes back to is the guest's."""
    phone = evening.phone
    for title in ("lantern", "pier"):
        phone.tap(".round.next")
        before = evening.agrees(title, *BOTH)
    from_ns = time.time_ns()
    phone.do("await page.context().setOffline(true)")
    lost = evening.says_it_is_lost()
    assert lost["title"] == "pier"
    phone.until(lambda: phone.shown("guest"), lambda shown: shown["title"] == "meadow" and shown["live"], "the guest to see the next track")
    together.pass_time(AWAY_S - (time.time_ns() - from_ns) / 1e9)
    still = evening.says_it_is_lost()
    assert (still["title"], still["at_s"]) == ("pier", lost["at_s"]), "of what it is not told it shows nothing"
    phone.do("await page.context().setOffline(false)")
    rate, frames = harness.decode(harness.MUSIC / "pier.mp3")
    assert abs(lead_s(evening.agrees("meadow", *BOTH)) + len(frames) / rate - lead_s(before)) < SHOWN_WITHIN_S + TURN_S, "one track after the other"
    for room in BOTH:
        evening.plays_on(room, from_ns, TURN_S)


@pytest.fixture
def evening(tmp_path):
    one = Evening(tmp_path)
    yield one
    one.end()


def test_an_evening_by_taps_only(evening):
    began_s = time.monotonic()
    for part in (a_session_is_opened, music_is_added_and_played, it_is_sought, it_is_paused, the_order_is_changed, a_guest_asks_for_a_track,
                 a_room_is_turned_down, the_host_s_speaker_is_switched_off, and_on_again, the_hub_is_restarted, the_phone_has_no_network):
        part(evening)
        print(f"{part.__name__}: done after {time.monotonic() - began_s:.0f} s")
