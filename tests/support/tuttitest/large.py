"""Inputs as large as the limits let them be."""
import json

ITEMS_MAX = 20000          # a playlist's
MESSAGE_BYTES = 8 << 20    # of the backend, at most


def fill_playlist(backend, host, count=ITEMS_MAX, message_bytes=0):
    """A full backend whose session has so many items from its next start on, the uploaded ones first; and, with
    message_bytes, names so long that telling them takes nearly so many bytes."""
    backend.stop()
    path = backend.directory / "full/state.json"
    state = json.loads(path.read_text())
    playlist = state["sessions"][host.session_id]["playlist"]
    template = playlist[0]
    for place in range(len(playlist), count):
        playlist.append(dict(template, id=f"{place:032x}", track_id=f"t{place}", name=f"Track {place}", position=place,
                             media_url=f"/static/uploads/none-{place}.mp3"))
    spare = message_bytes - len(json.dumps({"type": "playlist_update", "payload": {"playlist": playlist}})) - 1024
    for item in playlist[1:] if spare > 0 else []:
        item["name"] += "n" * (spare // len(playlist))
    path.write_text(json.dumps(state))
    backend.start()


def apply_change(items, change):
    """An event "playlist_change", taken over by a list of items."""
    return items[:change["at"]] + change["items"] + items[change["at"] + change["removed"]:]
