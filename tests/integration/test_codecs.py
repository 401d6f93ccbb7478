"""Tracks that are no mp3: what a speaker's decoder makes of files that ffmpeg has made, against what ffmpeg makes
of them, sample by sample; and played on the session of a full backend."""
import json
import os
import random
import signal
import subprocess
import time
from pathlib import Path

import numpy as np
import pytest

from tuttitest import analysis, damage, ffmpeg, harness, mp4

DECODE = harness.BUILD / "tests/decode_track"
PROGRAM = harness.BUILD / "bin/tutti-decode"
pytestmark = pytest.mark.skipif(not PROGRAM.exists(), reason="tutti-decode has been left out of this build")

# Band replication and noise substitution make noise of their own, which is another after a seek: without it
# the same must come, to the last bit.
AAC = ["-c:a", "aac", "-aac_pns", "0", "-b:a", "128k"]
FRAGMENTS = "-frag_duration 300000 -movflags"


def decoded(path, *places):
    """(rate, length, frames): all, or those of each place, a pair of a frame and a count."""
    words = [str(number) for place in places for number in place]
    done = subprocess.run([str(DECODE), str(path), *words], capture_output=True, timeout=60 * harness.PATIENCE)
    if done.returncode != 0:
        raise ValueError(done.stderr.decode().strip())
    head, samples = done.stdout.split(b"\n", 1)
    rate, length = map(int, head.split())
    return rate, length, np.frombuffer(samples, "f4").reshape(-1, 2)


def check_seeks(path, whole, slack=0, count=3000):
    """From wherever decoding begins, what comes is what comes on the way there."""
    chance = random.Random(str(path.name))
    starts = [0, 1, 1023, 1024, len(whole) - 1, len(whole)] + [chance.randrange(len(whole)) for _ in range(20)]
    starts.sort(reverse=True)  # back, so that none is on the way of the one before
    _, _, parts = decoded(path, *[(start, count) for start in starts])
    expected = np.concatenate([whole[start:start + count] for start in starts])
    assert parts.shape == expected.shape
    assert np.abs(parts - expected).max() <= slack


# name: what ffmpeg makes it with; frames that Chromium does not play, but ffmpeg does, at the beginning. Chromium
# takes away what lies before 0 where only a time stamp says so.
MP4 = {
    "edit list": (AAC, 0),
    "no edit list": ([*AAC, "-use_editlist", "0"], 0),
    "moov at the front": ([*AAC, "-movflags", "faststart"], 0),
    "fragments": ([*AAC, *FRAGMENTS.split(), "frag_keyframe+empty_moov"], 0),
    "fragments with an edit list": ([*AAC, *FRAGMENTS.split(), "frag_keyframe+empty_moov+delay_moov"], 1024),
    "mono": ([*AAC, "-ac", "1"], 0),
    "8 kHz": ([*AAC, "-ar", "8000", "-b:a", "24k"], 0),
    "22.05 kHz": ([*AAC, "-ar", "22050"], 0),
    "48 kHz": ([*AAC, "-ar", "48000"], 0),
    "96 kHz": ([*AAC, "-ar", "96000"], 0),
    "5.1": ([*AAC, "-ac", "6", "-b:a", "256k"], 0),
    "ALAC": (["-c:a", "alac"], 0),
    "ALAC of 24 bits": (["-c:a", "alac", "-sample_fmt", "s32p"], 0),
}


@pytest.mark.parametrize("name", MP4)
def test_an_mp4_is_exact(tmp_path, name):
    options, early = MP4[name]
    path = tmp_path / "track.mp4"
    ffmpeg.run("-i", ffmpeg.noise(tmp_path / "noise.wav"), *options, path)
    rate, length, frames = decoded(path)
    reference_rate, reference = ffmpeg.decode(path)
    reference = reference[early:]
    assert rate == reference_rate
    assert length == len(frames)
    # ffmpeg also plays what the last packet is filled up with, which the file's own length does not count.
    assert len(reference) - 1024 < length <= len(reference)
    assert np.abs(frames - reference[:length]).max() <= 2 ** -24
    check_seeks(path, frames)


