// SPDX-License-Identifier: MIT
/** The room's name. */

import { Refusal } from './problem.js';

/**
 * The form in which Jitsi compares rooms, getBackendSafeRoomName in jitsi-meet: `Visit 7` and
 * `visit%207` are one room, `visit%207`.
 *
 * @param {string} name
 * @returns {string}
 * @throws {URIError} it holds a lone surrogate.
 */
export function foldedRoomName(name) {
  let decoded = name;
  try {
    decoded = decodeURIComponent(name);
  } catch {
    // A per cent sign that begins no escape: Jitsi leaves the name as it is.
  }
  return encodeURIComponent(decoded.normalize('NFKC').toLowerCase()).toLowerCase();
}

/** Return the room to ask about and for: the service folds it again, and must find the same. */
export function roomOf(name) {
  if (typeof name !== 'string' || name === '') {
    throw badRoom('must be a string, not empty.');
  }
  let room;
  try {
    room = foldedRoomName(name);
  } catch {
    throw badRoom('must not hold lone surrogates.');
  }
  if (foldedRoomName(room) !== room) {
    throw badRoom('has no stable form: Jitsi would compute another room from its own URL.');
  }
  return room;
}

function badRoom(detail) {
  const problem = { errors: [{ pointer: '/roomName', detail }] };
  return new Refusal(400, `roomName ${detail}`, { problem });
}
