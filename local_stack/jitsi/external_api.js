// The part of Jitsi's IFrame API that @jitsi/react-sdk and most pages use: a frame, its events, and
// commands to it. It speaks http, as the stand-in does.
window.JitsiMeetExternalAPI = class JitsiMeetExternalAPI {
    static #made = 0;
    #listeners = new Map();
    #frame = document.createElement("iframe");
    #transport;

    constructor(domain, { roomName = "", jwt, parentNode = document.body, width = "100%",
        height = "100%", configOverwrite = {}, userInfo = {}, onload } = {}) {
        const number = JitsiMeetExternalAPI.#made++;
        const fragment = [`jitsi_meet_external_api_id=${number}`];
        for (const [prefix, values] of Object.entries({ config: configOverwrite, userInfo })) {
            for (const [name, value] of Object.entries(values)) {
                fragment.push(`${prefix}.${name}=${encodeURIComponent(JSON.stringify(value))}`);
            }
        }
        const frame = this.#frame;
        frame.src = `http://${domain}/${roomName}${jwt ? `?jwt=${jwt}` : ""}#${fragment.join("&")}`;
        frame.name = frame.id = `jitsiConferenceFrame${number}`;
        frame.allow = "autoplay; camera; clipboard-write; display-capture; microphone";
        const size = value => (typeof value === "number" ? `${value}px` : value);
        Object.assign(frame.style, { border: 0, height: size(height), width: size(width) });
        frame.onload = onload || null;
        parentNode.append(frame);
        const scope = `jitsi_meet_external_api_${number}`;
        this.#transport = jitsiTransport(frame.contentWindow, scope, ({ name, ...data }) => {
            const event = name === "video-ready-to-close" ? "readyToClose"
                : name.replace(/-(.)/g, (_, letter) => letter.toUpperCase());
            for (const listener of [...(this.#listeners.get(event) || [])]) listener(data);
        });
    }

    on(event, listener) {
        this.#listeners.set(event, [...(this.#listeners.get(event) || []), listener]);
        return this;
    }

    off(event, listener) {
        const others = (this.#listeners.get(event) || []).filter(other => other !== listener);
        this.#listeners.set(event, others);
        return this;
    }

    once(event, listener) {
        const first = data => {
            this.off(event, first);
            listener(data);
        };
        return this.on(event, first);
    }

    removeAllListeners(event) {
        event === undefined ? this.#listeners.clear() : this.#listeners.delete(event);
        return this;
    }

    addListener(event, listener) {
        return this.on(event, listener);
    }

    addEventListener(event, listener) {
        this.on(event, listener);
    }

    removeListener(event, listener) {
        return this.off(event, listener);
    }

    removeEventListener(event) {
        this.removeAllListeners(event);
    }

    executeCommand(name, ...data) {
        const command = name === "hangup" ? "video-hangup"
            : name.replace(/[A-Z]/g, letter => `-${letter.toLowerCase()}`);
        this.#transport.send({ name: command, data });
    }

    getIFrame() {
        return this.#frame;
    }

    dispose() {
        this.#transport.close();
        this.removeAllListeners();
        this.#frame.remove();
    }
};
