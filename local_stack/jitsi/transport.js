"use strict";

// Jitsi's messages between windows (@jitsi/js-utils: postis.js, Transport.js): strings of JSON with
// a scope; each side asks until the other has answered, and keeps what it has to say until then.
function jitsiTransport(target, scope, receive) {
    const question = `${Date.now()}-${Math.random()}`;
    const kept = [];
    let answered = false;
    const post = (method, params) =>
        target.postMessage(JSON.stringify({ postis: true, scope, method, params }), "*");
    const asking = setInterval(() => post("__ready__", question), 50);
    const listener = ({ data }) => {
        let message;
        try {
            message = JSON.parse(data);
        } catch {
            return;
        }
        if (!message || !message.postis || message.scope !== scope) return;
        if (message.method === "message") {
            receive(message.params.data);
        } else if (message.method === "__ready__" && message.params !== question) {
            post("__ready__", message.params);
        } else if (message.method === "__ready__") {
            clearInterval(asking);
            answered = true;
            kept.splice(0).forEach(params => post("message", params));
        }
    };
    addEventListener("message", listener);
    return {
        send(data) {
            const params = { type: "event", data };
            answered ? post("message", params) : kept.push(params);
        },
        close() {
            clearInterval(asking);
            removeEventListener("message", listener);
        },
    };
}
