// SPDX-License-Identifier: MIT
/** What the component says; the property `messages` replaces any of it. */
export const MESSAGES = {
  joining: 'Joining the meeting…',
  left: 'You left the meeting.',
  'join-again': 'Join again',
  'try-again': 'Try again',
  unauthorized: 'You are not signed in. Sign in, then try again.',
  forbidden: 'You may not enter this meeting.',
  'not-found': 'This meeting does not exist.',
  'too-early': 'The meeting opens at {time}.',
  'waiting-for-moderator': 'The meeting has not started yet. Try again in a minute.',
  'visit-over': 'The meeting is over.',
  'visit-cancelled': 'The meeting was cancelled.',
  'too-many-requests': 'Too many people are joining at the moment. Try again in a minute.',
  unavailable: 'The meeting cannot be opened at the moment. Try again in a minute.',
  offline: 'No connection. Check your internet connection, then try again.',
  'not-loaded': 'The video did not load. Check your internet connection, then try again.',
  failed: 'The meeting cannot be opened because of an error on our side. Try again later.',
};
