// SPDX-License-Identifier: MIT
/**
 * Route handlers for Next.js' App Router: POST gives the signed-in person a meeting token, for a
 * room or for a visit, GET says whether tokens can be had. They need nothing but Node 18.
 */

import { Refusal, json, problemResponse } from './problem.js';
import { mediaType, parsedJson, parsedUrl, picked, readAtMost } from './reading.js';
import { roomOf } from './room.js';
import { ask, checkedKey, refused, serviceAt } from './service.js';

export { foldedRoomName } from './room.js';

const BODY_BYTES = 16 * 1024;
const FROM_THE_BROWSER = ['roomName', 'expirationSeconds', 'notBefore', 'features'];
const TIMES = ['expirationSeconds', 'notBefore'];
const OF_A_PERSON = ['userId', 'userName', 'userEmail', 'userAvatar', 'isModerator', 'features'];
const FROM_IDENTIFY = [...OF_A_PERSON, ...TIMES, 'browserTimes'];
const OF_A_TOKEN = {
  token: 'string',
  expiresAt: 'number',
  notBefore: 'number',
  meetingUrl: 'string',
  roomName: 'string',
};

/**
 * Make the handlers for `app/api/jitsi/jwt/route.js`.
 *
 * @type {typeof import('./route.d.ts').jitsiRoute}
 */
export function jitsiRoute(options) {
  const { identify, url, apiKey } = options;
  const { ownOrigin, answered } = prepared(options, 'jitsiRoute');

  /** Who asks for what, by the browser and the application. */
  const read = async (request) => {
    const asked = await readBody(request);
    const person = allowed(await identify(request, asked.roomName));
    return tokenRequest(asked, checkedPerson(person));
  };

  return {
    GET: () =>
      answered(async (signal) => {
        const service = await serviceAt(url);
        const answer = await ask(service, { method: 'GET' }, signal);
        const configured = answer.document?.configured;
        if (answer.status !== 200 || typeof configured !== 'boolean') {
          throw refused(answer, service, 'whether it is configured');
        }
        return { configured };
      }),

    POST: (request) =>
      answered(async (signal) => {
        checkOrigin(request, ownOrigin);
        const wanted = await until(signal, read(request));
        const service = { ...(await serviceAt(url)), key: await checkedKey(apiKey) };
        const sent = { method: 'POST', body: JSON.stringify(wanted) };
        const answer = await ask(service, sent, signal);
        return token(answer, service, wanted.roomName);
      }),
  };
}

/**
 * Make the handler of a route that joins a visit, `app/api/visits/[id]/join/route.js` for instance.
 * Of the browser's request it reads nothing: the application says which visit, and who in it.
 *
 * @type {typeof import('./route.d.ts').joinRoute}
 */
export function joinRoute(options) {
  const { identify, url, apiKey } = options;
  const { ownOrigin, answered } = prepared(options, 'joinRoute');
  const read = async (request, context) => joinPath(allowed(await identify(request, context)));

  return {
    POST: (request, context) =>
      answered(async (signal) => {
        checkOrigin(request, ownOrigin);
        const path = await until(signal, read(request, context));
        const service = { ...(await serviceAt(url, path)), key: await checkedKey(apiKey) };
        return token(await ask(service, { method: 'POST' }, signal), service);
      }),
  };
}

/** Return what the options of a route come to: its origin, and how it answers. */
function prepared(options, name) {
  const {
    identify,
    origin,
    timeoutSeconds = 10,
    report = (sentence) => console.error(`jitsi-tokens: ${sentence}`),
  } = options;
  if (typeof identify !== 'function') {
    throw new TypeError(`${name} needs identify, a function that says who is asking.`);
  }

  /** @param {(signal: AbortSignal) => Promise<object>} answer */
  const answered = async (answer) => {
    try {
      return json(200, await answer(AbortSignal.timeout(timeoutSeconds * 1000)));
    } catch (error) {
      if (!(error instanceof Refusal)) {
        throw error;
      }
      if (error.report) {
        report(error.report);
      }
      return problemResponse(error);
    }
  };
  return { ownOrigin: origin === undefined ? null : originOf(origin, name), answered };
}

/** Return whom identify() names, or refuse. */
function allowed(identity) {
  if (identity === null || identity === undefined) {
    throw new Refusal(401, 'Sign in first.');
  }
  if (identity === false) {
    throw new Refusal(403, 'You may not enter this room.');
  }
  return identity;
}

