"""Which rooms nginx opens, set up as Jitsi has it, and which of them the service takes."""

from __future__ import annotations

import functools
import http.client
import os
import shutil
import socket
import string
import subprocess
import time
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

from jitsi_tokens.core.rooms import RoomRefused, backend_safe, meeting_url, scoped_room
from tests.clients.php_caller import require

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    type Opens = Callable[[str], bool]

NGINX = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin")
# The files that jitsi-meet-web puts into the web root.
FILES = [
    *("base.html", "close.html", "favicon.ico", "interface_config.js", "manifest.json"),
    *("pwa-worker.js", "robots.txt", "title.html"),
]
DIRECTORIES = ["css", "fonts", "images", "lang", "libs", "sounds", "static", ".well-known"]
# Jitsi's locations for what begins at the web root (doc/debian/jitsi-meet/jitsi-meet.example of
# jitsi-meet, doc/jaas/nginx-jaas.conf, and web/rootfs/defaults/meet.conf of docker-jitsi-meet with
# all that can be turned on there). Where it proxies to nobody listens.
CONFIGURATION = r"""
daemon off;
master_process off;
pid {folder}/pid;
events {{}}
http {{
    access_log off;
    client_body_temp_path {folder}; proxy_temp_path {folder}; fastcgi_temp_path {folder};
    uwsgi_temp_path {folder}; scgi_temp_path {folder};
    server {{
        listen 127.0.0.1:{port};
        root {folder}/web;
        ssi on;
        index index.html index.htm;
        error_page 404 /static/404.html;
        location = /config.js {{ alias {folder}/config.js; }}
        location = /external_api.js {{ alias {folder}/web/libs/external_api.min.js; }}
        location = /jaas-jwt {{ proxy_pass http://127.0.0.1:1; }}
        location ~ ^/(libs|css|static|images|fonts|lang|sounds|.well-known)/(.*)$ {{
            alias {folder}/web/$1/$2;
        }}
        location = /http-bind {{ proxy_pass http://127.0.0.1:1; }}
        location = /xmpp-websocket {{ proxy_pass http://127.0.0.1:1; }}
        location ^~ /etherpad/ {{ proxy_pass http://127.0.0.1:1/; }}
        location = /rtcstats-ws/ {{ proxy_pass http://127.0.0.1:1/; }}
        location = /rtc-visualizer {{ return 301 $scheme://$http_host$request_uri/; }}
        location = /socket.io/ {{ proxy_pass http://127.0.0.1:1/socket.io/?$args; }}
        location ~ ^/colibri-ws/default-id/(.*) {{ proxy_pass http://127.0.0.1:1; }}
        location = /_unlock {{ add_header Cache-Control "no-cache, no-store"; }}
        location ~ ^/conference-request/v1(\/.*)?$ {{ proxy_pass http://127.0.0.1:1; }}
        location ~ ^/([^/?&:'"]+)$ {{ try_files $uri @root_path; }}
        location @root_path {{ rewrite ^/(.*)$ / break; }}
        location ~ ^/([^/?&:'"]+)/config.js$ {{ alias {folder}/config.js; }}
        location ~ ^/([^/?&:'"]+)/(pwa-worker.js|manifest.json)$ {{
            set $subdir "$1/";
            rewrite ^/([^/?&:'"]+)/(pwa-worker.js|manifest.json)$ /$2;
        }}
        location ~ ^/([^/?&:'"]+)/http-bind {{ rewrite ^/(.*)$ /http-bind; }}
        location ~ ^/([^/?&:'"]+)/xmpp-websocket {{ rewrite ^/(.*)$ /xmpp-websocket; }}
        location ~ ^/([^/?&:'"]+)/(.*)$ {{
            set $subdir "$1/";
            rewrite ^/([^/?&:'"]+)/(.*)$ /$2;
        }}
    }}
}}
"""
# Jitsi's page tells the web client the tenant in this way.
PAGE = 'A meeting of <!--#echo var="subdir" default="" -->'


