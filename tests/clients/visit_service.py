"""A service of visits on loopback, as far as a health record sees it; it keeps what is asked."""

from __future__ import annotations

import json
import threading
import urllib.parse
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

from tests.clients.samples import API_KEY, MEETING

_PAGE = 500


class Refusal(Exception):
    """A problem with a status and a kind."""

    def __init__(self, status: int, kind: str, **members: Any) -> None:
        super().__init__(kind)
        self.status = status
        self.body = {"type": f"urn:jitsi-tokens:problem:{kind}", "detail": kind} | members


class VisitService:
    """Keeps visits by their id; `calls` has the method and path of each call but the lists."""

    def __init__(self) -> None:
        self.visits: dict[str, dict[str, Any]] = {}
        self.calls: list[str] = []
        self.bodies: list[dict[str, Any]] = []
        self.lists = 0
        self.waiting_since: int | None = None
        self.refuses: Refusal | None = None
        self._lock = threading.Lock()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        serve = self._server.serve_forever
        threading.Thread(target=serve, args=(0.01,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def state(self, visit_id: str) -> str:
        """Return the status of a visit."""
        return str(self.visits[visit_id]["state"]["status"])

    def answer(self, method: str, target: str, body: dict[str, Any]) -> tuple[int, Any]:
        """Do what a call asks, one after the other."""
        path, _, query = target.partition("?")
        asked = dict(urllib.parse.parse_qsl(query))
        with self._lock:
            if not path.startswith("/api/visits"):
                return 200, {"configured": True}
            if path == "/api/visits":
                self.lists += 1
                if self.refuses:
                    raise self.refuses
                return 200, self._page(asked)
            self.calls.append(f"{method} {path.removeprefix('/api/visits/')}")
            self.bodies.append(body)
            if self.refuses:
                raise self.refuses
            return self._one(method, path.split("/")[3:], body, asked)

    def _one(
        self, method: str, parts: list[str], body: dict[str, Any], asked: dict[str, str]
    ) -> tuple[int, Any]:
        visit_id = parts[0]
        if method == "PUT" and len(parts) == 1:
            return self._put(visit_id, body)
        visit = self.visits.get(visit_id)
        if visit is None:
            raise Refusal(404, "not-found")
        state = visit["state"]
        match method, parts[1:]:
            case "DELETE", []:
                if int(asked.get("revision", 2**53)) < visit.get("revision", 0):
                    raise Refusal(409, "superseded")
                state["status"] = "cancelled"
                visit["participants"] = []
            case "POST", ["end"]:
                state["status"], state["because"] = "over", body["because"]
            case "PATCH", []:
                state["delayMinutes"] = body["delayMinutes"]
            case ("PUT", ["participants", _]) | ("POST", ["participants", _, "new-link"]):
                pass
            case "POST", ["participants", _, "join"]:
                return 200, MEETING
        return 200, visit

    def _put(self, visit_id: str, body: dict[str, Any]) -> tuple[int, Any]:
        old = self.visits.get(visit_id)
        if old and body.get("revision", 2**53) < old.get("revision", 0):
            raise Refusal(409, "superseded")
        begin = int(datetime.fromisoformat(body["startsAt"]).timestamp())
        minutes = body["durationMinutes"] + body.get("overrunMinutes", 30)
        participants = [
            {"participantId": one["participantId"], "status": "invited"}
            | ({} if one.get("isModerator") else {"link": f"{self.url}/join/#jtv_{visit_id}"})
            | ({"waitingSince": self.waiting_since} if self.waiting_since else {})
            for one in body["participants"]
        ]
        is_over = old and old["state"]["status"] == "over" and old["startsAt"] == body["startsAt"]
        state = {
            "visitId": visit_id,
            "status": "over" if is_over else "scheduled",
            "closesAt": begin + minutes * 60,
            "participants": participants,
        }
        self.visits[visit_id] = body | {"state": state}
        return 200 if old else 201, self.visits[visit_id]

    def _page(self, asked: dict[str, str]) -> dict[str, Any]:
        start, end = (datetime.fromisoformat(asked[name]) for name in ("from", "to"))
        found = sorted(
            (
                visit
                for visit in self.visits.values()
                if start <= datetime.fromisoformat(visit["startsAt"]) < end
            ),
            key=lambda visit: str(visit["state"]["visitId"]),
        )
        begin = int(asked.get("next", "0"))
        page: dict[str, Any] = {"visits": found[begin : begin + _PAGE]}
        return page | ({"next": str(begin + _PAGE)} if len(found) > begin + _PAGE else {})


def _handler(service: VisitService) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def _answer(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            body = json.loads(self.rfile.read(length) or b"{}")
            try:
                if self.path.startswith("/api/visits"):
                    assert self.headers["Authorization"] == f"Bearer {API_KEY}"
                status, found = service.answer(self.command, self.path, body)
                kind = "application/json"
            except Refusal as refusal:
                status, found, kind = refusal.status, refusal.body, "application/problem+json"
            content = json.dumps(found).encode()
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(content)

        do_GET = do_HEAD = do_PUT = do_POST = do_PATCH = do_DELETE = _answer  # noqa: N815

        def log_message(self, *_: object) -> None:
            pass

    return Handler
