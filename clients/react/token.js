// SPDX-License-Identifier: MIT
/** How the component asks the application's route for a token, and for how long it tries. */

const TOTAL_MS = 30_000;
/** How long one request may take. The route gives up on the service after 10 seconds. */
export const ATTEMPT_MS = 12_000;
const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 8_000;
const KINDS = {
  401: 'unauthorized',
  403: 'forbidden',
  404: 'not-found',
  429: 'too-many-requests',
  502: 'unavailable',
  503: 'unavailable',
  504: 'unavailable',
};
const TRANSIENT = ['too-many-requests', 'unavailable', 'offline'];
const OF_A_VISIT = ['too-early', 'waiting-for-moderator', 'visit-over', 'visit-cancelled'];

/** Why there is no meeting: `kind` is a key of MESSAGES. */
export class NoMeeting extends Error {
  /**
   * @param {string} kind
   * @param {{ opensAt?: number, retryAfterMs?: number }} [more] `opensAt` in epoch seconds
   */
  constructor(kind, { opensAt, retryAfterMs = 0 } = {}) {
    super(kind);
    this.kind = kind;
    this.opensAt = opensAt;
    this.retryAfterMs = retryAfterMs;
  }
}

/**
 * Ask the route. Retries after 429, 502, 503, 504 and failed connections: after a random wait up to
 * a limit that doubles each time (full jitter), plus what Retry-After asks for. No wait begins that
 * would end after 30 seconds.
 *
 * @param {string} route
 * @param {object} body
 * @param {AbortSignal} signal ends the waits too: nothing is sent after it.
 * @returns {Promise<{ token: string, meetingUrl: string }>}
 * @throws {NoMeeting}
 */
export async function askForToken(route, body, signal) {
  const endsAt = performance.now() + TOTAL_MS;
  for (let limit = FIRST_WAIT_MS; ; limit = Math.min(2 * limit, LONGEST_WAIT_MS)) {
    try {
      return await attempt(route, body, signal);
    } catch (error) {
      const wait = Math.random() * limit + error.retryAfterMs;
      const isInTime = performance.now() + wait < endsAt;
      if (signal.aborted || !TRANSIENT.includes(error.kind) || !isInTime) {
        throw error;
      }
      await pause(wait, signal);
    }
  }
}

async function attempt(route, body, signal) {
  const own = new AbortController(); // many phones lack AbortSignal.any
  const stop = () => own.abort();
  const timer = setTimeout(stop, ATTEMPT_MS);
  signal.addEventListener('abort', stop);
  try {
    const response = await fetch(route, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify(body),
      redirect: 'manual',
      cache: 'no-store',
      signal: own.signal,
    });
    return meetingOf(response, parsed(await response.text()));
  } catch (error) {
    throw error instanceof NoMeeting ? error : new NoMeeting('offline');
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', stop);
  }
}

function meetingOf({ status, type, headers }, document) {
  if (status === 200 && typeof document?.token === 'string' && document.meetingUrl) {
    return document;
  }
  const problem = String(document?.type).split(':').pop();
  if (status === 409 && OF_A_VISIT.includes(problem)) {
    throw new NoMeeting(problem, document);
  }
  // Applications send people who are not signed in to a page where they can.
  const kind = type === 'opaqueredirect' ? 'unauthorized' : (KINDS[status] ?? 'failed');
  throw new NoMeeting(kind, { retryAfterMs: milliseconds(headers.get('retry-after')) });
}

/** Return what Retry-After asks for (RFC 9110, 10.2.3), or 0. */
function milliseconds(header) {
  const wait = /^\d+$/.test(header ?? '') ? header * 1000 : Date.parse(header) - Date.now();
  return Math.max(0, wait || 0);
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

function pause(wait, signal) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, wait);
    signal.addEventListener('abort', () => {
      clearTimeout(timer);
      reject(new NoMeeting('offline'));
    });
  });
}