@pytest.fixture(scope="module")
def opens(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Opens]:
    """Run nginx, and return whether it opens the meeting page for a name's own room."""
    require("nginx", "apt-get install nginx", available=NGINX is not None)
    folder = tmp_path_factory.mktemp("nginx")
    for name in DIRECTORIES:
        (folder / "web" / name).mkdir(parents=True)
    for name in [*FILES, "static/404.html", "libs/external_api.min.js"]:
        (folder / "web" / name).touch()
    (folder / "config.js").touch()
    (folder / "web" / "index.html").write_text(PAGE)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    configuration = folder / "nginx.conf"
    configuration.write_text(CONFIGURATION.format(folder=folder, port=port))
    log = folder / "error.log"
    command = [str(NGINX), "-p", str(folder), "-c", str(configuration), "-e", str(log)]
    server = subprocess.Popen(command)  # noqa: S603 - Debian's nginx
    try:
        deadline = time.monotonic() + 10
        while not _listens(port):
            assert server.poll() is None, log.read_text()
            assert time.monotonic() < deadline, "nginx does not listen"
            time.sleep(0.02)
        yield functools.partial(_opens, port)
    finally:
        server.terminate()
        server.wait(10)


def _listens(port: int) -> bool:
    with socket.socket() as connection:
        return connection.connect_ex(("127.0.0.1", port)) == 0


def _opens(port: int, name: str) -> bool:
    """Tell whether the page comes by the room's URL, without a tenant and with its own."""
    room = backend_safe(name)
    for tenant in ("", "clinic"):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        connection.request(
            "GET", urlsplit(meeting_url("jitsi", tenant, room, "t", "fragment")).path
        )
        page = connection.getresponse().read().decode()
        connection.close()
        if page != f"A meeting of {tenant and f'{tenant}/'}":
            return False
    return True


def _is_taken(name: str) -> bool:
    try:
        scoped_room(name)
    except RoomRefused:
        return False
    return True


def test_each_printable_character_is_taken_where_nginx_opens_it(opens: Opens) -> None:
    """What the service refuses in a room's name and what nginx does is one set."""
    printable = [c for c in string.printable if c.isprintable()]
    assert len(printable) == 95

    refused_by_nginx = {c for c in printable if not opens(f"a{c}b")}

    assert refused_by_nginx == set("/?&:'\"")
    assert {c for c in printable if not _is_taken(f"a{c}b")} == refused_by_nginx


@pytest.mark.parametrize(
    "name",
    [
        *("config.js", "external_api.js", "http-bind", "xmpp-websocket", *FILES),
        *("_unlock", "jaas-jwt", "etherpad", "rtcstats-ws", "rtc-visualizer", "socket.io"),
        *("HTTP-Bind", "http-bind-7", "xmpp-websocket2", "config-js", "config%20js"),
        *("Config.JS", "robots%2Etxt", "a%26b", "a\uff06b", "a\ufe55b", "a%EF%BC%9Fb", "a\u2100"),
    ],
)
def test_a_name_that_nginx_does_not_open_is_refused(opens: Opens, name: str) -> None:
    """A file, another location, or a character in disguise."""
    assert not opens(name)
    assert not _is_taken(name)


@pytest.mark.parametrize(
    "name",
    [
        *("visit-0123", "My Room", "Caf\xe9", "dr.smith", "visit.js.1", "a%2526b", "%2525", "a%b"),
        *("index", "config", "static-1", "v1", "conference-request", "colibri-ws", "manifest-json"),
        *("\U0001fa7a", "\xe9" * 160, "x" * 255, "a*", "!()*-._~"),
    ],
    ids=ascii,
)
def test_a_name_that_is_taken_is_opened(opens: Opens, name: str) -> None:
    """With dots, with escapes, and as long as may be."""
    assert _is_taken(name)
    assert opens(name)
