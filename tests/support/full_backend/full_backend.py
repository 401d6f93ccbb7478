#!/usr/bin/python3
"""A test stand-in for the full backend: its wire behaviour, quirks and faults included.

FastAPI on uvicorn, as the original. Naive timestamps, no time echo, no Range, 403 at the handshake,
sockets that die silently after a rejected message, silent changes of the current track, odd playback
values stored and told as they come. State is kept in a JSON file, so that it survives a restart.

POST /_test {"...": ...} throws switches: "timestamps" ("naive", "Z", "+00:00", "+02:00"), "mute_next"
(how many broadcasts the last-connected client misses), "revoke" (a token's membership), "forget" (a
token's user), "restore" (what was revoked), "status" (answer every REST call with it; 0: no more), "html" (with a proxy's page instead
of text), "delay_s" (before every REST answer), "media_bytes_per_s" (0: no limit), "close" (every socket, with this code),
"deafen" (the sockets of this token stay open, answer pings, and carry nothing any more),
"say" (to every socket, this text), "media_url" (of every item, in what is told of playlists), "commit_ms" (a
range: how long it takes between the stamp of a state and its broadcast), "leave_window_ms" (who leaves so shortly before
or after a broadcast takes it from all that connected later; 0: from nobody), "fail_after" (so many of the next REST calls
that change something are done, told to everybody, and then answered with 500), "date" ("sliding": uvicorn's own, looked up
about every second; "exact": as a proxy in front puts it, of the moment of the answer).
--ping-interval and --ping-timeout (seconds): how often sockets are pinged, with a payload that must come back in time.
"""
import argparse
import asyncio
import base64
import datetime
import email.utils
import json
import random
import secrets
import socket
import time
from pathlib import Path

import uvicorn
from fastapi import FastAPI, Header, Request, WebSocket, WebSocketDisconnect
from fastapi.responses import JSONResponse, Response, StreamingResponse

app = FastAPI()


class State:
    def __init__(self):
        self.users, self.sessions, self.requests = {}, {}, {}
        self.tokens, self.deaf = {}, set()   # of sockets
        self.revoked = {}   # token -> session
        self.sockets = {}   # session id -> list of sockets, in order of connection
        self.order, self.connected = {}, 0  # of sockets: the how-manieth it was
        self.departures = {}  # session id -> [(when, the how-manieth)]
        self.random = random.Random(5)
        self.server, self.own_headers = None, None
        self.switches = {"timestamps": "naive", "mute_next": 0, "status": 0, "html": False, "delay_s": 0,
                         "media_bytes_per_s": 0, "commit_ms": [2.5, 2.5], "leave_window_ms": 0, "fail_after": 0,
                         "date": "sliding"}
        self.directory = None

    def save(self):
        kept = {"users": self.users, "sessions": self.sessions, "requests": self.requests}
        temporary = self.directory / "state.new"
        temporary.write_text(json.dumps(kept))
        temporary.rename(self.directory / "state.json")

    def load(self, directory):
        self.directory = Path(directory)
        (self.directory / "uploads").mkdir(parents=True, exist_ok=True)
        stored = self.directory / "state.json"
        if stored.exists():
            for key, value in json.loads(stored.read_text()).items():
                setattr(self, key, value)


state = State()


def invalid(*where):
    return fail(422, [{"loc": ["body", *where], "msg": "field required", "type": "value_error.missing"}])


def fail(status, detail):
    return JSONResponse({"detail": detail}, status)


def now_text():
    now = datetime.datetime.utcnow()
    style = state.switches["timestamps"]
    if style == "naive":
        return now.isoformat()
    if style.startswith("+") and style != "+00:00":
        hours = int(style[1:3])
        return (now + datetime.timedelta(hours=hours)).isoformat() + style
    return now.isoformat() + style


def member(token, session_id):
    """The user, or the refusal."""
    user = state.users.get(token or "")
    if not user:
        return None, fail(401, "Invalid or missing token")
    session = state.sessions.get(session_id)
    if not session:
        return None, fail(404, "Session not found")
    if token not in session["members"]:
        return None, fail(403, "Not a member of this session")
    return user, None


async def broadcast(session_id, kind, payload):
    text = json.dumps({"type": kind, "payload": payload})
    targets = list(state.sockets.get(session_id, []))
    if state.switches["mute_next"] > 0 and targets:
        state.switches["mute_next"] -= 1
        targets.pop()
    stamped = time.monotonic()
    await asyncio.sleep(state.random.uniform(*state.switches["commit_ms"]) / 1e3)
    for ws in who_is_told(session_id, targets, stamped):
        try:
            await ws.send_text(text)
        except Exception:
            pass


