// SPDX-License-Identifier: MIT
'use client';
/** `<JitsiMeeting>`: a meeting in the page, with a token from the application's own route. */

import { JitsiMeeting as Frame } from '@jitsi/react-sdk';
import { createElement as h, useEffect, useRef, useState } from 'react';

import { MESSAGES } from './messages.js';
import { ATTEMPT_MS, NoMeeting, askForToken } from './token.js';

export { MESSAGES };

const BOX = { position: 'relative', height: '100%', minHeight: '480px' };
const FILLS_IT = { position: 'absolute', inset: 0 };

/** @param {import('./meeting.d.ts').JitsiMeetingProps} props */
export function JitsiMeeting({
  route = '/api/jitsi/jwt',
  roomName,
  userId,
  displayName,
  email,
  isModerator,
  sessionType,
  configOverwrite,
  messages,
  onApiReady,
  onMeetingEnd,
  ...rest
}) {
  // Empty while it joins, then { meeting }, { left: true } or { error }.
  const [{ meeting, left, error }, setState] = useState({});
  const [joins, setJoins] = useState(0);
  const box = useRef(null);
  const dispose = useRef(null);
  const ended = useRef(null);
  ended.current = onMeetingEnd;

  useEffect(() => {
    const controller = new AbortController();
    const { signal } = controller;
    const body = { userId, userName: displayName, userEmail: email, isModerator, roomName };
    const join = async () => {
      const { token, meetingUrl } = await askForToken(route, body, signal);
      const url = new URL(meetingUrl);
      await loadApi(new URL('external_api.js', url), signal);
      return { token, domain: url.host, roomName: url.pathname.slice(1) };
    };
    setState({});
    join().then(
      (joined) => signal.aborted || setState({ meeting: joined }),
      (reason) => signal.aborted || setState({ error: reason }),
    );
    return () => {
      controller.abort();
      dispose.current?.();
    };
  }, [route, roomName, joins]);

  /** Watch for the end, and take the frame away then. */
  const watch = (api) => {
    let loads = 0;
    dispose.current = () => {
      dispose.current = null;
      api.dispose();
    };
    const end = () => {
      if (dispose.current) {
        dispose.current();
        setState({ left: true });
        ended.current?.();
      }
    };
    api.on('readyToClose', end);
    api.on('participantKickedOut', ({ kicked }) => kicked?.local && end());
    // Jitsi may open its welcome page at the end, and where it reloads itself the token is lost.
    api.getIFrame().addEventListener('load', () => (loads += 1) > 1 && end());
    onApiReady?.(api);
  };

  const words = { ...MESSAGES, ...messages };
  const join = () => {
    box.current.focus(); // the button goes
    setJoins(joins + 1);
  };
  const screen = (state, role, text, label) =>
    h(
      'div',
      { ref: box, tabIndex: -1, className: 'jitsi-meeting', 'data-state': state, style: BOX },
      h('p', { role }, text),
      label && h('button', { type: 'button', style: { minHeight: 44 }, onClick: join }, label),
    );

  if (meeting) {
    const config = sessionType === 'audio' && { startAudioOnly: true, startWithVideoMuted: true };
    const frame = h(Frame, {
      ...rest,
      domain: meeting.domain,
      roomName: meeting.roomName,
      jwt: meeting.token,
      configOverwrite: { ...config, ...configOverwrite },
      getIFrameRef: (parent) => Object.assign(parent.style, FILLS_IT),
      onApiReady: watch,
    });
    return h('div', { className: 'jitsi-meeting', 'data-state': 'meeting', style: BOX }, frame);
  }
  if (left) {
    return screen('left', 'status', words.left, words['join-again']);
  }
  if (error) {
    const format = { dateStyle: 'medium', timeStyle: 'short' };
    const time = new Intl.DateTimeFormat(undefined, format).format((error.opensAt ?? 0) * 1000);
    const text = (words[error.kind] ?? words.failed).replace('{time}', time);
    return screen('failed', 'alert', text, words['try-again']);
  }
  return screen('joining', 'status', words.joining);
}

/**
 * Load Jitsi's script. @jitsi/react-sdk would too, but tells nobody when that fails, and does not
 * try again; it takes the one that is there.
 */
function loadApi(url, signal) {
  return new Promise((resolve, reject) => {
    if (window.JitsiMeetExternalAPI) {
      resolve();
      return;
    }
    const script = document.createElement('script');
    const failed = () => {
      clearTimeout(timer);
      script.remove();
      reject(new NoMeeting('not-loaded'));
    };
    const timer = setTimeout(failed, ATTEMPT_MS);
    signal.addEventListener('abort', failed);
    script.onerror = failed;
    script.onload = () => {
      clearTimeout(timer);
      resolve();
    };
    script.src = url.href;
    document.head.append(script);
  });
}
