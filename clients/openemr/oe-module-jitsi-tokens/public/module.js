/* The buttons in the dialog of an appointment and in the calendar's entries. */
(() => {
  'use strict';
  if (window.jitsiTokens) return;
  window.jitsiTokens = true;

  /* Keeps OpenEMR's session cookie the one of this window. */
  const restored = () => {
    if (typeof top.restoreSession === 'function') top.restoreSession();
  };

  /* Joining opens a tab that knows nothing of this one. */
  const join = (action, fields) => {
    const form = document.createElement('form');
    Object.assign(form, { method: 'post', action, target: '_blank' });
    form.setAttribute('rel', 'noopener noreferrer');
    for (const [name, value] of Object.entries({ ...fields, action: 'join' })) {
      const input = document.createElement('input');
      form.append(Object.assign(input, { type: 'hidden', name, value }));
    }
    document.body.append(form);
    restored();
    HTMLFormElement.prototype.submit.call(form);
    form.remove();
  };

  const ask = async (box, button) => {
    const fields = JSON.parse(box.dataset.jitsiTokens);
    const output = box.querySelector('output');
    const what = button.dataset.do;
    if (what === 'new-link' && !confirm(box.dataset.sure)) return;
    restored();
    const { minutes } = button.dataset;
    const body = new URLSearchParams({ ...fields, action: what, minutes });
    let sentence;
    try {
      const answer = await fetch(box.dataset.action, { method: 'POST', body });
      sentence = (await answer.text()).trim();
      /* When the session is over, the answer is the page of the login. */
      if (what === 'link' && answer.ok && /^https?:\S+$/.test(sentence)) {
        const link = sentence;
        try {
          await navigator.clipboard.writeText(link);
          sentence = box.dataset.copied;
        } catch {
          sentence = link;
        }
      }
    } catch (error) {
      sentence = String(error);
    }
    output.textContent = sentence;
  };

  document.addEventListener('click', (event) => {
    const button = event.target.closest('[data-jitsi-tokens] [data-do]');
    if (!button) return;
    const box = button.closest('[data-jitsi-tokens]');
    if (button.dataset.do === 'join') join(box.dataset.action, JSON.parse(box.dataset.jitsiTokens));
    else ask(box, button);
  });

  /* The calendar: a button in each entry of today's, and since when somebody waits. */
  const folder = new URL('.', document.currentScript.src);
  const look = async () => {
    const entries = document.querySelectorAll('.jitsi-tokens-visit[data-eid]');
    if (!entries.length || document.hidden) return;
    const answer = await fetch(new URL('waiting.php', folder)).catch(() => null);
    if (!answer || !answer.ok) return;
    const { date, token, action, join: label, waiting } = await answer.json();
    for (const entry of entries) {
      const { eid } = entry.dataset;
      let box = entry.querySelector('.jitsi-tokens-entry');
      if (!box) {
        box = document.createElement('div');
        box.className = 'jitsi-tokens-entry';
        /* In the day and the week an entry cuts off what does not fit: its first line shows. */
        if (getComputedStyle(entry).position === 'absolute') {
          box.style.cssText = 'position:absolute;top:0;right:0;z-index:1;white-space:nowrap;'
            + 'background:#fff;color:#000';
        }
        const button = document.createElement('button');
        button.type = 'button';
        button.className = 'btn btn-primary btn-sm p-0 px-1';
        button.textContent = label;
        button.addEventListener('click', (event) => {
          event.stopPropagation();
          join(action, { eid, date, csrf_token_form: token });
        });
        box.append(button, document.createElement('span'));
        entry.append(box);
      }
      box.querySelector('span').textContent = waiting[eid] ? ` ${waiting[eid]}` : '';
    }
  };
  const start = () => {
    if (!document.querySelector('.jitsi-tokens-visit')) return;
    look();
    setInterval(look, 30000);
  };
  if (document.readyState === 'loading') document.addEventListener('DOMContentLoaded', start);
  else start();
})();