def who_is_told(session_id, targets, stamped):
    """All but those that a leaver takes it from: the list is walked while it is removed from it."""
    window_s = state.switches["leave_window_ms"] / 1e3
    left = [order for when, order in state.departures.get(session_id, []) if window_s and when > stamped - window_s]
    return [ws for ws in targets if not left or state.order.get(ws, 0) < min(left)]


def note_departure(ws, session_id):
    kept = state.departures.setdefault(session_id, [])
    kept[:] = kept[-15:] + [(time.monotonic(), state.order.pop(ws, 0))]


async def set_playback(session, **change):
    playback = session["playback"]
    playback.update(change, updated_at=now_text())
    state.save()
    await broadcast(session["id"], "playback_state", playback)
    return playback


def renumber(session):
    for position, item in enumerate(session["playlist"]):
        item["position"] = position


async def playlist_changed(session):
    renumber(session)
    state.save()
    await broadcast(session["id"], "playlist_update", {"playlist": session["playlist"]})


@app.middleware("http")
async def switches(request: Request, call_next):
    if request.url.path.startswith("/_test"):
        return await call_next(request)
    await asyncio.sleep(state.switches["delay_s"])
    if state.switches["status"] and state.switches["html"]:
        return Response("<html><h1>502 Bad Gateway</h1></html>", state.switches["status"], media_type="text/html")
    if state.switches["status"]:
        return Response("Internal Server Error", state.switches["status"], media_type="text/plain")
    answer = await call_next(request)
    if state.switches["date"] == "exact":
        answer.headers["date"] = email.utils.formatdate(int(time.time()), usegmt=True)
        answer.headers["server"] = "nginx"
    if state.switches["fail_after"] > 0 and request.method != "GET":
        state.switches["fail_after"] -= 1
        return Response("Internal Server Error", 500, media_type="text/plain")
    return answer


def choose_date(kind):
    """uvicorn adds its name and its Date to every answer, renewed about every second; a proxy's take their place."""
    config, served = state.server.config, state.server.server_state
    state.own_headers = state.own_headers or config.encoded_headers
    config.date_header = kind == "sliding"
    config.encoded_headers = state.own_headers if kind == "sliding" else []
    served.default_headers = served.default_headers if kind == "sliding" else []


@app.post("/_test")
async def throw(request: Request):
    body = await request.json()
    revoked = body.pop("revoke", None)
    for session in state.sessions.values():
        if revoked in session["members"]:
            session["members"].remove(revoked)
            state.revoked[revoked] = session
    restored = body.pop("restore", None)
    if restored in state.revoked:
        state.revoked.pop(restored)["members"].append(restored)
    state.users.pop(body.pop("forget", None), None)
    code, said = body.pop("close", None), body.pop("say", None)
    state.deaf.update(ws for ws, token in state.tokens.items() if token == body.get("deafen"))
    body.pop("deafen", None)
    for sockets in state.sockets.values():
        sockets[:] = [ws for ws in sockets if ws not in state.deaf]
    for session in state.sessions.values() if "media_url" in body else []:
        for item in session["playlist"]:
            item["media_url"] = body["media_url"]
        await playlist_changed(session)
    for sockets in state.sockets.values() if said else []:
        for ws in list(sockets):
            await ws.send_text(said)
    state.switches.update(body)
    choose_date(state.switches["date"])
    if code:
        for ws in [ws for sockets in state.sockets.values() for ws in sockets]:
            await ws.close(code)
    return {}


@app.post("/auth/login")
async def login(request: Request):
    body = await request.json()
    if body.get("role") not in ("host", "guest") or not body.get("name"):
        return fail(422, [{"loc": ["body", "role"], "msg": "unexpected value", "type": "value_error"}])
    token = secrets.token_hex(16)
    state.users[token] = {"id": secrets.token_hex(8), "name": body["name"], "role": body["role"]}
    state.save()
    return {"token": token, "user_id": state.users[token]["id"], "role": body["role"]}


