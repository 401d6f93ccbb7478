"""One track after the other without a gap: a recording that was cut into tracks is heard as one again, on every
speaker, and they stay in step. Judged by what the virtual cards recorded."""
import time

import pytest

from tuttitest import harness, pieces

LOCKSTEP_S = 100e-6


def speakers_of(house, hub, host, cards):
    made = [house.speaker(card.name, hub.url, card, backend_join_code=host.code, within=["chrt", "-f", "20"])
            for card in cards]
    for speaker in made:
        speaker.wait_clock()
    return made


def until_track(speaker, track_id, deadline_s=60):
    def there():
        status = speaker.status()
        return status if status and status["track_id"] == track_id and status["position_ms"] > 1200 else None
    return harness.wait_until(there, deadline_s, f"{track_id} to play; its log:\n{speaker.log[-3000:]}")


@pytest.mark.parametrize("kind", pieces.Pieces.KINDS)
def test_cut_pieces_are_one_recording_again(hub, house, tmp_path, kind):
    music = pieces.Pieces(tmp_path, [8, 4, 6, 4], kind)
    host = harness.Host(hub.url)
    music.upload(host)
    cards = [house.card("kitchen", ppm=60, rates="[ 44100 ]"), house.card("bath", ppm=-80, rates="[ 48000 ]"),
             house.card("hall", ppm=15)]
    speakers = speakers_of(house, hub, host, cards)
    state = host.playback(track_id="piece0", position_ms=0, state="playing")
    until_track(speakers[0], "piece3")
    house.stop()
    recordings = [card.recording() for card in cards]
    for i in range(len(music.paths) - 1):
        heard = [pieces.check_seam(music, recorded, state, music.seams_ns(state, recorded)[i])
                 for recorded in recordings]
        apart_s = pieces.apart_s(heard)
        print(f"seam {i}: {apart_s * 1e6:.1f} us apart")
        assert apart_s < LOCKSTEP_S
    assert all(recorded.count("xrun") == 0 for recorded in recordings)


def test_tracks_of_two_rates_follow_without_a_hole(hub, house, tmp_path):
    """Each filtered by itself, and added: a recording of which the second half is kept at another rate."""
    music = pieces.Pieces(tmp_path, [5, 5])
    resampled = tmp_path / "resampled.flac"
    pieces.ffmpeg.run("-i", music.paths[1], "-af", "aresample=48000:filter_size=256", "-ar", 48000, resampled)
    music.paths[1] = resampled
    host = harness.Host(hub.url)
    music.upload(host)
    card = house.card("kitchen", ppm=40)
    speaker, = speakers_of(house, hub, host, [card])
    state = host.playback(track_id="piece0", position_ms=0, state="playing")
    until_track(speaker, "piece1")
    house.stop()
    recorded = card.recording()
    pieces.check_seam(music, recorded, state, music.seams_ns(state, recorded)[0])


@pytest.mark.parametrize("left_s", [0.3, 1.5])
def test_another_order_just_before_the_end_is_what_is_heard(hub, house, tmp_path, left_s):
    """The piece that was to follow is queued already, or told, when another one is moved before it."""
    music = pieces.Pieces(tmp_path, [5, 4, 4])
    host = harness.Host(hub.url)
    items = music.upload(host)
    card = house.card("kitchen", ppm=40)
    speaker, = speakers_of(house, hub, host, [card])
    state = host.playback(track_id="piece0", position_ms=0, state="playing")
    end_s = harness.utc_ns(state["updated_at"]) / 1e9 + music.begins_s[1]
    harness.wait_until(lambda: time.time() >= end_s - left_s, 30, "the end to be near")
    status, answer = harness.call(f"{host.url}/sessions/{host.session_id}/playlist/{items[2]['id']}", "PATCH",
                                  {"new_position": 1}, host.token)
    assert status == 200, answer
    until_track(speaker, "piece2")
    house.stop()
    recorded = card.recording()
    seam_ns = music.seams_ns(state, recorded)[0]
    second = pieces.SECOND_NS
    ns, error_s, match = music.follow(recorded, state, seam_ns - second, seam_ns - second // 8)
    assert match.min() > 0.998 and abs(error_s).max() < 1e-3
    after = dict(state, track_id="piece2", updated_at=hub_time(host))
    ns, error_s, match = music.follow(recorded, after, seam_ns + second // 20, seam_ns + second)
    assert match.min() > 0.998 and abs(error_s).max() < 1e-3


def hub_time(host):
    """The stamp of what is played."""
    status, seen = harness.call(f"{host.url}/sessions/{host.session_id}", token=host.token)
    assert status == 200, seen
    return seen["playback_state"]["updated_at"]
