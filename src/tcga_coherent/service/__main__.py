"""``python -m tcga_coherent.service BUNDLE``: complete patients over HTTP."""

import argparse

import uvicorn

from tcga_coherent.completion.completer import Completer
from tcga_coherent.service.app import create_app


def main() -> None:
    """Serve the models of a bundle until stopped."""
    parser = argparse.ArgumentParser(prog="python -m tcga_coherent.service", description=__doc__)
    parser.add_argument("bundle", help="folder that the bundle pipeline wrote")
    parser.add_argument("--host", default="127.0.0.1", help="this machine alone by default")
    parser.add_argument("--port", type=int, default=8000)
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda or cuda:<index>")
    parser.add_argument("--max-megabytes", type=float, default=64, help="largest request")
    given = parser.parse_args()
    app = create_app(Completer.load(given.bundle, given.device), given.max_megabytes)
    uvicorn.run(app, host=given.host, port=given.port)


if __name__ == "__main__":
    main()
