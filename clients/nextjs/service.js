// SPDX-License-Identifier: MIT
/** The token service: where it is, what it is asked, and what its answers mean. */

import { NO_TOKEN, PROBLEM_TYPES, Refusal } from './problem.js';
import { mediaType, parsedJson, parsedUrl, readAtMost } from './reading.js';

const PATH = '/api/jitsi/jwt';
// People paste the address of the request.
const PASTED = new RegExp(`(?<!:/)${PATH}/*([?#].*)?$`, 's');
const ANSWER_BYTES = 64 * 1024;
const TEXT_CHARACTERS = 300;

/** Return the address of one of the service's paths, checked, and its host's name. */
export async function serviceAt(given, path = PATH) {
  const text = trimmed(given ?? (await fromEnvironment('JITSI_TOKENS_URL'))).replace(PASTED, '');
  const url = parsedUrl(text);
  const isLoopback = /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/.test(url?.hostname);
  const flaws = {
    'holds blanks, control characters or backslashes.': /[\s\\\p{Cc}]/u.test(text),
    'must begin with https:// and a host name.': !/^https?:\/\/[^/?#]/i.test(text),
    'is malformed.': !url,
    'holds a user name or password: leave them out.': /^\w+:\/\/[^/]*@/.test(text),
    'must end with its path: leave out what follows ? or #.': /[?#]/.test(text),
    'must be https: it would show the API key to others.': url?.protocol === 'http:' && !isLoopback,
  };
  const flaw = Object.keys(flaws).find((sentence) => flaws[sentence]);
  if (flaw) {
    throw unset(`The service's address (JITSI_TOKENS_URL) ${flaw}`);
  }
  return { endpoint: text.replace(/\/+$/, '') + path, path, host: url.hostname };
}

export async function checkedKey(given) {
  const name = 'JITSI_TOKENS_API_KEY';
  const key = trimmed(given ?? (await fromEnvironment(name)));
  if (!/^[\x21\x23-\x26\x28-\x7e]+$/.test(key)) {
    throw unset(`The API key (${name}) must be printable ASCII without blanks or quotes.`);
  }
  return key;
}

/** Return a variable's value, or the content of the file that its _FILE names. */
async function fromEnvironment(name) {
  const value = trimmed(process.env[name] ?? '');
  const file = trimmed(process.env[`${name}_FILE`] ?? '');
  if (value && file) {
    throw unset(`${name} and ${name}_FILE are both set: set one of them.`);
  }
  if (!value && !file) {
    throw unset(`${name} is not set (nor ${name}_FILE).`);
  }
  if (value) {
    return value;
  }
  const { readFile } = await import('node:fs/promises');
  const content = await readFile(file, 'utf8').catch(() => {
    throw unset(`The file that ${name}_FILE names cannot be read.`);
  });
  if (!trimmed(content)) {
    throw unset(`The file that ${name}_FILE names is empty.`);
  }
  return trimmed(content);
}

/** Return a value without what editors and pipes put around it: echo ends it with a line break. */
function trimmed(value) {
  return value.replace(/^\ufeff/, '').replace(/^[ \t\n\v\f\r]+|[ \t\n\v\f\r]+$/g, '');
}

/** What is not set up is for the operator; the browser only learns that there is no token. */
function unset(sentence) {
  return new Refusal(503, 'Video visits are not set up on this server.', { report: sentence });
}

/**
 * Ask the service once.
 *
 * @returns {Promise<{ status: number, type: string, retryAfter: string | null, document: any }>}
 */
export async function ask({ endpoint, host, key }, { method, body }, signal) {
  const headers = {
    Accept: 'application/json, application/problem+json',
    'User-Agent': 'jitsi-tokens-nextjs/0.1.0',
    ...(key && { Authorization: `Bearer ${key}` }),
    ...(body && { 'Content-Type': 'application/json' }),
  };
  try {
    const sent = { method, headers, body, signal, redirect: 'manual', cache: 'no-store' };
    const response = await fetch(endpoint, sent);
    const bytes = await readAtMost(response, ANSWER_BYTES);
    return {
      status: response.status,
      type: mediaType(response),
      retryAfter: response.headers.get('retry-after'),
      document: bytes && parsedJson(bytes),
    };
  } catch (error) {
    // The error's own text is not told: it can repeat what was sent. Its code is, ECONNREFUSED.
    const code = /^[A-Z][A-Z\d_]+$/.test(error.cause?.code) ? `: ${error.cause.code}` : '';
    throw new Refusal(503, NO_TOKEN, {
      report: `${host} does not answer (${signal.aborted ? 'timed out' : `no connection${code}`}).`,
    });
  }
}

/** Return the browser's answer where the service did not give what is wanted. */
export function refused({ status, type, retryAfter, document }, { path, host, key }, wanted) {
  const problem = type === 'application/problem+json' ? shownProblem(document, key) : null;
  const wait = /^\d{1,5}$/.test(retryAfter ?? '') ? retryAfter : null;
  // Of a visit it was the application that asked: what is wrong with that is for the operator.
  const forTheBrowser = path === PATH ? [400, 403, 413, 415] : [403, 404, 409];
  if (problem && forTheBrowser.includes(status)) {
    return new Refusal(status, NO_TOKEN, { problem });
  }
  if (status === 429 || status === 503) {
    return new Refusal(status, NO_TOKEN, { problem, retryAfter: wait });
  }
  return new Refusal(503, NO_TOKEN, {
    retryAfter: wait,
    report: complaint(status, host, wanted),
  });
}

/** Return the operator's message about an answer that is no use. */
function complaint(status, host, wanted) {
  if (status === 401) {
    return `${host} does not accept the API key.`;
  }
  if (status === 403) {
    return `${host} does not allow this: a firewall or the address's own access list.`;
  }
  if (status === 200) {
    return `${host} answered HTTP 200 with something other than ${wanted}: is the address right?`;
  }
  if ([404, 405].includes(status) || Math.floor(status / 100) === 3) {
    return `There is no token service at this address (${host}, HTTP ${status}).`;
  }
  return `${host} failed (HTTP ${status}).`;
}

/** Return what may be shown of a problem document of the service's, or null. */
function shownProblem(document, key) {
  if (typeof document?.type !== 'string' || !document.type.startsWith(PROBLEM_TYPES)) {
    return null;
  }
  const shown = (from, names) => names.map((name) => [name, shownText(from?.[name], key)]);
  const problem = Object.fromEntries(shown(document, ['type', 'title', 'detail']));
  if (Array.isArray(document.errors)) {
    const errors = document.errors.slice(0, 20);
    problem.errors = errors.map((error) => Object.fromEntries(shown(error, ['pointer', 'detail'])));
  }
  if (Number.isSafeInteger(document.opensAt)) {
    problem.opensAt = document.opensAt;
  }
  return problem;
}

/** Return a text without what is secret, or nothing. */
function shownText(text, key) {
  if (typeof text !== 'string' || (key && text.includes(key)) || /eyJ[\w-]{8}|jtv_/.test(text)) {
    return undefined;
  }
  return text.slice(0, TEXT_CHARACTERS).replace(/\p{Cc}/gu, ' ');
}