@app.post("/sessions")
async def create(request: Request, x_user_token: str = Header(None)):
    user = state.users.get(x_user_token or "")
    if not user:
        return fail(401, "Invalid or missing token")
    if user["role"] != "host":
        return fail(403, "Only hosts can create sessions")
    body = await request.json()
    if not body.get("host_name"):
        return invalid("host_name")
    playback = {"track_id": None, "position_ms": 0, "state": "paused", "updated_at": now_text()}
    session = {"id": secrets.token_hex(8), "code": secrets.token_hex(3).upper(), "host": x_user_token,
               "members": [x_user_token], "playlist": [], "playback": playback,
               "limit": body.get("max_media_duration_seconds")}
    state.sessions[session["id"]] = session
    state.save()
    return {"session_id": session["id"], "code": session["code"], "host_token": x_user_token,
            "max_media_duration_seconds": session["limit"], "playlist": [], "playback_state": session["playback"]}


@app.post("/sessions/{code}/join")
async def join(code: str, request: Request):
    body = await request.json()
    session = next((s for s in state.sessions.values() if s["code"] == code), None)
    if not session:
        return fail(404, "Session not found")
    if not body.get("guest_name"):
        return invalid("guest_name")
    if not isinstance(session["playback"]["position_ms"], int):
        return Response("Internal Server Error", 500, media_type="text/plain")
    token = secrets.token_hex(16)
    state.users[token] = {"id": secrets.token_hex(8), "name": body["guest_name"], "role": "guest"}
    session["members"].append(token)
    state.save()
    return {"session_id": session["id"], "guest_token": token, "max_media_duration_seconds": session.get("limit"),
            "playlist": session["playlist"], "playback_state": session["playback"]}


@app.get("/sessions/{session_id}/playlist")
async def playlist(session_id: str, x_user_token: str = Header(None)):
    _, refusal = member(x_user_token, session_id)
    return refusal or state.sessions[session_id]["playlist"]


@app.post("/sessions/{session_id}/playlist")
async def add(session_id: str, request: Request, x_user_token: str = Header(None)):
    _, refusal = member(x_user_token, session_id)
    if refusal:
        return refusal
    session, body = state.sessions[session_id], await request.json()
    for field in ("track_id", "name"):
        if not isinstance(body.get(field), str):
            return invalid(field)
    if x_user_token != session["host"]:
        wish = {key: body[key] for key in ("track_id", "name", "duration_seconds", "media_url") if key in body}
        return await add_request(session, x_user_token, "add", wish)
    media, limit, length = body.get("media"), session.get("limit"), body.get("duration_seconds")
    if not isinstance(media, dict) or "data" not in media or "content_type" not in media:
        return invalid("media")
    if limit is not None and length is None:
        return fail(422, "duration_seconds is required in this session")
    if limit is not None and length > limit:
        return fail(400, "Media is too long for this session")
    if body["media"]["content_type"] not in ("audio/mpeg", "audio/mp4", "video/mp4"):
        return fail(415, "Unsupported media type")
    kind = body["media"]["content_type"]
    name = secrets.token_hex(8) + (".mp3" if kind == "audio/mpeg" else ".mp4")
    (state.directory / "uploads" / name).write_bytes(base64.b64decode(body["media"]["data"]))
    item = {"id": secrets.token_hex(8), "track_id": body["track_id"], "name": body["name"],
            "media_url": f"/static/uploads/{name}", "media_type": kind,
            "duration_seconds": body.get("duration_seconds"), "position": len(session["playlist"])}
    session["playlist"].append(item)
    if session["playback"]["track_id"] is None:  # without a word to anybody
        session["playback"].update(track_id=item["track_id"], updated_at=now_text())
    await playlist_changed(session)
    return item


async def add_request(session, token, kind, payload):
    request = {"id": secrets.token_hex(8), "session_id": session["id"], "requester": state.users[token]["name"],
               "request_type": kind, "payload": payload, "status": "pending", "reason": None}
    state.requests[request["id"]] = request
    state.save()
    await broadcast(session["id"], "request_update", request)
    return request


async def move_item(session, item_id, to):
    item = next((i for i in session["playlist"] if i["id"] == item_id), None)
    if not item:
        return fail(404, "Item not found")
    if not isinstance(to, int) or not 0 <= to < len(session["playlist"]):
        return fail(400, "new_position is out of range")
    session["playlist"].remove(item)
    session["playlist"].insert(to, item)
    await playlist_changed(session)
    return {"status": "updated"}


