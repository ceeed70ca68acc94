// The waiting page: it asks how the visit is, shows it in words, and opens Jitsi at a click.
// ES2017. The link is never sent but in the bodies of the two questions, and never stored.
(function () {
  'use strict';

  const CATALOGUES = JSON.parse(document.getElementById('languages').textContent);
  const LINK = /jtv_[0-9A-Za-z]{33}/;
  // What a mail program puts where it breaks a line: blanks, =, >, characters that nobody sees.
  const BREAKS = /[\s=>\u00ad\u200b-\u200d\u2060]+/g;
  const JITSI = {
    frame: 'config.prejoinConfig.enabled=false&config.deeplinking.disabled=true' +
      '&jitsi_meet_external_api_id=1',
    scope: 'jitsi_meet_external_api_1',
    allow: 'camera; microphone; display-capture; autoplay; clipboard-write; fullscreen',
    silentSeconds: 20,
  };
  const HOUR = 3600;
  const OVERDUE_SECONDS = 300;
  const DEVICES_SECONDS = 20;
  const PREVIEW_SECONDS = 10;
  const LONGEST_PAUSE_SECONDS = 60;
  const REFUSALS = {
    'link-invalid': 'invalid',
    'link-replaced': 'replaced',
    'visit-interrupted': 'interrupted',
  };
  const BEFORE = ['early', 'soon', 'waiting', 'overdue', 'late'];
  const AWAKE = ['soon', 'waiting', 'overdue', 'late', 'ready', 'call'];
  const WITH_CALL = [
    'waiting', 'overdue', 'late', 'by-phone', 'over', 'cancelled', 'replaced', 'interrupted',
  ];
  const ANNOUNCED_MINUTES = [1, 5, 10];

  const page = Array.from(crypto.getRandomValues(new Uint8Array(12)),
    (byte) => byte.toString(16).padStart(2, '0')).join('');
  const base = location.pathname.replace(/^(.*\/join)(\/.*)?$/, '$1');

  let link = '';
  let answer = null; // of status, the last one
  let refusal = ''; // the screen of a refusal
  let contact = null;
  let clock = null; // the service's time, and when by this page's own clock it was told
  let firstStart = null;
  let asked = 0;
  let failures = 0;
  let finished = false;
  let left = ''; // 'left.title' or 'left.tab'
  let call = null; // {frame, origin, heard, silent, loads}
  let entering = false;
  let enterFailed = false;
  let pasteFailed = false;
  let copied = false;
  let devices = ''; // the outcome of the check, or 'asking'
  let stream = null;
  let sound = null;
  let language = '';
  let languageChosen = false;
  let lastMinutes = Infinity;
  let shown = 'loading';

  let header, main, content, preview, actions, room, footer, news;
  let general = []; // what the operator wrote for screens that know no clinic

  // Words

  function pick(tags) {
    for (const tag of tags) {
      const found = String(tag || '').toLowerCase().split('-')[0];
      if (CATALOGUES[found]) { return found; }
    }
    return 'en';
  }

  function preferred() {
    return [answer && answer.language].concat(navigator.languages || navigator.language);
  }

  // The tag that knows more than the catalogue's: en-US writes times as en-GB does not.
  function locale() {
    const isOne = (tag) => {
      try {
        return tag && Intl.getCanonicalLocales(tag)[0].split('-')[0] === language;
      } catch (error) {
        return false;
      }
    };
    return preferred().find(isOne) || language;
  }

  function text(key) { return CATALOGUES[language][key]; }

  function plain(key, values) {
    return text(key).replace(/\*/g, '').replace(/\{(\w+)\}/g, (_, name) => values[name]);
  }

  // {name} is a value, and text between two stars is strong.
  function words(key, values) {
    const parts = (part) => part.split(/(\{\w+\})/).filter(Boolean).map((piece) =>
      (/^\{\w+\}$/.test(piece) ? el('bdi', {}, [values[piece.slice(1, -1)]]) : piece));
    return text(key).split('*').reduce((nodes, part, index) =>
      nodes.concat(index % 2 ? el('strong', {}, parts(part)) : parts(part)), []);
  }

  function el(tag, attributes, children) {
    const node = document.createElement(tag);
    Object.keys(attributes).forEach((name) => {
      if (attributes[name] !== null) { node.setAttribute(name, attributes[name]); }
    });
    node.append(...(children || []));
    return node;
  }

  // Times: epoch seconds by the service's clock; the device's may be wrong by hours.

  function now() {
    return clock ? clock.time + (performance.now() - clock.at) / 1000 : Date.now() / 1000;
  }

  function format(seconds, options, zone) {
    const date = new Date(seconds * 1000);
    try {
      return new Intl.DateTimeFormat(locale(), Object.assign({ timeZone: zone }, options))
        .format(date);
    } catch (error) { // a zone that this browser does not know yet
      return new Intl.DateTimeFormat(language, options).format(date);
    }
  }

  const CLOCK = { hour: 'numeric', minute: '2-digit' };
  const DAY = { weekday: 'long', day: 'numeric', month: 'long' };
  const WALL = Object.assign({}, DAY, CLOCK);

  function clockTime(seconds, zone) {
    return plain('time', { time: format(seconds, CLOCK, zone) });
  }

  function dayAndTime(seconds, zone) {
    const isFar = Math.abs(seconds - now()) > 300 * 24 * HOUR;
    const options = Object.assign({}, WALL, isFar ? { year: 'numeric' } : {});
    return plain('time', { time: format(seconds, options, zone) });
  }

  function briefly(seconds, zone) {
    const isToday = format(seconds, DAY, zone) === format(now(), DAY, zone);
    return (isToday ? clockTime : dayAndTime)(seconds, zone);
  }

  function zoneName(seconds, zone) {
    for (const timeZoneName of ['longGeneric', 'long']) {
      try {
        return new Intl.DateTimeFormat(locale(), { timeZone: zone, timeZoneName })
          .formatToParts(new Date(seconds * 1000))
          .find((part) => part.type === 'timeZoneName').value;
      } catch (error) { /* an older browser has no generic names */ }
    }
    return zone;
  }

  function minutesWords(minutes) {
    return new Intl.NumberFormat(locale(), { style: 'unit', unit: 'minute', unitDisplay: 'long' })
      .format(minutes);
  }

  // What is shown

  function startTime() { return answer.startsAt + answer.delayMinutes * 60; }

  function minutesLeft() { return Math.max(1, Math.ceil((answer.opensAt - now()) / 60)); }

  function screenName() {
    if (call) { return 'call'; }
    if (finished) { return 'finished'; }
    if (!link) { return 'incomplete'; }
    if (failures > 1) { return 'offline'; }
    if (refusal) { return refusal; }
    if (!answer) { return 'loading'; }
    if (answer.status === 'cancelled') { return 'cancelled'; }
    if (answer.status === 'over') { return answer.because === 'by-phone' ? 'by-phone' : 'over'; }
    if (answer.canEnter) { return left ? 'left' : 'ready'; }
    if (answer.status === 'scheduled') {
      return answer.opensAt - now() > HOUR ? 'early' : 'soon';
    }
    if (now() >= startTime() + OVERDUE_SECONDS) { return 'overdue'; }
    return answer.delayMinutes ? 'late' : 'waiting';
  }

  function valuesOf(name) {
    const all = { clinic: contact ? contact.name : '' };
    if (!answer) { return all; }
    const zone = answer.timeZone;
    all.host = answer.hostName;
    all.user = answer.userName;
    all.minutes = minutesWords(name === 'soon' ? minutesLeft() : answer.delayMinutes);
    all.when = (name === 'early' ? dayAndTime : briefly)(timeOf(name), zone);
    return all;
  }

  // The time that a screen tells.
  function timeOf(name) {
    if (name === 'left') { return answer.closesAt; }
    return name === 'overdue' ? startTime() : answer.startsAt;
  }

  function titleKey(name) {
    if (name === 'ready' && (answer.isModerator || answer.status !== 'live')) {
      return 'ready.open';
    }
    return name === 'left' ? left : name + '.title';
  }

  function draw() {
    const name = screenName();
    const isNew = name !== shown;
    const given = valuesOf(name);
    const focused = document.activeElement;
    const before = sentences(name);
    document.documentElement.lang = language;
    document.documentElement.dir = text('dir');
    document.body.classList.toggle('in-call', name === 'call');
    main.dataset.screen = name;
    if (isNew) {
      leaveScreen(name);
      content.replaceChildren();
    }
    const [nodes, buttons] = name === 'call' ? [bar(), []] : parts(name, given);
    replace(content, nodes);
    replace(actions, buttons);
    drawClinic();
    drawFooter();
    const heading = content.querySelector('h1');
    document.title = [heading.textContent, given.clinic || text('title')].join(' – ');
    if (isNew) {
      shown = name;
      announce(heading.textContent);
      heading.focus();
      scrollTo(0, 0);
    } else {
      const changed = sentences(name).filter((each) => !before.includes(each));
      if (changed.length) { announce(changed.join(' ')); }
      if (!focused.isConnected) {
        const again = focused.tagName === 'H1' ? heading :
          document.querySelector('[data-action="' + focused.dataset.action + '"]');
        if (again) { again.focus(); }
      }
    }
    countDown(name);
    keepAwake();
  }

  // What is the same stays, with the focus in it.
  function replace(old, nodes) {
    const [is, was] = [Array.from(el('div', {}, nodes).childNodes), Array.from(old.childNodes)];
    if (is.length !== was.length) {
      old.replaceChildren(...is);
      return;
    }
    is.forEach((node, index) => {
      if (!node.isEqualNode(was[index])) { was[index].replaceWith(node); }
    });
  }

  // What is announced when it changes; the minutes of 'soon' are counted down.
  function sentences(name) {
    const which = name === 'soon' ? '[data-notice]' : 'h1, [data-notice]';
    return Array.from(content.querySelectorAll(which), (each) => each.textContent);
  }

  function parts(name, given) {
    const nodes = [];
    if (AWAKE.includes(name) && name !== 'ready' || name === 'offline' || name === 'loading') {
      nodes.push(el('span', { class: 'pulse' }));
    }
    nodes.push(el('h1', { tabindex: '-1' }, words(titleKey(name), given)));
    if (CATALOGUES.en[name + '.text']) {
      nodes.push(el('p', {}, words(name + '.text', given)));
    }
    if (answer && !refusal && name !== 'offline') { nodes.push(...besides(name)); }
    if (name === 'incomplete' || name === 'invalid') { nodes.push(...pasting()); }
    const trouble = name === 'ready' && ['none', 'denied', 'hanging', 'blocked'].includes(devices);
    if (trouble) { nodes.push(devicesOutcome()); }
    if (enterFailed && (name === 'ready' || name === 'left')) {
      nodes.push(notice('enter-failed', 'enter.failed', {}));
    }
    const actions = [];
    if (name === 'ready' || name === 'left') {
      actions.push(enterButton(name === 'left' ? 'enter.again' :
        trouble ? 'enter.anyway' : 'enter.now'));
    }
    if (WITH_CALL.includes(name) && contact) {
      actions.push(callLink(!BEFORE.includes(name) && name !== 'by-phone'));
    }
    if (BEFORE.includes(name)) {
      if (name !== 'early' && (window.AudioContext || window.webkitAudioContext)) {
        actions.push(button('sound', sound ? 'sound.off' : 'sound.on'));
      }
      const isTesting = devices === 'asking';
      if (isTesting) {
        nodes.push(el('p', { class: 'notice' }, words('devices.asking')));
      } else if (devices) {
        nodes.push(devicesOutcome());
      }
      actions.push(button('test-devices',
        devices && !isTesting ? 'devices.again' : 'devices.test', isTesting));
    }
    if (name === 'left' || name === 'over') { actions.push(button('finish', 'finish')); }
    return [nodes, actions];
  }

  function besides(name) {
    const nodes = [];
    const zone = answer.timeZone;
    const time = timeOf(name);
    const isElsewhere = format(time, WALL, zone) !== format(time, WALL);
    if (isElsewhere && ['early', 'soon', 'overdue', 'left'].includes(name)) {
      const isSameDay = format(time, DAY, zone) === format(time, DAY);
      nodes.push(el('p', {}, words('zone', {
        zone: zoneName(time, zone), when: (isSameDay ? clockTime : dayAndTime)(time),
      })));
    }
    if (answer.delayMinutes && (name === 'early' || name === 'soon')) {
      nodes.push(notice('late', 'late.notice',
        { host: answer.hostName, minutes: minutesWords(answer.delayMinutes) }));
    }
    if (answer.startsAt !== firstStart && BEFORE.includes(name)) {
      nodes.push(notice('moved', 'moved', { when: dayAndTime(answer.startsAt, zone) }));
    }
    return nodes;
  }

  function notice(name, key, given) {
    return el('p', { class: 'notice', 'data-notice': name }, words(key, given));
  }

  function button(action, key, isDisabled) {
    return el('button', {
      type: 'button', 'data-action': action, 'aria-disabled': isDisabled ? 'true' : null,
    }, words(key, {}));
  }

  function enterButton(key) {
    const made = button('enter', entering ? 'enter.wait' : key, entering);
    made.className = 'main';
    return made;
  }

  function callLink(isMain) {
    const [before, after] = text('call').split('{phone}');
    return el('a', {
      class: isMain ? 'button main' : 'button', 'data-action': 'call', href: telUrl(),
    }, [el('span', {}, [before, number(), after])]);
  }

  function number() { return el('bdi', { dir: 'ltr', class: 'number' }, [contact.phone]); }

  // The zero of +43 (0)1 is not dialled with the country's number before it.
  function telUrl() {
    return 'tel:' + contact.phone.replace(/^(\s*\+.*?)\(0\)/, '$1').replace(/[^+0-9*#,]/g, '');
  }

  function pasting() {
    return [el('form', {}, [
      el('label', { for: 'pasted' }, words('paste.label')),
      el('input', {
        id: 'pasted', type: 'text', autocomplete: 'off', autocapitalize: 'none',
        spellcheck: 'false', 'aria-describedby': pasteFailed ? 'paste-failed' : null,
        'aria-invalid': pasteFailed ? 'true' : null,
      }),
      ...(pasteFailed ? [el('p', { id: 'paste-failed', class: 'notice', role: 'alert' },
        words('paste.failed'))] : []),
      el('button', { type: 'submit', class: 'main', 'data-action': 'paste' },
        words('paste.button')),
    ])];
  }

  function devicesOutcome() {
    const children = [el('p', {}, words('devices.' + devices))];
    if (devices === 'hanging' || devices === 'blocked') {
      children.push(copied ? el('p', { role: 'status' }, words('copy.done')) :
        button('copy-link', 'copy.link'));
    }
    return el('div', { class: 'devices', 'data-devices': devices }, children);
  }

  function bar() {
    const nodes = [el('a', { href: telUrl() }, [number()])];
    const own = button('open-tab', 'open-tab', entering);
    if (call.silent && !call.heard) {
      own.className = 'main';
      nodes.unshift(notice('silent', 'silent', {}));
    }
    if (answer.status === 'over' && answer.because === 'by-phone') {
      nodes.unshift(notice('by-phone', 'by-phone.title', { host: answer.hostName }));
    }
    if (enterFailed) { nodes.unshift(notice('enter-failed', 'enter.failed', {})); }
    nodes.push(own, button('leave', 'leave'));
    return [
      el('h1', { tabindex: '-1', class: 'unseen' }, words('call.title')),
      el('div', { class: 'bar' }, nodes),
    ];
  }

  function drawClinic() {
    header.hidden = !contact;
    replace(header, [el('p', { class: 'clinic' }, [contact ? contact.name : ''])]);
  }

  function drawFooter() {
    footer.hidden = Boolean(call);
    const nodes = [];
    if (contact) {
      const links = [el('a', { href: telUrl() }, [number()])];
      if (/^https:/.test(contact.privacyUrl)) {
        links.push(el('a', {
          href: contact.privacyUrl, target: '_blank', rel: 'noopener noreferrer',
        }, words('privacy')));
      }
      nodes.push(el('p', {}, links));
    } else {
      nodes.push(el('div', { id: 'sentences' },
        general.map((each) => el('p', { dir: 'auto' }, [each]))));
    }
    const select = el('select', { id: 'language', 'data-action': 'language' },
      Object.keys(CATALOGUES).map((code) => el('option', {
        value: code, lang: code, selected: code === language ? '' : null,
      }, [CATALOGUES[code].name])));
    nodes.unshift(el('p', {}, [el('label', { for: 'language' }, words('language')), select]));
    replace(footer, nodes);
  }

  function announce(sentence) { news.textContent = sentence; }

  function countDown(name) {
    if (name !== 'soon') { lastMinutes = Infinity; return; }
    const minutes = minutesLeft();
    const reached = ANNOUNCED_MINUTES.find((each) => minutes <= each && lastMinutes > each);
    if (reached && lastMinutes < Infinity) {
      announce(plain('opens', { minutes: minutesWords(minutes) }));
    }
    lastMinutes = minutes;
  }

  function leaveScreen(next) {
    enterFailed = false;
    pasteFailed = false;
    if (!BEFORE.includes(next)) { stopDevices(); }
    if (next === 'ready' && BEFORE.includes(shown)) { playSound(3); }
    if (next === 'ready') { recallDenial(); }
  }

  // Asking

  let timer = 0;
  let isAsking = false;

  async function post(route, body) {
    const limit = new AbortController();
    const over = setTimeout(() => limit.abort(), 15000);
    try {
      const response = await fetch(base + '/' + route, {
        method: 'POST',
        headers: { 'Content-Type': 'application/json' },
        body: JSON.stringify(body),
        credentials: 'omit',
        cache: 'no-store',
        referrerPolicy: 'no-referrer',
        signal: limit.signal,
      });
      const parsed = await response.json();
      return {
        status: response.status,
        body: parsed,
        kind: String(parsed.type).split(':').pop(),
        retryAfter: Number(response.headers.get('Retry-After')) || 0,
      };
    } catch (error) {
      return { status: 0, body: {}, kind: '', retryAfter: 0 };
    } finally {
      clearTimeout(over);
    }
  }

  function askIn(seconds) {
    clearTimeout(timer);
    timer = setTimeout(ask, seconds * 1000);
  }

  async function ask() {
    clearTimeout(timer);
    if (isAsking || !link) { return; }
    isAsking = true;
    const ofLink = link;
    const got = await post('status', { link, page, asked });
    isAsking = false;
    if (ofLink === link) { take(got); } else if (link) { ask(); }
    draw();
  }

  function take(got) {
    if (got.status === 200 && typeof got.body.serverTime === 'number') {
      takeAnswer(got.body);
    } else if (REFUSALS[got.kind] || got.status === 400) {
      failures = 0;
      refusal = REFUSALS[got.kind] || 'invalid';
      contact = got.body.contact || (refusal === 'invalid' && !call ? null : contact);
      if (refusal === 'interrupted') { askIn(LONGEST_PAUSE_SECONDS); }
    } else {
      failures += 1;
      const pause = Math.min(LONGEST_PAUSE_SECONDS, Math.pow(2, failures));
      // The first time at once, in seconds: nobody is to look at an empty page for long.
      askIn(Math.max(pause * (.5 + Math.random() / 2),
        failures > 1 ? Math.min(got.retryAfter, LONGEST_PAUSE_SECONDS) : 0));
    }
  }

  function takeAnswer(body) {
    failures = 0;
    refusal = '';
    answer = body;
    contact = body.contact;
    clock = { time: body.serverTime, at: performance.now() };
    if (body.status === 'open' || body.status === 'live') { asked += 1; }
    if (firstStart === null) { firstStart = body.startsAt; }
    // Someone who is let in after that has not left: the doctor has opened the room again.
    if (body.status !== 'open' && body.status !== 'live') { left = ''; }
    if (!languageChosen) { language = pick(preferred()); }
    if (typeof body.nextSeconds === 'number') {
      // Not all at once where many wait for the same moment.
      askIn(body.nextSeconds + Math.random() * Math.min(1, body.nextSeconds / 10));
    }
  }

  // Entering

  const pause = (seconds) => new Promise((done) => setTimeout(done, seconds * 1000));

  async function ticket() {
    let got;
    for (const seconds of [0, 1, 3]) {
      await pause(seconds);
      got = await post('enter', { link, page });
      if (got.status === 200 || REFUSALS[got.kind] ||
          (got.status >= 400 && got.status < 500 && got.status !== 429)) { break; }
    }
    return got;
  }

  async function enter(tab) {
    if (entering || !link) { return; }
    const ofLink = link;
    entering = true;
    enterFailed = false;
    stopDevices();
    draw();
    announce(text('enter.wait'));
    const got = await ticket();
    entering = false;
    const url = got.status === 200 && ofLink === link ? String(got.body.meetingUrl) : '';
    if (!/^https?:/.test(url)) {
      if (tab) { tab.close(); }
      if (REFUSALS[got.kind]) { take(got); } else { enterFailed = got.status !== 409; }
      draw();
      ask();
    } else if (tab) {
      tab.opener = null;
      tab.location.replace(url);
      endCall('left.tab');
    } else if (call || !got.body.embed) {
      location.assign(url);
    } else {
      openFrame(url);
    }
  }

  function openFrame(url) {
    const frame = el('iframe', { id: 'meeting', title: text('title'), allow: JITSI.allow });
    const opened = { frame, origin: new URL(url).origin, heard: false, silent: false, loads: 0 };
    call = opened;
    left = '';
    frame.addEventListener('load', () => {
      opened.loads += 1;
      // Jitsi has gone to its welcome page.
      if (opened.loads > 1 && call === opened) { endCall('left.title'); }
    });
    setTimeout(() => { opened.silent = true; if (call === opened) { draw(); } },
      JITSI.silentSeconds * 1000);
    frame.src = url + (url.includes('#') ? '&' : '#') + JITSI.frame;
    draw();
    room.append(frame);
  }

  function endCall(how) {
    if (call) { call.frame.remove(); }
    call = null;
    left = how;
    draw();
    ask();
  }

  // Jitsi's side: modules/transport and modules/API of jitsi-meet. It says that it is there until
  // the same message comes back, and then what happens, as {type: 'event', data: {name, …}}.
  function onMessage(event) {
    if (!call || event.origin !== call.origin || event.source !== call.frame.contentWindow) {
      return;
    }
    let message;
    try { message = JSON.parse(event.data); } catch (error) { return; }
    if (!message || !message.postis || message.scope !== JITSI.scope) { return; }
    if (message.method === '__ready__') {
      event.source.postMessage(event.data, call.origin);
      if (!call.heard) { call.heard = true; draw(); }
      return;
    }
    const told = message.params && message.params.data || {};
    const isOut = told.name === 'participant-kicked-out' && told.kicked && told.kicked.local;
    if (isOut || told.name === 'video-conference-left' || told.name === 'video-ready-to-close') {
      endCall('left.title');
    }
  }

  // Camera and microphone

  function hasDevices() {
    return Boolean(navigator.mediaDevices && navigator.mediaDevices.getUserMedia);
  }

  async function testDevices() {
    if (devices === 'asking') { return; }
    stopDevices();
    if (!hasDevices()) { devices = 'blocked'; draw(); return; }
    devices = 'asking';
    draw();
    let isLate = false;
    const wanted = navigator.mediaDevices.getUserMedia({ audio: true, video: true });
    // An answer that comes after all is stopped at once.
    wanted.then((got) => { if (isLate) { stopTracks(got); } }, () => null);
    const outcome = await Promise.race([
      wanted.catch((error) => error),
      pause(DEVICES_SECONDS).then(() => 'hanging'),
    ]);
    isLate = outcome === 'hanging';
    const isGone = devices !== 'asking'; // the person is in the room by now
    if (outcome instanceof MediaStream) {
      devices = 'ok';
      if (isGone) { stopTracks(outcome); } else { showPreview(outcome); }
    } else if (outcome === 'hanging') {
      devices = 'hanging';
    } else {
      devices = outcome.name === 'NotAllowedError' || outcome.name === 'SecurityError' ?
        'denied' : 'none';
    }
    draw();
    announce(plain('devices.' + devices, {}));
  }

  function showPreview(got) {
    stream = got;
    const video = el('video', { playsinline: '', 'aria-hidden': 'true' });
    video.muted = true;
    video.srcObject = got;
    preview.replaceChildren(video);
    video.play().catch(() => null);
    setTimeout(() => { if (stream === got) { stopDevices(); } }, PREVIEW_SECONDS * 1000);
  }

  function stopDevices() {
    if (stream) { stopTracks(stream); }
    stream = null;
    preview.replaceChildren();
    if (devices === 'asking') { devices = ''; }
  }

  function stopTracks(of) { of.getTracks().forEach((track) => track.stop()); }

  // Nothing is asked of the person here: only what they answered before.
  async function recallDenial() {
    try {
      const states = await Promise.all(['camera', 'microphone'].map((name) =>
        navigator.permissions.query({ name })));
      states.forEach((each) => {
        each.onchange = () => { if (devices === 'denied') { devices = ''; draw(); } };
      });
      if (states.some((each) => each.state === 'denied') && devices !== 'blocked') {
        devices = 'denied';
        draw();
      }
    } catch (error) { /* not every browser tells */ }
  }

  // Awake, and heard

  let lock = null;

  async function keepAwake() {
    const isWanted = AWAKE.includes(shown) && document.visibilityState === 'visible';
    if (!isWanted && lock && lock.release) { lock.release(); }
    if (!isWanted || lock || !navigator.wakeLock) { return; }
    lock = {};
    try {
      lock = await navigator.wakeLock.request('screen');
      lock.addEventListener('release', () => { lock = null; });
    } catch (error) {
      lock = null;
    }
  }

  function playSound(times) {
    if (!sound) { return; }
    for (let n = 0; n < times; n += 1) {
      const at = sound.currentTime + n * .6;
      const tone = sound.createOscillator();
      const volume = sound.createGain();
      tone.frequency.value = n % 2 ? 660 : 880;
      volume.gain.setValueAtTime(.3, at);
      volume.gain.exponentialRampToValueAtTime(.001, at + .5);
      tone.connect(volume).connect(sound.destination);
      tone.start(at);
      tone.stop(at + .5);
    }
  }

  function switchSound() {
    if (sound) {
      sound.close();
      sound = null;
    } else {
      sound = new (window.AudioContext || window.webkitAudioContext)();
      sound.resume();
      playSound(1);
    }
    draw();
  }

  // The link

  function linkIn(given) {
    let decoded = given;
    try { decoded = decodeURIComponent(given); } catch (error) { /* as it is */ }
    return (LINK.exec(decoded) || LINK.exec(decoded.replace(BREAKS, '')) || [''])[0];
  }

  function address() { return base + '/#' + link; }

  function useLink(given) {
    link = linkIn(given);
    answer = null;
    contact = null;
    firstStart = null;
    refusal = '';
    failures = 0;
    asked = 0;
    left = '';
    if (!link) { return; }
    finished = false;
    if (location.pathname + location.search + location.hash !== address()) {
      history.replaceState(null, '', address());
    }
    ask();
  }

  function paste() {
    const given = document.getElementById('pasted').value;
    pasteFailed = !linkIn(given);
    if (!pasteFailed) { useLink(given); }
    draw();
    if (pasteFailed) {
      const field = document.getElementById('pasted');
      field.value = given;
      field.focus();
    }
  }

  async function copyLink() {
    const whole = location.origin + address();
    try {
      await navigator.clipboard.writeText(whole);
    } catch (error) {
      const field = el('textarea', { class: 'unseen', readonly: '' }, [whole]);
      document.body.append(field);
      field.select();
      document.execCommand('copy');
      field.remove();
    }
    copied = true;
    draw();
  }

  function finish() {
    useLink('');
    finished = true;
    clearTimeout(timer);
    history.replaceState(null, '', base + '/');
    draw();
  }

  // While a device sleeps, timers and performance.now() stand still: the next question may be
  // minutes away, and the time that the page tells is long over.
  let drift = Date.now() - performance.now();

  function tick() {
    const found = Date.now() - performance.now();
    if (Math.abs(found - drift) > 10000) { ask(); }
    drift = found;
    draw();
  }

  const ACTIONS = {
    enter: () => enter(null),
    // Opened at the tap: later the browser would hold it for an advertisement.
    'open-tab': () => { if (!entering) { enter(window.open('about:blank', '_blank')); } },
    leave: () => endCall('left.title'),
    'test-devices': testDevices,
    'copy-link': copyLink,
    finish,
    sound: switchSound,
  };

  function isOldBrowser() {
    try {
      new Intl.NumberFormat('en', { style: 'unit', unit: 'minute', unitDisplay: 'long' }).format(1);
      new Intl.DateTimeFormat('en', { dateStyle: 'short', timeZone: 'Europe/Vienna' }).format(0);
      return !(window.fetch && window.AbortController && Element.prototype.replaceChildren &&
        String.prototype.padStart && window.crypto && history.replaceState);
    } catch (error) {
      return true;
    }
  }

  function start() {
    [header, footer] = ['header', 'footer'].map((tag) => document.querySelector(tag));
    main = document.getElementById('screen');
    news = document.getElementById('news');
    general = Array.from(document.querySelectorAll('#contact p'), (each) => each.textContent);
    content = el('div', { id: 'content' });
    preview = el('div', { id: 'preview' });
    actions = el('div', { id: 'actions' });
    room = el('div', { id: 'room' });
    main.replaceChildren(content, preview, actions, room);
    language = pick(preferred());
    if (!hasDevices()) { devices = 'blocked'; }
    useLink(location.href);
    draw();

    document.addEventListener('click', (event) => {
      const target = event.target.closest('[data-action]');
      const action = target && ACTIONS[target.dataset.action];
      if (action) { action(); }
    });
    document.addEventListener('submit', (event) => { event.preventDefault(); paste(); });
    document.addEventListener('change', (event) => {
      if (event.target.id !== 'language') { return; }
      language = event.target.value;
      languageChosen = true;
      draw();
    });
    document.addEventListener('visibilitychange', () => {
      keepAwake();
      if (document.visibilityState === 'visible') { ask(); }
    });
    addEventListener('online', ask);
    addEventListener('pageshow', (event) => { if (event.persisted) { ask(); } });
    addEventListener('hashchange', () => {
      if (linkIn(location.hash) && linkIn(location.hash) !== link && !call) {
        useLink(location.hash);
        draw();
      }
    });
    addEventListener('message', onMessage);
    setInterval(tick, 5000);
  }

  if (!isOldBrowser()) {
    // Not to be seen while the rest of the page comes in.
    document.documentElement.classList.add('script');
    document.addEventListener('DOMContentLoaded', () => {
      try { start(); } finally { document.documentElement.classList.remove('script'); }
    });
  }
}());
