// SPDX-License-Identifier: MIT
/** What the browser gets where there is no token (RFC 9457). */

export const PROBLEM_TYPES = 'urn:jitsi-tokens:problem:';
export const NO_TOKEN = 'No token is available at the moment.';
const TITLES = {
  400: ['invalid-request', 'The request asks for what cannot be given'],
  401: ['unauthorized', 'Nobody is signed in'],
  403: ['forbidden', 'This is not allowed'],
  404: ['not-found', 'There is no such visit'],
  409: ['conflict', 'The visit does not allow this'],
  413: ['content-too-large', 'The request is too large'],
  415: ['unsupported-media-type', 'The request must be JSON'],
  429: ['too-many-requests', 'Too many requests'],
  500: ['internal-error', 'The route is not set up'],
  503: ['unavailable', 'No token is available at the moment'],
};

/** An answer without a token: what the browser gets, and what the operator reads. */
export class Refusal extends Error {
  /**
   * @param {number} status
   * @param {string} detail
   * @param {{ report?: string, retryAfter?: string | null, problem?: object | null }} [more]
   */
  constructor(status, detail, { report, retryAfter, problem } = {}) {
    super(detail);
    this.status = status;
    this.report = report;
    this.retryAfter = retryAfter;
    this.problem = problem;
  }
}

export function problemResponse({ status, message, retryAfter, problem }) {
  const [type, title] = TITLES[status];
  const document = { type: PROBLEM_TYPES + type, title, status, detail: message };
  // What is undefined in the problem leaves ours in place; JSON leaves out the rest.
  for (const [name, value] of Object.entries(problem ?? {})) {
    document[name] = value ?? document[name];
  }
  const headers = { 'Content-Type': 'application/problem+json' };
  if (retryAfter) {
    headers['Retry-After'] = retryAfter;
  }
  return json(status, document, headers);
}

export function json(status, document, headers = {}) {
  return new Response(JSON.stringify(document), {
    status,
    headers: { 'Content-Type': 'application/json', 'Cache-Control': 'no-store', ...headers },
  });
}
