// Runs clients/nextjs/route.js: each line of standard input is a list of cases, answered by a line
// with a list of answers. A case: {options, environ, method, request: {url, headers, body, stalls},
// session, sessionDelay, getters}; with `visit`, that is the route's parameter, and the route joins
// it; with `module`, an application's own route file, that is run instead. Or {fold: [names]}: answered by their folded names, null for those that have none.

import { createInterface } from 'node:readline';

import { foldedRoomName, jitsiRoute, joinRoute } from '../../clients/nextjs/route.js';

/** What identify() does in a case. */
function identity({ session, sessionDelay, getters }, identified) {
  return async (asked, roomName) => {
    identified.push({ roomName, cookie: asked.headers.get('cookie') });
    if (sessionDelay) {
      await new Promise((resolve) => setTimeout(resolve, sessionDelay).unref());
    }
    if (session === 'throws') {
      throw new Error('the session store is away');
    }
    return getters ? withGetters(session) : session;
  };
}

/** A person as an ORM has it: nothing is the object's own, all of it its class's. */
function withGetters(fields) {
  const getters = Object.entries(fields).map(([name, value]) => [name, { get: () => value }]);
  return Object.create(Object.defineProperties({}, Object.fromEntries(getters)));
}

function foldedOrNull(name) {
  try {
    return foldedRoomName(name);
  } catch {
    return null;
  }
}

/** A request as Next.js hands it on; with `stalls` its body never ends. */
function asRequest(method, { url, headers, body, stalls }) {
  const begun = new ReadableStream({
    start: (controller) => controller.enqueue(new TextEncoder().encode('{"roomName"')),
  });
  const sent = stalls ? begun : body;
  const withBody = method === 'POST' ? { body: sent, duplex: 'half' } : {};
  return new Request(url, { method, headers, ...withBody });
}

async function answerTo({ module, visit, options, environ, method, request, ...session }) {
  for (const name of Object.keys(process.env)) {
    delete process.env[name];
  }
  Object.assign(process.env, environ);
  const reports = [];
  const identified = [];
  try {
    const report = (sentence) => reports.push(sentence);
    const identify = identity(session, identified);
    const join = () =>
      joinRoute({
        report,
        ...options,
        identify: async (asked, { params }) => identify(asked, (await params).id),
      });
    const make = visit ? join : () => jitsiRoute({ report, ...options, identify });
    const route = module ? await import(module) : make();
    const context = { params: Promise.resolve({ id: visit }) };
    const response = await route[method](asRequest(method, request), context);
    return {
      status: response.status,
      headers: Object.fromEntries(response.headers),
      body: await response.text(),
      reports,
      identified,
    };
  } catch (error) {
    return { thrown: String(error), reports, identified };
  }
}

for await (const line of createInterface({ input: process.stdin })) {
  const answers = [];
  for (const one of JSON.parse(line)) {
    answers.push(one.fold ? one.fold.map(foldedOrNull) : await answerTo(one));
  }
  process.stdout.write(`${JSON.stringify(answers)}\n`);
}
