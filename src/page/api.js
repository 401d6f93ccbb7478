// api.js: calls over REST.

const PATIENCE_MS = 15000;

/** status: HTTP's; 0: the hub was not reached. detail: for people. */
export class Refusal extends Error {
  constructor(status, detail) {
    super(detail);
    this.status = status;
  }
}

/** What an answer says of why not. */
export function reason(status, text) {
  try {
    const { detail } = JSON.parse(text);
    if (typeof detail === 'string') return detail;
    if (Array.isArray(detail) && typeof detail[0]?.msg === 'string') return detail[0].msg;
  } catch {
    // no JSON: its status has to do
  }
  return `HTTP ${status}`;
}

export async function call(method, path, { token, body } = {}) {
  const headers = {};
  if (token) headers['X-User-Token'] = token;
  if (body) headers['Content-Type'] = 'application/json';
  let answer, text;
  try {
    answer = await fetch(path, {
      method, headers, body: body ? JSON.stringify(body) : undefined, cache: 'no-store', credentials: 'omit',
      referrerPolicy: 'no-referrer', signal: AbortSignal.timeout(PATIENCE_MS),
    });
    text = await answer.text();
  } catch {
    throw new Refusal(0, '');
  }
  if (!answer.ok) throw new Refusal(answer.status, reason(answer.status, text));
  return text ? JSON.parse(text) : null;
}

/**
 * A file as an item of the playlist, or as a request for one; progress(share) meanwhile.
 * { done: promise of the answer, stop() }. A fetch would not tell its progress.
 */
export function upload(session, token, { track, name, file }, progress) {
  const request = new XMLHttpRequest();
  const query = new URLSearchParams({ track_id: track, filename: name });
  const done = new Promise((resolve, reject) => {
    request.onload = () => {
      if (request.status === 200) resolve(JSON.parse(request.responseText));
      else reject(new Refusal(request.status, reason(request.status, request.responseText)));
    };
    request.onerror = () => reject(new Refusal(0, ''));
    request.onabort = () => reject(new Refusal(-1, ''));
  });
  request.upload.onprogress = (event) => progress(event.lengthComputable ? event.loaded / event.total : 0);
  request.open('PUT', `/sessions/${session}/playlist?${query}`);
  request.setRequestHeader('X-User-Token', token);
  request.setRequestHeader('Content-Type', 'audio/mpeg');
  request.send(file);
  return { done, stop: () => request.abort() };
}
