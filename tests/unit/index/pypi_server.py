"""A pypiserver that wants credentials: folder, user, password; prints its port. Run as a script.

A process of its own: importing pypiserver changes how its process imports everything after it.
"""

from __future__ import annotations

import sys
from pathlib import Path
from socketserver import ThreadingMixIn
from wsgiref.simple_server import WSGIServer, make_server


class Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True


def main(folder: str, *credentials: str) -> None:
    import pypiserver  # type: ignore[import-untyped]

    app = pypiserver.app(
        roots=[Path(folder)],
        authenticate=["download", "list", "update"],
        auther=lambda user, password: (user, password) == credentials,
        disable_fallback=True,
    )
    with make_server("127.0.0.1", 0, app, Server) as server:
        print(server.server_port, flush=True)
        server.serve_forever()


if __name__ == "__main__":
    main(*sys.argv[1:])
