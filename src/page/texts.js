// texts.js: every text, in every language. {name}: filled in.
import { preference } from './keys.js';
import { isolated, tame } from './names.js';
import { h } from './dom.js';

/** English, German. Another language is another column. */
export const LANGUAGES = { en: 'English', de: 'Deutsch' };
const COLUMN = Object.keys(LANGUAGES);

export const TABLE = {
  playing: ['Playing', 'Läuft'],
  queue: ['Queue', 'Liste'],
  requests: ['Requests', 'Wünsche'],
  more: ['More', 'Mehr'],
  views: ['Views', 'Ansichten'],

  live: ['Connected', 'Verbunden'],
  connecting: ['Connecting…', 'Verbindung wird hergestellt …'],
  lost: ['Connection lost. Trying again… What you see was true at {time}.',
    'Verbindung verloren. Neuer Versuch … Angezeigt ist der Stand von {time}.'],
  host: ['Host', 'Gastgeber'],
  guest: ['Guest', 'Gast'],
  session: ['Session {code}', 'Sitzung {code}'],

  welcome: ['Music in every room, in step', 'Musik in allen Räumen, im Takt'],
  joinTitle: ['Join the music', 'Mitmachen'],
  joinHint: ['With the invite code that your host can show you.', 'Mit dem Einladungscode, den der Gastgeber zeigen kann.'],
  code: ['Invite code', 'Einladungscode'],
  yourName: ['Your name', 'Dein Name'],
  join: ['Join', 'Mitmachen'],
  hostTitle: ['I run the music here', 'Ich bin Gastgeber'],
  hostHint: ['Start a session, or go on with one of this house.', 'Eine Sitzung beginnen oder eine des Hauses fortsetzen.'],
  password: ['Password of the house', 'Passwort des Hauses'],
  passwordHint: ['Leave empty if the house has none.', 'Leer lassen, wenn das Haus keines hat.'],
  goOn: ['Continue', 'Weiter'],
  newSession: ['Start a new session', 'Neue Sitzung beginnen'],
  openSession: ['Open a session', 'Sitzung öffnen'],
  noPassword: ['This hub has no password: to be host of a session that there is, open the link that “tutti-hub session link CODE” prints.',
    'Dieser Hub hat kein Passwort: Wer Gastgeber einer bestehenden Sitzung sein will, öffnet den Link, den „tutti-hub session link CODE“ ausgibt.'],
  yours: ['Your sessions', 'Deine Sitzungen'],
  back: ['Back', 'Zurück'],
  gone: ['The hub does not know this browser in session {code} any more. Join again.',
    'Der Hub kennt diesen Browser in der Sitzung {code} nicht mehr. Bitte neu beitreten.'],
  hostOf: ['with {name}', 'bei {name}'],

  nothing: ['Nothing to play yet', 'Noch keine Musik'],
  nothingHost: ['Add music to the queue, and it plays in every room.', 'Musik in die Liste legen, und sie spielt in allen Räumen.'],
  nothingGuest: ['Ask for a track, and the host decides.', 'Ein Lied wünschen, der Gastgeber entscheidet.'],
  nobody: ['Nothing chosen', 'Nichts gewählt'],
  upNext: ['Next: {name}', 'Danach: {name}'],
  nextAgain: ['Next: this one again', 'Danach: dieses noch einmal'],
  nextShuffled: ['Next: shuffled', 'Danach: in zufälliger Folge'],
  lastOne: ['The last track of the queue', 'Letztes Lied der Liste'],
  place: ['{n} of {all}', '{n} von {all}'],
  play: ['Play', 'Abspielen'],
  pause: ['Pause', 'Pause'],
  next: ['Next track', 'Nächstes Lied'],
  previous: ['Previous track', 'Voriges Lied'],
  playback: ['Playback', 'Wiedergabe'],
  shuffle: ['Shuffle', 'Zufällige Folge'],
  repeatOff: ['Repeat: off', 'Wiederholen: aus'],
  repeatAll: ['Repeat: all', 'Wiederholen: alle'],
  repeatOne: ['Repeat: this track', 'Wiederholen: dieses Lied'],
  seek: ['Position', 'Position'],
  seekText: ['{at} of {length}', '{at} von {length}'],
  hostControls: ['Your host controls the playback.', 'Der Gastgeber steuert die Wiedergabe.'],
  paused: ['Paused', 'Pausiert'],

  here: ['Play here', 'Hier abspielen'],
  hereOn: ['Playing here', 'Spielt hier'],
  hereLoading: ['Getting ready…', 'Wird vorbereitet …'],
  hereWaiting: ['Nothing plays at the moment.', 'Im Moment läuft nichts.'],
  hereBlocked: ['The browser holds the sound back: tap “Playing here” twice.', 'Der Browser hält den Ton zurück: zweimal auf „Spielt hier“ tippen.'],
  hereJoining: ['Joining…', 'Setzt ein …'],
  hereFailed: ['Cannot be played here: {why}', 'Lässt sich hier nicht abspielen: {why}'],
  hereElsewhere: ['the file is not on this hub', 'die Datei liegt nicht auf diesem Hub'],
  hereNoMp3: ['the file is no mp3', 'die Datei ist kein mp3'],
  ahead: ['{ms} ms ahead, known to ±{within} ms', '{ms} ms voraus, auf ±{within} ms bekannt'],
  behind: ['{ms} ms behind, known to ±{within} ms', '{ms} ms zurück, auf ±{within} ms bekannt'],
  volumeHere: ['Volume here', 'Lautstärke hier'],
  latency: ['Sound of this device takes', 'Der Ton dieses Geräts braucht'],
  earlier: ['5 ms less', '5 ms weniger'],
  later: ['5 ms more', '5 ms mehr'],

  addMusic: ['Add music', 'Musik hinzufügen'],
  askMusic: ['Ask for a track', 'Lied wünschen'],
  addHint: ['mp3 files; you can also drop them here', 'mp3-Dateien; auch hierher ziehen'],
  drop: ['Drop to add', 'Loslassen zum Hinzufügen'],
  tracks: ['{n} tracks, {time}', '{n} Lieder, {time}'],
  oneTrack: ['1 track, {time}', '1 Lied, {time}'],
  playThis: ['Play {name}', '{name} abspielen'],
  moveThis: ['Move {name}: arrow keys, or drag', '{name} verschieben: Pfeiltasten oder ziehen'],
  removeThis: ['Remove {name}', '{name} entfernen'],
  movedTo: ['{name} is now at place {n}', '{name} ist jetzt auf Platz {n}'],
  removeTitle: ['Remove from the queue?', 'Aus der Liste entfernen?'],
  removeHint: ['Its file goes with the last entry that uses it.', 'Die Datei verschwindet mit dem letzten Eintrag, der sie nutzt.'],
  askRemoveTitle: ['Ask to remove?', 'Entfernen wünschen?'],
  askHint: ['The host decides.', 'Der Gastgeber entscheidet.'],
  remove: ['Remove', 'Entfernen'],
  ask: ['Ask', 'Wünschen'],
  cancel: ['Cancel', 'Abbrechen'],
  asked: ['Asked: the host decides', 'Gewünscht: Der Gastgeber entscheidet'],
  waiting: ['waiting', 'wartet'],
  sending: ['{percent} %', '{percent} %'],
  checking: ['being checked', 'wird geprüft'],
  failed: ['not added: {why}', 'nicht hinzugefügt: {why}'],
  interrupted: ['interrupted; your file is still here', 'unterbrochen; die Datei ist noch da'],
  again: ['Try {name} again', '{name} noch einmal versuchen'],
  stop: ['Cancel {name}', '{name} abbrechen'],
  uploads: ['Uploads', 'Wird hochgeladen'],
  added: ['Added: {name}', 'Hinzugefügt: {name}'],

  noRequests: ['No requests', 'Keine Wünsche'],
  noRequestsHost: ['What guests ask for appears here.', 'Was Gäste wünschen, erscheint hier.'],
  noRequestsGuest: ['Ask for a track in the queue; what the host says appears here.', 'In der Liste ein Lied wünschen; die Antwort erscheint hier.'],
  wantsAdd: ['{who} would like to hear {what}', '{who} möchte {what} hören'],
  wantsRemove: ['{who} would like to remove {what}', '{who} möchte {what} entfernen'],
  wantsMove: ['{who} would like {what} at place {n}', '{who} möchte {what} auf Platz {n}'],
  wantsOther: ['{who} asks for something else', '{who} wünscht etwas anderes'],
  someTrack: ['a track', 'ein Lied'],
  approve: ['Approve', 'Annehmen'],
  deny: ['Deny', 'Ablehnen'],
  denyTitle: ['Deny this request?', 'Diesen Wunsch ablehnen?'],
  reason: ['Reason (if you like)', 'Grund (wenn du magst)'],
  pending: ['pending', 'offen'],
  approved: ['approved', 'angenommen'],
  denied: ['denied', 'abgelehnt'],
  decided: ['Decided', 'Entschieden'],
  waitingRequests: ['Waiting for a decision', 'Warten auf Entscheidung'],

  invite: ['Invite', 'Einladen'],
  inviteHint: ['Whoever has this code or link joins as a guest.', 'Wer Code oder Link hat, macht als Gast mit.'],
  copyLink: ['Copy link', 'Link kopieren'],
  share: ['Share', 'Teilen'],
  copied: ['The link is copied', 'Link kopiert'],
  copyThis: ['Copy this link', 'Diesen Link kopieren'],
  inviteGuest: ['Your host can show the invite code.', 'Der Gastgeber kann den Einladungscode zeigen.'],
  sessions: ['Sessions', 'Sitzungen'],
  another: ['Another session', 'Andere Sitzung'],
  leave: ['Forget this session', 'Diese Sitzung vergessen'],
  leaveTitle: ['Forget this session on this device?', 'Diese Sitzung auf diesem Gerät vergessen?'],
  leaveHost: ['To come back as host you need the password of the house or the host’s link.',
    'Um als Gastgeber zurückzukommen, braucht es das Passwort des Hauses oder den Gastgeber-Link.'],
  leaveGuest: ['To come back you need the invite code.', 'Um zurückzukommen, braucht es den Einladungscode.'],
  forget: ['Forget', 'Vergessen'],
  thisPage: ['This page', 'Diese Seite'],
  language: ['Language', 'Sprache'],
  theme: ['Colours', 'Farben'],
  automatic: ['Automatic', 'Automatisch'],
  light: ['Light', 'Hell'],
  dark: ['Dark', 'Dunkel'],
  clock: ['Clock of the hub', 'Uhr des Hubs'],
  clockKnown: ['known to within {ms} ms', 'auf {ms} ms genau bekannt'],
  close: ['Close', 'Schließen'],

  unreachable: ['The hub was not reached. Nothing was changed, as far as is known.',
    'Der Hub war nicht erreichbar. Soweit bekannt, wurde nichts geändert.'],
  refused: ['Not done: {why}', 'Nicht ausgeführt: {why}'],
  notConfirmed: ['Not confirmed by the hub; looking again.', 'Vom Hub nicht bestätigt; es wird neu nachgesehen.'],
};

function choose() {
  const liked = preference('language');
  if (COLUMN.includes(liked)) return liked;
  const spoken = navigator.languages?.map((one) => one.slice(0, 2)).find((one) => COLUMN.includes(one));
  return spoken ?? 'en';
}

export const language = choose();
document.documentElement.lang = language;

const template = (key) => TABLE[key][COLUMN.indexOf(language)];

/** A text alone: for labels. */
export function t(key, values = {}) {
  return template(key).replace(/\{(\w+)\}/g, (_, name) => (typeof values[name] === 'string' ? isolated(values[name]) : String(values[name])));
}

/** The same as nodes, where each value keeps to its own direction. */
export function tt(key, values = {}) {
  return template(key).split(/\{(\w+)\}/).map((part, i) => (i % 2 ? h('bdi', {}, tame(values[part]) || '?') : part));
}
