// Stands in for lib/session.js of docs/migrating.md's example: who is signed in is said by the
// cookie, and visits are found by their rooms, as Jitsi folds their names. Mallory has visits whose
// names fold to the room of Jane's.

const USERS = {
  jane: { id: 'u-7', name: 'Dr. Jane Smith' },
  john: { id: 'u-8', name: 'John Doe' },
  mallory: { id: 'u-9', name: 'Mallory' },
};
const OF_MALLORY = { hostId: 'u-9', guestIds: [] };
const VISITS = new Map([
  ['session-123', { hostId: 'u-7', guestIds: ['u-8'] }],
  ['visit%20room%207', { hostId: 'u-7', guestIds: [] }],
  ['Session-123', OF_MALLORY],
  ['session%2D123', OF_MALLORY],
]);

/** @param {Request} request */
export async function currentUser(request) {
  const name = /(?:^|; )user=(\w+)/.exec(request.headers.get('cookie') ?? '')?.[1];
  return USERS[name] ?? null;
}

/** @param {string} roomName */
export async function visitInRoom(roomName) {
  return VISITS.get(roomName) ?? null;
}