async def apply_request(request):
    """The refusal, or None. Nothing keeps it from being applied again."""
    session, payload, kind = state.sessions[request["session_id"]], request["payload"], request["request_type"]
    result = None
    if kind == "add":
        item = {"id": secrets.token_hex(8), "track_id": payload["track_id"], "name": payload["name"],
                "media_url": "/static/" + payload["media_path"], "media_type": payload["media_type"],
                "duration_seconds": payload.get("duration_seconds"), "position": len(session["playlist"])}
        session["playlist"].append(item)
        await playlist_changed(session)
    elif kind == "reorder":
        result = await move_item(session, payload["item_id"], payload["new_position"])
    elif kind == "remove":
        result = await remove_item(session, payload["item_id"])
    return result if isinstance(result, JSONResponse) else None


async def decide(request, approve, reason):
    if approve:
        refusal = await apply_request(request)
        if refusal:
            return refusal
    request.update(status="approved" if approve else "denied", reason=reason)
    state.save()
    await broadcast(request["session_id"], "request_update", request)
    return request


@app.post("/sessions/{session_id}/requests")
async def ask(session_id: str, request: Request, x_user_token: str = Header(None)):
    _, refusal = member(x_user_token, session_id)
    if refusal:
        return refusal
    body = await request.json()
    for field in ("request_type", "payload"):
        if field not in body:
            return invalid(field)
    return await add_request(state.sessions[session_id], x_user_token, body["request_type"], body["payload"])


@app.post("/requests/{request_id}/{how}")
async def answer(request_id: str, how: str, request: Request, x_user_token: str = Header(None)):
    if not state.users.get(x_user_token or ""):
        return fail(401, "Invalid or missing token")
    found = state.requests.get(request_id)
    if not found or how not in ("approve", "deny"):
        return fail(404, "Request not found")
    _, refusal = member(x_user_token, found["session_id"])
    if refusal:
        return refusal
    if x_user_token != state.sessions[found["session_id"]]["host"]:
        return fail(403, "Only the host can do this")
    if not await request.body():
        return invalid()
    try:
        return await decide(found, how == "approve", (await request.json()).get("reason"))
    except KeyError:
        return Response("Internal Server Error", 500, media_type="text/plain")


@app.patch("/sessions/{session_id}/playlist/{item_id}")
async def move(session_id: str, item_id: str, request: Request, x_user_token: str = Header(None)):
    _, refusal = member(x_user_token, session_id)
    if refusal:
        return refusal
    session, to = state.sessions[session_id], (await request.json()).get("new_position")
    if x_user_token != session["host"]:
        return await add_request(session, x_user_token, "reorder", {"item_id": item_id, "new_position": to})
    return await move_item(session, item_id, to)


@app.delete("/sessions/{session_id}/playlist/{item_id}")
async def remove(session_id: str, item_id: str, x_user_token: str = Header(None)):
    _, refusal = member(x_user_token, session_id)
    if refusal:
        return refusal
    session = state.sessions[session_id]
    if x_user_token != session["host"]:
        return await add_request(session, x_user_token, "remove", {"item_id": item_id})
    return await remove_item(session, item_id)


async def remove_item(session, item_id):
    gone = next((i for i in session["playlist"] if i["id"] == item_id), None)
    if not gone:
        return fail(404, "Item not found")
    session["playlist"].remove(gone)
    if session["playback"]["track_id"] == gone["track_id"]:  # without a word to anybody
        following = session["playlist"][0]["track_id"] if session["playlist"] else None
        session["playback"].update(track_id=following, position_ms=0, updated_at=now_text())
    await playlist_changed(session)
    return {"status": "removed"}


@app.post("/sessions/{session_id}/playback")
async def playback(session_id: str, request: Request, x_user_token: str = Header(None)):
    _, refusal = member(x_user_token, session_id)
    if refusal:
        return refusal
    session, body = state.sessions[session_id], await request.json()
    if x_user_token != session["host"]:
        return fail(403, "Only the host can do this")
    return await set_playback(session, **{k: v for k, v in body.items()
                                          if k in ("track_id", "position_ms", "state")})