/** Return the service's path for a participant of a visit, with ids that cannot change it. */
function joinPath({ visitId, participantId }) {
  const isId = (id) => typeof id === 'string' && /^[A-Za-z0-9][\w.-]*$/.test(id);
  if (![visitId, participantId].every(isId)) {
    throw new Refusal(500, 'The visit could not be read.', {
      report: 'identify() must return visitId and participantId, as the service knows them.',
    });
  }
  return `/api/visits/${visitId}/participants/${participantId}/join`;
}

/** Return the option `origin` as browsers write it. */
function originOf(text, name) {
  const url = parsedUrl(text);
  if (!/^https?:$/.test(url?.protocol) || url.href !== `${url.origin}/`) {
    throw new TypeError(`${name} needs an origin like https://app.example, or none.`);
  }
  return url.origin;
}

/** Refuse what another site's page has the browser send. */
function checkOrigin(request, ownOrigin) {
  const site = request.headers.get('sec-fetch-site');
  if (site !== null) {
    if (site !== 'same-origin') {
      throw new Refusal(403, 'This request comes from another site.');
    }
    return;
  }
  const from = parsedUrl(request.headers.get('origin'));
  const host = request.headers.get('host') ?? new URL(request.url).host;
  if (!from?.host || (ownOrigin ? from.origin !== ownOrigin : from.host !== host)) {
    throw new Refusal(403, 'This request does not say that it comes from this site.');
  }
}

/** Read what the browser asks for; of its fields the four that may count. */
async function readBody(request) {
  if (mediaType(request) !== 'application/json') {
    throw new Refusal(415, 'Send application/json.');
  }
  const bytes = await readAtMost(request, BODY_BYTES).catch(() => {
    throw new Refusal(400, 'The body did not arrive whole.');
  });
  if (!bytes) {
    throw new Refusal(413, `Send at most ${BODY_BYTES} bytes.`);
  }
  const body = parsedJson(bytes);
  if (body === null || typeof body !== 'object' || Array.isArray(body)) {
    throw new Refusal(400, 'Send a JSON object.');
  }
  const asked = picked(body, FROM_THE_BROWSER);
  return { ...asked, roomName: roomOf(asked.roomName) };
}

/** Return what a promise gives, or give up when the time is over. */
function until(signal, promise) {
  return new Promise((resolve, reject) => {
    const over = () => reject(new Refusal(503, 'It took too long.'));
    signal.addEventListener('abort', over, { once: true });
    promise.then(resolve, reject);
  });
}

/** Return what identify() says of a person; complain of another form, without repeating it. */
function checkedPerson(from) {
  const person = picked(from, FROM_IDENTIFY);
  const isText = (name) => typeof person[name] === 'string';
  const isTime = (name) => person[name] === undefined || Number.isSafeInteger(person[name]);
  const wrong =
    typeof from !== 'object'
      ? 'an object, null or false'
      : !['userId', 'userName'].every(isText)
        ? 'userId and userName, strings that are not empty'
        : typeof person.isModerator !== 'boolean'
          ? 'isModerator, true or false'
          : !TIMES.every(isTime) && 'notBefore and expirationSeconds as whole numbers, or not';
  if (wrong) {
    throw new Refusal(500, 'Who is signed in could not be read.', {
      report: `identify() must return ${wrong}.`,
    });
  }
  return person;
}

/** Return what the service is asked: what identify() says wins over the browser. */
function tokenRequest({ roomName, features, ...times }, { browserTimes, ...person }) {
  // One time of each would be a short token that begins, and outlives its right, days ahead.
  const timesCount = browserTimes === true && !TIMES.some((name) => name in person);
  return {
    roomName,
    features: person.isModerator ? features : switchedOff(features),
    ...(timesCount && times),
    ...person,
  };
}

/** Return features of which none is on; what is no object is for the service to refuse. */
function switchedOff(features) {
  if (typeof features !== 'object' || Array.isArray(features)) {
    return features;
  }
  const switches = Object.entries(features);
  return Object.fromEntries(
    switches.map(([name, value]) => [name, value === true ? false : value]),
  );
}

/** Return the service's token for a room, or for whatever room a visit has; refuse all else. */
function token(answer, service, room) {
  const { status, document } = answer;
  const isToken =
    document !== null &&
    typeof document === 'object' &&
    Object.entries(OF_A_TOKEN).every(([name, type]) => typeof document[name] === type) &&
    /^[\w-]+\.[\w-]+\.[\w-]+$/.test(document.token) &&
    (room === undefined || document.roomName === room);
  if (status !== 200 || !isToken) {
    throw refused(answer, service, 'a token for the room');
  }
  return picked(document, Object.keys(OF_A_TOKEN));
}