# name: its ending, how ffmpeg makes it, of how many bits; how far a seek may be off: Opus comes only ever closer.
OTHERS = {
    "FLAC": ("flac", ["-c:a", "flac"], 44100, "pcm_s16le", 0),
    "FLAC of 24 bits at 192 kHz": ("flac", ["-c:a", "flac"], 192000, "pcm_s24le", 0),
    "Ogg Vorbis": ("ogg", ["-c:a", "libvorbis"], 44100, "pcm_s16le", 0),
    "Ogg Vorbis at 48 kHz": ("ogg", ["-c:a", "libvorbis", "-ar", "48000"], 44100, "pcm_s16le", 0),
    "Opus": ("opus", ["-c:a", "libopus"], 48000, "pcm_s16le", 2 ** -15),
    "WAV": ("wav", ["-c:a", "pcm_s16le"], 44100, "pcm_s16le", 0),
    "WAV of 8 bits": ("wav", ["-c:a", "pcm_u8"], 44100, "pcm_s16le", 0),
    "WAV of 24 bits at 192 kHz": ("wav", ["-c:a", "pcm_s24le"], 192000, "pcm_s24le", 0),
    "WAV of floats": ("wav", ["-c:a", "pcm_f32le"], 44100, "pcm_s16le", 0),
    "AIFF": ("aiff", ["-c:a", "pcm_s16be"], 44100, "pcm_s16le", 0),
    "AIFF of 24 bits at 96 kHz": ("aiff", ["-c:a", "pcm_s24be"], 96000, "pcm_s24le", 0),
}
LOSSY = ("Vorbis", "Opus", "8 bits")


@pytest.mark.parametrize("name", OTHERS)
def test_another_format_is_exact(tmp_path, name):
    ending, options, rate, form, slack = OTHERS[name]
    source, path = ffmpeg.noise(tmp_path / "noise.wav", rate=rate, form=form), tmp_path / f"track.{ending}"
    ffmpeg.run("-i", source, *options, path)
    got_rate, length, frames = decoded(path)
    reference_rate, reference = ffmpeg.decode(path)
    assert got_rate == reference_rate
    assert length == len(frames) == len(reference) == 3 * got_rate
    assert np.array_equal(frames, reference)
    if not any(word in name for word in LOSSY):
        assert np.array_equal(frames, ffmpeg.decode(source)[1]), "to the last bit what it was made of"
    check_seeks(path, frames, slack)


@pytest.mark.parametrize("name", ["Ogg Vorbis", "Opus"])
def test_an_ogg_that_does_not_begin_at_0(tmp_path, name):
    """Cut out of something longer, whose numbers it keeps: it begins with its first sample, and ends with its last."""
    ending, options, rate, _, slack = OTHERS[name]
    path = tmp_path / f"track.{ending}"
    ffmpeg.run("-i", ffmpeg.noise(tmp_path / "noise.wav", rate=rate), "-af", f"atrim=start_sample={rate}", *options, path)
    got_rate, length, frames = decoded(path)
    _, reference = ffmpeg.decode(path)
    assert length == len(frames) == len(reference) == 2 * got_rate
    assert np.array_equal(frames, reference)
    check_seeks(path, frames, slack)


def test_padding_at_the_end_is_not_played(tmp_path):
    path = tmp_path / "track.mp4"
    ffmpeg.run("-i", ffmpeg.noise(tmp_path / "noise.wav", seconds=2), *AAC, path)
    _, length, frames = decoded(path)
    assert length == len(frames) == 2 * 44100


def test_an_edit_list_in_the_middle(tmp_path):
    """One that begins where no packet does."""
    whole, path = tmp_path / "whole.mp4", tmp_path / "track.mp4"
    ffmpeg.run("-i", ffmpeg.noise(tmp_path / "noise.wav"), *AAC, whole)
    ffmpeg.run("-ss", "0.517", "-i", whole, "-c", "copy", path)
    _, length, frames = decoded(path)
    _, reference = ffmpeg.decode(path)
    assert len(reference) - 1024 < length <= len(reference)
    assert np.array_equal(frames, reference[:length])
    check_seeks(path, frames)


def test_the_first_of_several_sounds_is_played_and_pictures_are_not(tmp_path):
    one, two, path = tmp_path / "one.wav", tmp_path / "two.wav", tmp_path / "track.mp4"
    ffmpeg.noise(one)
    ffmpeg.run("-f", "lavfi", "-i", "sine=d=3:r=48000", two)
    ffmpeg.run("-f", "lavfi", "-i", "testsrc=d=3:s=64x64", "-i", one, "-i", two, "-map", "0", "-map", "1", "-map", "2",
               "-c:v", "mpeg4", *AAC, path)
    rate, length, frames = decoded(path)
    assert rate == 44100
    assert np.array_equal(frames, ffmpeg.decode(path)[1][:length])
    check_seeks(path, frames)


