// Keeps the journal's table up to date: asks for what is newer than the newest row, and puts it on
// top. What comes from outside is only ever set as text.

// How long the server may hold an answer back until there is something to tell.
const WAIT_SECONDS = 20;
// The least time between two questions that nothing came of.
const PAUSE_MILLIS = 1000;

const rows = document.querySelector('#entries');
const blank = document.querySelector('#entry').content.querySelector('tr');
const state = document.querySelector('#state');
const path = document.querySelector('#path');
const faults = document.querySelector('#faults');
const pause = document.querySelector('#pause');

const table = rows.closest('table').dataset;
let newest = Number(table.newest);
let dropped = Number(table.dropped);
let cleared = Number(table.cleared);
let paused = false;
let trouble = '';

function tone(status) {
  if (status === null || status === undefined || status >= 500) return 'broken';
  if (status >= 400) return 'refused';
  return status >= 300 ? 'elsewhere' : 'done';
}

function took(micros) {
  return micros < 1000 ? `${micros} µs` : `${(micros / 1000).toFixed(1)} ms`;
}

function who(entry) {
  const parts = [['user', entry.user_id], ['client', entry.client_id], ['record', entry.record_id]];
  const told = parts.filter(([, id]) => id).map(([what, id]) => `${what} ${id}`);
  return told.concat(entry.credential ?? []).join(', ');
}

function body(value) {
  return typeof value === 'string' ? value : JSON.stringify(value, null, 2);
}

function rowOf(entry) {
  const row = blank.cloneNode(true);
  const set = (name, text) => { row.querySelector(name).textContent = text; };
  const show = (name, value) => {
    const shown = value !== null && value !== undefined && value !== '';
    if (shown) set(name, body(value));
    row.querySelector(name).closest('div').hidden = !shown;
  };
  row.className = tone(entry.status);
  set('.number', entry.number);
  row.querySelector('time').dateTime = entry.at;
  set('.day', entry.at.slice(0, 10));
  set('.clock', entry.at.slice(11, 19));
  set('.method', entry.method);
  set('.path bdi', entry.path);
  set('.badge', entry.status ?? 'no answer');
  set('.told', entry.outcome);
  set('.caller bdi', who(entry));
  set('.took', took(entry.micros));
  show('.route', entry.route);
  show('.request', entry.request);
  show('.answer', entry.answer);
  const list = row.querySelector('.faults');
  list.replaceChildren(...(entry.faults ?? []).map((fault) => {
    const item = document.createElement('li');
    const text = document.createElement('bdi');
    item.className = 'tag';
    text.textContent = fault;
    item.append(text);
    return item;
  }));
  return row;
}

function tell() {
  let shown = 0;
  for (const row of rows.rows) {
    const fits = row.querySelector('.path').textContent.includes(path.value.trim());
    const struck = row.querySelector('.faults').children.length > 0;
    row.hidden = !(fits && (struck || !faults.checked));
    if (!row.hidden) shown += 1;
  }
  const all = rows.rows.length;
  const calls = all === 0 ? 'No call yet.' : `${shown} of ${all} calls.`;
  const older = dropped > 0 ? `${dropped} older ones are no longer kept.` : '';
  const text = [calls, older, paused ? 'Paused.' : trouble].filter(Boolean).join(' ');
  if (state.textContent !== text) state.textContent = text;
}

function take({ entries, last, dropped: gone, cleared: upTo }) {
  dropped = gone;
  cleared = upTo;
  if (last < newest) {
    // Numbers never go back: another double answers at this address now, and these are not its calls.
    rows.replaceChildren();
    newest = 0;
    return;
  }
  for (const row of [...rows.rows]) {
    if (Number(row.querySelector('.number').textContent) <= cleared) row.remove();
  }
  for (const entry of entries) {
    if (entry.number <= newest) continue;
    rows.prepend(rowOf(entry));
    newest = entry.number;
  }
  while (rows.rows.length > Number(table.rowsMax)) rows.lastElementChild.remove();
}

const wait = (millis) => new Promise((done) => { setTimeout(done, millis); });

async function follow() {
  for (;;) {
    const [asked, before] = [performance.now(), newest];
    const question = `since=${newest}&cleared=${cleared}&wait=${WAIT_SECONDS}s`;
    try {
      const answer = await fetch(`/twin/journal.json?${question}`);
      if (!answer.ok) throw new Error(`${answer.status}`);
      const news = await answer.json();
      while (paused) await resumed();
      take(news);
      trouble = '';
    } catch {
      trouble = 'The double does not answer; trying again.';
    }
    tell();
    const left = PAUSE_MILLIS - (performance.now() - asked);
    if (newest === before && left > 0) await wait(left);
  }
}

const resumed = () => new Promise((done) => {
  pause.addEventListener('click', done, { once: true });
});

pause.addEventListener('click', () => {
  paused = !paused;
  pause.setAttribute('aria-pressed', String(paused));
  pause.textContent = paused ? 'Resume' : 'Pause';
  tell();
});
document.querySelector('#filter').addEventListener('submit', (event) => event.preventDefault());
path.addEventListener('input', tell);
faults.addEventListener('change', tell);
document.querySelector('#apply').hidden = true;
pause.hidden = false;
tell();
follow();
