// SPDX-License-Identifier: MIT
/** What requests and answers hold. */

/** Return what a request or an answer says that its body is. */
export function mediaType({ headers }) {
  return (headers.get('content-type') ?? '').split(';')[0].trim().toLowerCase();
}

/** Return a body's bytes, or null where it is too long. */
export async function readAtMost(message, limit) {
  const chunks = [];
  let length = 0;
  for await (const chunk of message.body ?? []) {
    length += chunk.byteLength;
    if (length > limit) {
      return null;
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** Return the JSON value that bytes hold, or null. */
export function parsedJson(bytes) {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    return null;
  }
}

/** Return an object's named fields, getters of its class too; the empty ones are left out. */
export function picked(from, names) {
  const fields = names.map((name) => [name, from[name]]);
  return Object.fromEntries(fields.filter(([, value]) => (value ?? '') !== ''));
}

/** @returns {URL | null} */
export function parsedUrl(text) {
  try {
    return new URL(text);
  } catch {
    return null;
  }
}
