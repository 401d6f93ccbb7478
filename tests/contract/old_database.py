"""Databases as older hubs made them: their tables, word for word, and a session with all that there can be in it."""
import hashlib
import sqlite3

HOST_TOKEN, GUEST_TOKEN = "0123456789abcdef" * 2, "fedcba9876543210" * 2

VERSION_1 = """
CREATE TABLE users ( id TEXT PRIMARY KEY, name TEXT NOT NULL, host INTEGER NOT NULL,
 token_hash TEXT NOT NULL UNIQUE, created_at TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP);
CREATE TABLE sessions ( id TEXT PRIMARY KEY, code TEXT NOT NULL UNIQUE,
 host_id TEXT NOT NULL REFERENCES users(id), max_duration_s INTEGER,
 track_id TEXT, position_ms INTEGER NOT NULL DEFAULT 0,
 playing INTEGER NOT NULL DEFAULT 0, updated_at TEXT NOT NULL,
 created_at TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP);
CREATE TABLE members ( session_id TEXT NOT NULL REFERENCES sessions(id) ON DELETE CASCADE,
 user_id TEXT NOT NULL REFERENCES users(id) ON DELETE CASCADE,
 PRIMARY KEY (session_id, user_id)) WITHOUT ROWID;
CREATE TABLE items ( id TEXT PRIMARY KEY, session_id TEXT NOT NULL REFERENCES sessions(id) ON DELETE CASCADE,
 track_id TEXT NOT NULL, name TEXT NOT NULL, media_path TEXT, media_url TEXT,
 media_type TEXT NOT NULL, duration_s REAL, position INTEGER NOT NULL);
CREATE INDEX items_by_position ON items(session_id, position);
CREATE TABLE requests ( id TEXT PRIMARY KEY, session_id TEXT NOT NULL REFERENCES sessions(id) ON DELETE CASCADE,
 requester TEXT NOT NULL, type TEXT NOT NULL, payload TEXT NOT NULL,
 status TEXT NOT NULL DEFAULT 'pending', reason TEXT,
 created_at TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP, decided_at TEXT);
"""

VERSION_2 = """
CREATE TABLE media (path TEXT PRIMARY KEY, duration_s REAL NOT NULL) WITHOUT ROWID;
INSERT OR IGNORE INTO media
 SELECT media_path, coalesce(duration_s, 0) FROM items WHERE media_path IS NOT NULL;
CREATE INDEX items_by_media ON items(media_path);
CREATE INDEX members_by_user ON members(user_id);
CREATE INDEX requests_by_session ON requests(session_id, status);
"""


def make(path, version):
    """A session s1 with the code ABCDEF: its item is uploads/aa.mp3, a guest asks for uploads/bb.mp3."""
    database = sqlite3.connect(path)
    database.execute("PRAGMA journal_mode = WAL")
    database.executescript(VERSION_1)
    for user, name, host, token in (("u1", "Ada", 1, HOST_TOKEN), ("u2", "Grace", 0, GUEST_TOKEN)):
        database.execute("INSERT INTO users (id, name, host, token_hash) VALUES (?, ?, ?, ?)",
                         (user, name, host, hashlib.sha256(token.encode()).hexdigest()))
    database.execute("INSERT INTO sessions (id, code, host_id, track_id, updated_at)"
                     " VALUES ('s1', 'ABCDEF', 'u1', 't1', '2026-01-31T12:34:56.123456Z')")
    database.execute("INSERT INTO members VALUES ('s1', 'u1'), ('s1', 'u2')")
    database.execute("INSERT INTO items (id, session_id, track_id, name, media_path, media_type, duration_s, position)"
                     " VALUES ('i1', 's1', 't1', 'One', 'uploads/aa.mp3', 'audio/mpeg', 12.06, 0)")
    database.execute("INSERT INTO requests (id, session_id, requester, type, payload) VALUES ('r1', 's1', 'Grace', 'add',"
                     """ '{"track_id":"t2","name":"Two","media_path":"uploads/bb.mp3","media_type":"audio/mpeg"}')""")
    if version >= 2:
        database.executescript(VERSION_2)
        database.execute("INSERT INTO media VALUES ('uploads/bb.mp3', 12.06)")
    database.execute(f"PRAGMA user_version = {version}")
    database.commit()
    database.close()
