// An application with Next.js' routes, as far as <JitsiMeeting> needs them: its page, what gives a
// token for a room, what joins a visit, and a path that hands on whatever the service answers. Who
// is signed in is said by the page's query.
//   node next_app.mjs BUNDLE, with JITSI_TOKENS_URL and JITSI_TOKENS_API_KEY

import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';

import { jitsiRoute, joinRoute } from '../../clients/nextjs/route.js';
import { currentUser, visitInRoom } from '../clients/session_standin.mjs';

const BUNDLE = readFileSync(process.argv[2]);
const PAGE = '<!doctype html><div id="root"></div><script src="/app.js"></script>';

const room = jitsiRoute({
  identify: async (request, roomName) => {
    const user = await currentUser(request);
    const visit = user && (await visitInRoom(roomName));
    return user && { userId: user.id, userName: user.name, isModerator: visit.hostId === user.id };
  },
});
const visit = joinRoute({
  identify: async (request, { params }) => {
    const user = await currentUser(request);
    const participantId = user?.id === 'u-7' ? 'doctor' : 'patient';
    return user && { visitId: (await params).id, participantId };
  },
});

async function answerTo(request, { pathname, searchParams }) {
  const id = /^\/api\/visits\/([^/]+)\/join$/.exec(pathname)?.[1];
  if (id) {
    return visit.POST(request, { params: Promise.resolve({ id }) });
  }
  switch (pathname) {
    case '/api/jitsi/jwt':
      return room.POST(request);
    case '/proxied':
      return fetch(process.env.JITSI_TOKENS_URL, { redirect: 'manual' });
    case '/app.js':
      return new Response(BUNDLE, { headers: { 'Content-Type': 'text/javascript' } });
    case '/': {
      const cookie = `user=${searchParams.get('user')}; HttpOnly`;
      return new Response(PAGE, { headers: { 'Content-Type': 'text/html', 'Set-Cookie': cookie } });
    }
    default:
      return new Response(null, { status: 404 });
  }
}

const server = createServer(async (incoming, outgoing) => {
  const url = new URL(incoming.url, `http://${incoming.headers.host}`);
  const body = incoming.method === 'POST' ? incoming : undefined;
  const { method, headers } = incoming;
  const request = new Request(url, { method, headers, body, duplex: 'half' });
  try {
    const response = await answerTo(request, url);
    outgoing.writeHead(response.status, Object.fromEntries(response.headers));
    outgoing.end(Buffer.from(await response.arrayBuffer()));
  } catch {
    outgoing.destroy();
  }
});
server.listen(0, '127.0.0.1', () => console.log(server.address().port));
