// What @jitsi/react-sdk and most pages use of Jitsi's IFrame API: a frame, its events, and commands
// to it. It speaks http, as the stand-in does.
window.JitsiMeetExternalAPI = class JitsiMeetExternalAPI {
    static #made = 0;
    #listeners = new Map();
    #frame = document.createElement("iframe");
    #transport;

    constructor(domain, { roomName, jwt, parentNode = document.body, configOverwrite = {} }) {
        const number = JitsiMeetExternalAPI.#made++;
        const fragment = [`jitsi_meet_external_api_id=${number}`];
        for (const [name, value] of Object.entries(configOverwrite)) {
            fragment.push(`config.${name}=${encodeURIComponent(JSON.stringify(value))}`);
        }
        const frame = this.#frame;
        frame.src = `http://${domain}/${roomName}${jwt ? `?jwt=${jwt}` : ""}#${fragment.join("&")}`;
        frame.name = frame.id = `jitsiConferenceFrame${number}`;
        frame.allow = "autoplay; camera; clipboard-write; display-capture; microphone";
        Object.assign(frame.style, { border: 0, height: "100%", width: "100%" });
        parentNode.append(frame);
        const scope = `jitsi_meet_external_api_${number}`;
        this.#transport = jitsiTransport(frame.contentWindow, scope, ({ name, ...data }) => {
            const event = name === "video-ready-to-close" ? "readyToClose"
                : name.replace(/-(.)/g, (_, letter) => letter.toUpperCase());
            for (const listener of this.#listeners.get(event) || []) listener(data);
        });
    }

    on(event, listener) {
        this.#listeners.set(event, [...(this.#listeners.get(event) || []), listener]);
        return this;
    }

    addListener(event, listener) {
        return this.on(event, listener);
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
        this.#frame.remove();
    }
};