async def command(session, payload):
    action, at = payload.get("action"), session["playback"]
    ids = [item["track_id"] for item in session["playlist"]]
    if action in ("play", "pause", "seek"):
        change = {} if action == "seek" else {"state": "playing" if action == "play" else "paused"}
        if action != "pause" and payload.get("track_id") is not None:
            change["track_id"] = payload["track_id"]
        if payload.get("position_ms") is not None:
            change["position_ms"] = payload["position_ms"]
        await set_playback(session, **change)
    elif action in ("skip_next", "skip_prev") and ids:
        here = ids.index(at["track_id"]) if at["track_id"] in ids else 0
        to = min(here + 1, len(ids) - 1) if action == "skip_next" else max(here - 1, 0)
        await set_playback(session, track_id=ids[to], position_ms=0)
    else:
        raise ValueError(action)


@app.get("/static/uploads/{name}")
async def media(name: str, if_none_match: str = Header(None)):
    path = state.directory / "uploads" / name
    if "/" in name or not path.is_file():
        return fail(404, "Not Found")
    if if_none_match == f'"{name}"':
        return Response(status_code=304, headers={"ETag": f'"{name}"'})
    headers = {"ETag": f'"{name}"', "Content-Length": str(path.stat().st_size),
               "Last-Modified": email.utils.formatdate(path.stat().st_mtime, usegmt=True)}
    return StreamingResponse(media_bytes(path), media_type=media_type_of(path), headers=headers)  # no Range


def media_type_of(path):
    return "video/mp4" if path.suffix == ".mp4" else "audio/mpeg"


async def media_bytes(path):
    with open(path, "rb") as file:
        while chunk := file.read(8192):
            yield chunk
            if state.switches["media_bytes_per_s"]:
                await asyncio.sleep(len(chunk) / state.switches["media_bytes_per_s"])


class WrongShape(Exception):
    pass


class DeadSocket(Exception):
    pass


async def serve_socket(ws, session, token):
    await ws.send_text(json.dumps({"type": "playback_state", "payload": session["playback"]}))
    await ws.send_text(json.dumps({"type": "playlist_update", "payload": {"playlist": session["playlist"]}}))
    state.sockets.setdefault(session["id"], []).append(ws)
    state.tokens[ws] = token
    state.connected += 1
    state.order[ws] = state.connected
    while True:
        message = json.loads(await ws.receive_text())
        if ws in state.deaf:
            raise DeadSocket
        if not isinstance(message, dict) or not isinstance(message.get("type"), str) or \
                not isinstance(message.get("payload"), dict):
            raise WrongShape
        kind, payload = message["type"], message["payload"]
        if kind == "sync_ack":
            continue
        if kind == "playback_command" and token == session["host"]:
            await command(session, payload)
        elif kind == "request_playlist_change":
            await add_request(session, token, payload["request_type"], payload["payload"])
        elif kind in ("approve_request", "deny_request") and token == session["host"]:
            await decide(state.requests[payload["request_id"]], kind == "approve_request", payload.get("reason"))
        else:
            raise ValueError(kind)


@app.websocket("/ws/sessions/{session_id}")
async def connect(ws: WebSocket, session_id: str, token: str = ""):
    session = state.sessions.get(session_id)
    if not session or token not in session["members"]:
        await ws.close()  # before accept(): 403 at the handshake
        return
    await ws.accept()
    try:
        await serve_socket(ws, session, token)
    except WebSocketDisconnect:
        pass
    except (json.JSONDecodeError, WrongShape):
        await ws.close()
    except (ValueError, KeyError, DeadSocket):
        # A dead socket that looks alive: still open, pings are answered, nothing is carried any more.
        if ws in state.sockets[session_id]:
            state.sockets[session_id].remove(ws)
        while (await ws.receive())["type"] != "websocket.disconnect":
            pass
        return
    finally:
        state.tokens.pop(ws, None)
        state.deaf.discard(ws)
        note_departure(ws, session_id)
        if ws in state.sockets.get(session_id, []):
            state.sockets[session_id].remove(ws)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", required=True)
    parser.add_argument("--address", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--ping-interval", type=float, default=20)
    parser.add_argument("--ping-timeout", type=float, default=20)
    options = parser.parse_args()
    state.load(options.data)
    listener = socket.socket(socket.AF_INET6 if ":" in options.address else socket.AF_INET)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind((options.address, options.port))
    listener.listen(128)
    host = f"[{options.address}]" if ":" in options.address else options.address
    print(f"listening on http://{host}:{listener.getsockname()[1]}", flush=True)
    state.server = uvicorn.Server(uvicorn.Config(app, log_level="warning", ws_ping_interval=options.ping_interval,
                                                 ws_ping_timeout=options.ping_timeout))
    state.server.run(sockets=[listener])


if __name__ == "__main__":
    main()
