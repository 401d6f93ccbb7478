"""The picture that a file brings along for its track, as tutti-decode hands it out: byte by byte the same that was put in, and only what is one."""
import subprocess
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent.parent / "support"))

from tuttitest import ffmpeg, pictures  # noqa: E402
from tuttitest.harness import BUILD  # noqa: E402

pytestmark = pytest.mark.skipif(not (BUILD / "bin/tutti-decode").exists(), reason="tutti-decode has been left out of this build")
PICTURE_BYTES_MAX = 2 << 20
NONE, NO_TRACK = 1, 2


def picture_of(path):
    """The bytes, or NONE, or NO_TRACK."""
    words = ["mp3"] if Path(path).suffix == ".mp3" else []
    done = subprocess.run([BUILD / "tests/picture_of", path, *words], capture_output=True, timeout=30)
    assert done.returncode in (0, NONE, NO_TRACK), done.stderr
    assert done.returncode or done.stdout
    return done.stdout if done.returncode == 0 else done.returncode


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A folder with a sound and pictures."""
    folder = tmp_path_factory.mktemp("made")
    ffmpeg.noise(folder / "sound.wav", 1.5, 44100)
    for name in ("front.jpg", "front.png", "front.webp", "front.gif"):
        pictures.picture(folder / name)
    for name in ("mp3", "FLAC"):
        ending, options = pictures.CONTAINERS[name]
        ffmpeg.run("-i", folder / "sound.wav", *options, "-write_xing" if name == "mp3" else "-map_metadata", "1" if name == "mp3" else "-1",
                   folder / f"bare.{ending}")
    return folder


def bare(made, ending):
    """Of an mp3: without ffmpeg's tag."""
    content = (made / f"bare.{ending}").read_bytes()
    if content[:3] == b"ID3":
        size = sum(byte << shift for byte, shift in zip(content[6:10], (21, 14, 7, 0)))
        content = content[10 + size:]
    return content


@pytest.mark.parametrize("kind", ("jpg", "png"))
@pytest.mark.parametrize("name", pictures.CONTAINERS)
def test_it_is_what_was_put_in(made, tmp_path, name, kind):
    path = pictures.with_picture(name, made / "sound.wav", made / f"front.{kind}", tmp_path / f"track.{pictures.CONTAINERS[name][0]}")
    assert picture_of(path) == (made / f"front.{kind}").read_bytes()


@pytest.mark.parametrize("name", pictures.CONTAINERS)
def test_without_one_there_is_none(made, tmp_path, name):
    ending, options = pictures.CONTAINERS[name]
    ffmpeg.run("-i", made / "sound.wav", *options, tmp_path / f"track.{ending}")
    assert picture_of(tmp_path / f"track.{ending}") == NONE


def mp3(made, tmp_path, *frames):
    path = tmp_path / "track.mp3"
    path.write_bytes(pictures.mp3_with(frames, bare(made, "mp3")))
    return picture_of(path)


def flac(made, tmp_path, *blocks):
    path = tmp_path / "track.flac"
    path.write_bytes(pictures.flac_with(blocks, bare(made, "flac")))
    return picture_of(path)


def test_a_webp_is_one_too(made, tmp_path):
    """Where libavformat hands it over: older ones pass over the name image/webp, in which case there is none."""
    content = (made / "front.webp").read_bytes()
    assert mp3(made, tmp_path, pictures.apic(content, b"image/jpeg")) == content
    assert flac(made, tmp_path, pictures.block(content, "image/jpeg")) == content
    assert mp3(made, tmp_path, pictures.apic(content, b"image/webp")) in (content, NONE)


def test_it_is_known_by_its_bytes_alone(made, tmp_path):
    """Whatever it is called: as it is a picture, or none."""
    jpeg = (made / "front.jpg").read_bytes()
    assert mp3(made, tmp_path, pictures.apic(jpeg, b"image/png")) == jpeg
    for content in (b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>" * 9, b"<!doctype html><script>x</script>" * 9,
                    (made / "front.gif").read_bytes(), b"\xff\xd8", b"\0" * 5000, b"http://elsewhere.example/cover.jpg"):
        for called in (b"image/jpeg", b"image/svg+xml", b"-->"):
            assert mp3(made, tmp_path, pictures.apic(content, called)) == NONE, (content[:20], called)
        assert flac(made, tmp_path, pictures.block(content, "image/jpeg")) == NONE, content[:20]


def test_the_front_is_preferred(made, tmp_path):
    front, other = (made / "front.jpg").read_bytes(), (made / "front.png").read_bytes()
    assert mp3(made, tmp_path, pictures.apic(other, b"image/png", 4, b"back"), pictures.apic(front, description=b"front")) == front
    assert mp3(made, tmp_path, pictures.apic(other, b"image/png", 4, b"back"), pictures.apic(front, b"image/jpeg", 8, b"artist")) == other
    # A bad one is no better for being called the front.
    assert mp3(made, tmp_path, pictures.apic(b"<svg>" * 99, kind=3, description=b"a"), pictures.apic(other, b"image/png", 4, b"b")) == other


@pytest.mark.parametrize("more, shown", [(0, True), (1, False), (5 << 20, False)])
def test_there_is_a_largest_one(made, tmp_path, more, shown):
    content = (made / "front.jpg").read_bytes()
    content += b"\0" * (PICTURE_BYTES_MAX + more - len(content))
    assert mp3(made, tmp_path, pictures.apic(content)) == (content if shown else NONE)


def test_what_is_cut_off_is_none(made, tmp_path):
    """Wherever a file ends, there is the whole picture, or none; and it ends the decoder well."""
    content = (made / "front.jpg").read_bytes()
    for ending, whole in (("mp3", pictures.mp3_with([pictures.apic(content)], bare(made, "mp3"))),
                          ("flac", pictures.flac_with([pictures.block(content)], bare(made, "flac")))):
        path = tmp_path / f"cut.{ending}"
        for at in (20, 60, 200, len(content) // 2, len(content), len(content) + 100, len(content) + 3000, len(whole) - 10):
            path.write_bytes(whole[:at])
            assert picture_of(path) in (NONE, NO_TRACK, content), (ending, at)


def test_sizes_that_lie_are_none(made, tmp_path):
    content = (made / "front.jpg").read_bytes()
    good = pictures.block(content)
    for size in (0, 1, len(content) + 1, 0x7fffffff, 0xffffffff):
        lie = good[:-len(content) - 4] + size.to_bytes(4, "big") + content
        assert flac(made, tmp_path, lie) in (NONE, NO_TRACK, content[:size]), size