def test_itunes_padding_is_silence(tmp_path):
    """Of its length: a browser lets that time pass."""
    plain, path = tmp_path / "plain.mp4", tmp_path / "track.mp4"
    ffmpeg.run("-i", ffmpeg.noise(tmp_path / "noise.wav"), *AAC, "-use_editlist", "0", plain)
    path.write_bytes(mp4.with_itunes_padding(plain.read_bytes()))
    _, length, frames = decoded(path)
    _, reference = ffmpeg.decode(plain)
    assert np.array_equal(frames[0x840:], reference[0x840:length]) and not frames[:0x840].any()
    assert len(reference) - 1024 < length
    check_seeks(path, frames)


def inverted(data, at):
    return data[:at] + bytes([data[at] ^ 0xff]) + data[at + 1:]


def without_page(data):
    """An Ogg of which a page in the middle is lost."""
    first = data.index(b"OggS", len(data) // 2)
    return data[:first] + data[data.index(b"OggS", first + 4):]


HOLES = {
    "FLAC": ("flac", ["-c:a", "flac"], lambda data: inverted(data, len(data) // 2)),
    "Ogg Vorbis": ("ogg", ["-c:a", "libvorbis", "-page_duration", "100000"], without_page),
    "Opus": ("opus", ["-c:a", "libopus", "-page_duration", "100000"], without_page),
}


@pytest.mark.parametrize("name", HOLES)
def test_what_is_damaged_is_silence_and_the_rest_is_in_step(tmp_path, name):
    """Where the format has checksums; what follows the hole stands where it would have stood."""
    ending, options, damage_it = HOLES[name]
    path, broken = tmp_path / f"track.{ending}", tmp_path / f"broken.{ending}"
    ffmpeg.run("-i", ffmpeg.noise(tmp_path / "noise.wav", rate=48000), *options, path)
    broken.write_bytes(damage_it(path.read_bytes()))
    (rate, _, whole), (_, _, frames) = decoded(path), decoded(broken)
    assert len(frames) == len(whole)
    odd = np.flatnonzero(np.abs(frames - whole).max(axis=1) > 1e-3)
    assert 0 < odd[-1] - odd[0] < 0.3 * rate, "a hole, and nothing else"
    hole = frames[odd[0]:odd[-1] + 1]  # with what a codec takes over from one packet to the next
    assert (np.abs(hole).max(axis=1) == 0).sum() > 0.09 * rate, "which is silence"


UNPLAYABLE = {
    "pictures only": (["-f", "lavfi", "-i", "testsrc=d=1:s=64x64", "-c:v", "mpeg4"],
                      "it has pictures only, and no sound"),
    "protected": (["-f", "lavfi", "-i", "sine=d=1", *AAC, "-encryption_scheme", "cenc-aes-ctr", "-encryption_key", "0" * 32,
                   "-encryption_kid", "1" * 32], "it is protected (DRM), for its shop's own players only"),
    "FLAC in Ogg": (["-f", "lavfi", "-i", "sine=d=1", "-c:a", "flac", "-f", "ogg"],
                    "its sound is FLAC in Ogg, which no speaker plays"),
    "another codec": (["-f", "lavfi", "-i", "sine=d=1:r=48000", "-c:a", "ac3"], "its sound is ac3, which no speaker plays"),
}


@pytest.mark.parametrize("name", UNPLAYABLE)
def test_what_cannot_be_played_is_one_clear_line(tmp_path, name):
    options, line = UNPLAYABLE[name]
    path = tmp_path / "track.mp4"
    ffmpeg.run(*options, path)
    with pytest.raises(ValueError) as error:
        decoded(path)
    assert str(error.value) == line


@pytest.mark.parametrize("kind", damage.KINDS)
def test_damaged_files_come_to_an_end(tmp_path, kind):
    """Whatever is wrong in them: a line, or sound, in seconds; "./dev damage" hears thousands."""
    for seed, came in damage.run(tmp_path, kind, int(os.environ.get("TUTTI_MANY_FILES", "8"))):
        assert not damage.wrong(came), f"seed {seed}: {damage.wrong(came)}"


# --- on a session -------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def video(tmp_path_factory):
    """As people upload it: pictures, sound, and what describes them at the end."""
    path = tmp_path_factory.mktemp("music") / "harbour.mp4"
    ffmpeg.run("-f", "lavfi", "-i", "testsrc=d=60:s=64x64:r=5", "-t", "60", "-i", harness.MUSIC / "harbour.mp3", "-shortest",
               "-c:v", "mpeg4", *AAC, path)
    return path


def start(backend, house, tracks, **options):
    card = house.card("kitchen", ppm=40)
    host = harness.Host(backend.url)
    for name, (path, content_type) in tracks.items():
        host.upload(name, path, content_type)
    speaker = house.speaker("kitchen", backend.url, card, backend_join_code=host.code, **options)
    speaker.wait_connected()
    return host, card, speaker


def helpers_of(speaker):
    """The processes that decode for it, by their numbers."""
    found = []
    for each in Path("/proc").glob("[0-9]*/stat"):
        try:
            name, rest = each.read_text().rsplit(")", 1)
        except OSError:
            continue
        if "(tutti-decode" in name and int(rest.split()[1]) == speaker.process.process.pid and rest.split()[0] != "Z":
            found.append(int(each.parent.name))
    return found


def test_a_video_is_heard_in_step(full_backend, house, video):
    host, card, speaker = start(full_backend, house, {"harbour": (video, "video/mp4")})
    for i in range(20):  # each tells a bit of the time, which this backend does not tell otherwise
        state = host.playback(track_id="harbour", position_ms=7000 + i, state="playing")
    speaker.wait_state("playing")
    from_ns = time.monotonic_ns() + 500_000_000
    harness.wait_until(lambda: time.monotonic_ns() >= from_ns + 3_500_000_000, 9, "the music to play")
    assert speaker.status()["length_ms"] == pytest.approx(60000, abs=50)
    assert len(helpers_of(speaker)) == 1
    house.stop()
    recorded = card.recording()
    run, = recorded.runs
    timeline = harness.wanted(state, recorded)
    heard = analysis.follow(run, harness.reference(video, run.conf["rate"]), from_ns, from_ns + 3_000_000_000, 0.05, timeline)
    good = heard.match >= analysis.MATCH
    assert good.all()
    assert np.abs(heard.position_s - timeline(heard.ns)).max() < 5e-3, "a packet is 23 ms"


def test_two_speakers_play_an_mp4_of_a_full_backend_in_step(full_backend, house, video):
    """Uploaded as its dashboard does: a name, and video/mp4."""
    cards = [house.card("kitchen", ppm=40), house.card("bath", ppm=-60)]
    host = harness.Host(full_backend.url)
    host.upload("harbour", video, "video/mp4")
    speakers = [house.speaker(card.name, full_backend.url, card, backend_join_code=host.code) for card in cards]
    for speaker in speakers:
        speaker.wait_connected()
    for i in range(20):
        state = host.playback(track_id="harbour", position_ms=7000 + i, state="playing")
    for speaker in speakers:
        speaker.wait_state("playing")
    from_ns = time.monotonic_ns() + 1_000_000_000
    harness.wait_until(lambda: time.monotonic_ns() >= from_ns + 5_500_000_000, 12, "the music to play")
    house.stop()
    errors_s = []
    for recorded in (card.recording() for card in cards):
        run, = recorded.runs
        timeline = harness.wanted(state, recorded)
        heard = analysis.follow(run, harness.reference(video, run.conf["rate"]), from_ns, from_ns + 5_000_000_000, 0.05, timeline)
        assert (heard.match >= analysis.MATCH).all()
        errors_s.append(np.interp(from_ns + np.arange(0.2, 4.8, 0.05) * 1e9, heard.ns, heard.position_s - timeline(heard.ns)))
    apart_s = np.abs(errors_s[0] - errors_s[1])
    print(f"{np.median(apart_s) * 1e6:.0f} us apart (p50), {apart_s.max() * 1e6:.0f} at most")
    assert apart_s.max() < 5e-3, "a packet is 23 ms"


def test_add_says_what_a_file_is(full_backend, house, video):
    """By what is in it, whatever it is called, and how long it is."""
    disguised = video.parent / "disguised.mp3"
    disguised.write_bytes(video.read_bytes())
    speaker = house.speaker("kitchen", full_backend.url, backend_role="host")
    speaker.wait_connected()
    code, output, errors = speaker.ctl("add", str(disguised))
    assert code == 0, output + errors
    item, = json.loads(speaker.ctl("--json", "playlist")[1])
    assert item["media_url"].endswith(".mp4")
    assert item["duration_s"] == 60


def test_a_flac_of_a_guest_is_heard_by_the_way_of_the_hub(hub, house, tmp_path):
    """Added at a speaker, approved by the host; the hub says as exactly how long it is."""
    path = tmp_path / "harbour.flac"
    ffmpeg.run("-i", harness.MUSIC / "harbour.mp3", "-t", "20.25", "-c:a", "flac", path)
    host, card = harness.Host(hub.url), house.card("kitchen", ppm=40)
    speaker = house.speaker("kitchen", hub.url, card, backend_join_code=host.code)
    speaker.wait_connected()
    code, output, errors = speaker.ctl("add", str(path))
    assert code == 0, output + errors
    _, requests = harness.call(f"{hub.url}/sessions/{host.session_id}/requests", token=host.token)
    request, = [one for one in requests if one["status"] == "pending"]
    assert harness.call(f"{hub.url}/requests/{request['id']}/approve", "POST", {}, host.token)[0] == 200
    _, (item,) = harness.call(f"{hub.url}/sessions/{host.session_id}/playlist", token=host.token)
    assert item["media_type"] == "audio/flac" and item["duration_seconds"] == 20
    state = host.playback(track_id=item["track_id"], position_ms=5000, state="playing")
    speaker.wait_state("playing")
    from_ns = time.monotonic_ns() + 500_000_000
    harness.wait_until(lambda: time.monotonic_ns() >= from_ns + 2_500_000_000, 9, "the music to play")
    assert speaker.status()["length_ms"] == 20250
    house.stop()
    recorded = card.recording()
    run, = recorded.runs
    timeline = harness.wanted(state, recorded)
    heard = analysis.follow(run, harness.reference(path, run.conf["rate"]), from_ns, from_ns + 2_000_000_000, 0.05, timeline)
    assert (heard.match >= analysis.MATCH).all()
    assert np.abs(heard.position_s - timeline(heard.ns)).max() < 5e-3


def one_line(speaker, text):
    """It is said once, and the speaker is there."""
    harness.wait_until(lambda: text in speaker.log, 10, f"{text} in:\n{speaker.log[-2000:]}")
    assert speaker.log.count(text) == 1
    assert speaker.status()["session"]["connected"]


@pytest.mark.parametrize("end", [signal.SIGABRT, signal.SIGSTOP])
def test_a_decoder_that_dies_or_hangs_is_a_failed_track(full_backend, house, video, end):
    host, _, speaker = start(full_backend, house, {"video": (video, "video/mp4"), "pier": (harness.MUSIC / "pier.mp3", "audio/mpeg")})
    host.playback(track_id="video", position_ms=1000, state="playing")
    speaker.wait_state("playing")
    process, = helpers_of(speaker)
    os.kill(process, end)
    one_line(speaker, "the current track cannot be played: its decoder " + ("crashed" if end == signal.SIGABRT else "hangs"))
    harness.wait_until(lambda: not helpers_of(speaker), 5, "it to be gone")
    host.playback(track_id="pier", position_ms=0, state="playing")  # right again at the next one
    speaker.wait_state("playing")


def test_without_the_package_it_says_what_to_install(full_backend, house, video, tmp_path):
    """The same program, where there is no tutti-decode beside it."""
    alone = tmp_path / "bin/tuttid"
    alone.parent.mkdir()
    alone.write_bytes((harness.BUILD / "bin/tuttid").read_bytes())
    alone.chmod(0o755)
    if Path("/usr/libexec/tutti-decode").exists() or Path("/usr/local/libexec/tutti-decode").exists():
        pytest.skip("it is installed")
    host, _, speaker = start(full_backend, house, {"video": (video, "video/mp4"), "pier": (harness.MUSIC / "pier.mp3", "audio/mpeg")},
                             program=alone)
    host.playback(track_id="video", position_ms=1000, state="playing")
    one_line(speaker, "the current track cannot be played: needs tutti-codecs: apt install tutti-codecs")
    host.playback(track_id="pier", position_ms=0, state="playing")
    speaker.wait_state("playing")
