"""Gzip-compressed files of a web folder, downloaded whole, once, and verified ever after."""

import gzip
import logging
import threading
import zlib
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

import pooch
import requests
from kedro.io.core import DatasetError
from tqdm import tqdm

from tcga_coherent.datasets.atomic import replace_when_whole
from tcga_coherent.datasets.raw.hash_registry import HashRegistry
from tcga_coherent.datasets.raw.text_files import GZIP_MAGIC, HEAD_BYTES, looks_like_html

logger = logging.getLogger(__name__)

CHUNK_BYTES = 2**20
TIMEOUT_SECONDS = 60
# Statuses that say "not now"; any other error status will not change by asking again.
TRANSIENT_STATUSES = {408, 425, 429, 500, 502, 503, 504}
# S3 answers 403 for an absent object when a bucket may not be listed.
ABSENT_STATUSES = {403, 404, 410}


class HubUnreachableError(DatasetError):
    """Nothing failed but the connection: files that lie there already may be enough."""


class _TransientError(Exception):
    """A failure that another attempt may cure."""


class _UnreachableError(_TransientError):
    """The server did not answer at all, so that it will not serve other files either."""


class _AbsentError(Exception):
    """The server has no such file."""


def fetch_files(
    folder: Path,
    base_url: str,
    names: Sequence[str],
    *,
    workers: int = 4,
    attempts: int = 5,
    first_delay: float = 1.0,
) -> list[str]:
    """Make sure that gzip-compressed files lie in a folder, downloading those that do not.

    A file is downloaded to a temporary name; only when it has the promised length and unpacks to
    its end is its hash recorded and the file renamed. An interrupted call is repeated to fetch the
    rest. A file that is there already is checked against its recorded hash; one without a record,
    put there by hand, is checked for completeness and recorded.

    Parameters
    ----------
    folder
        Where the files go; created.
    base_url
        ``<base_url>/<name>`` is the address of a file.
    names
        File names, all ending in ``.gz``.
    workers
        Files downloaded at the same time.
    attempts
        How often a file is tried when the server or the line fails.
    first_delay
        Seconds before the second attempt, doubled before each further one.

    Returns
    -------
    list of str
        Names that the server does not have (HTTP 403, 404 or 410), in the order of `names`.

    Raises
    ------
    DatasetError
        When files cannot be downloaded, come as a web page, or have another hash than recorded;
        every such file is named. The others are downloaded all the same, unless the server does
        not answer at all; that alone is a `HubUnreachableError`.
    """
    registry = HashRegistry(folder)
    stop = threading.Event()
    unreachable = threading.Event()
    absent: set[str] = set()
    untried: set[str] = set()
    failures: list[DatasetError] = []
    to_download = [name for name in names if not (folder / name).is_file()]
    if to_download:
        logger.info("Downloading %d file(s) from %s to %s", len(to_download), base_url, folder)

    with tqdm(
        total=0, unit="B", unit_scale=True, desc="download", disable=not to_download, delay=0.5
    ) as bar:

        def fetch(name: str) -> None:
            if (folder / name).is_file():
                _check_present(folder / name, registry)
                return
            if unreachable.is_set():
                untried.add(name)
                return
            url = f"{base_url.rstrip('/')}/{name}"
            for attempt in range(attempts):
                if attempt and stop.wait(first_delay * 2 ** (attempt - 1)):
                    return
                try:
                    _download(url, folder / name, registry, _FileProgress(bar, stop))
                    return
                except _TransientError as error:
                    problem = error
                    logger.warning("%s: attempt %d of %d: %s", url, attempt + 1, attempts, error)
            failed = f"{url} could not be downloaded in {attempts} attempts ({problem}): "
            if isinstance(problem, _UnreachableError):
                unreachable.set()
                raise HubUnreachableError(
                    f"{failed}check network, proxy and base_url, or run again later"
                )
            raise DatasetError(f"{failed}run again later")

        pool = ThreadPoolExecutor(max_workers=workers)
        try:
            futures = {pool.submit(fetch, name): name for name in names}
            for future in as_completed(futures):
                try:
                    future.result()
                except _AbsentError:
                    absent.add(futures[future])
                except DatasetError as error:
                    failures.append(error)
        finally:
            stop.set()
            pool.shutdown(cancel_futures=True)
    if failures:
        skipped = f" {len(untried)} more were not tried." if untried else ""
        texts = sorted(str(error).rstrip(".") for error in failures)
        only_connection = all(isinstance(error, HubUnreachableError) for error in failures)
        kind = HubUnreachableError if only_connection else DatasetError
        raise kind(
            f"{len(failures)} of {len(names)} file(s) could not be fetched: {'; '.join(texts)}."
            f"{skipped} Files fetched so far are kept in {folder}."
        )
    return [name for name in names if name in absent]


def _check_present(path: Path, registry: HashRegistry) -> None:
    digest = pooch.file_hash(str(path))
    if not registry.verify(path.name, digest):
        try:
            _check_whole(path, origin=str(path))
        except _TransientError as error:
            raise DatasetError(f"{error}: delete it to download it again") from error
        registry.record(path.name, digest)


def _download(url: str, target: Path, registry: HashRegistry, progress: "_FileProgress") -> None:
    """Download one file to a temporary name, check it, record its hash and rename it."""
    with replace_when_whole(target) as partial:
        downloader = pooch.HTTPDownloader(
            progressbar=progress,
            chunk_size=CHUNK_BYTES,
            timeout=TIMEOUT_SECONDS,
            headers={"Accept-Encoding": "identity"},
            hooks={"response": _keep_compressed},
        )
        try:
            downloader(url, str(partial), None)
            if progress.total not in (0, partial.stat().st_size):
                raise _TransientError(
                    f"{url} ended after {partial.stat().st_size} of {progress.total} bytes"
                )
            _check_whole(partial, origin=url)
        except requests.HTTPError as error:
            status = 0 if error.response is None else error.response.status_code
            if status in ABSENT_STATUSES:
                raise _AbsentError(url) from error
            if status in TRANSIENT_STATUSES:
                raise _TransientError(f"HTTP {status}") from error
            raise DatasetError(f"{url} answers HTTP {status}: check base_url") from error
        except requests.ConnectionError as error:
            # The outer texts of the chain only repeat the URL.
            cause = getattr(error.args[0], "reason", error) if error.args else error
            raise _UnreachableError(str(cause)) from error
        except requests.TooManyRedirects as error:
            raise DatasetError(f"{url} redirects in a circle: check base_url") from error
        except requests.RequestException as error:
            raise _TransientError(str(error)) from error
        finally:
            progress.settle()
        digest = pooch.file_hash(str(partial))
        if not registry.verify(target.name, digest):
            registry.record(target.name, digest)


def _keep_compressed(response: requests.Response, *args: object, **kwargs: object) -> None:
    # A server may label a .gz file "Content-Encoding: gzip"; requests would unpack it on the way.
    response.raw.headers.pop("Content-Encoding", None)


def _check_whole(path: Path, origin: str) -> None:
    """Unpack a file to its end, keeping nothing."""
    with path.open("rb") as raw:
        head = raw.read(HEAD_BYTES)
    if not head:
        raise DatasetError(f"{origin} is empty (0 bytes): check base_url, or try again later")
    if not head.startswith(GZIP_MAGIC):
        if looks_like_html(head):
            raise DatasetError(_html_instead(origin))
        raise DatasetError(f"{origin} is not compressed with gzip: check base_url")
    try:
        with gzip.open(path) as unpacked:
            if looks_like_html(unpacked.read(HEAD_BYTES)):
                raise DatasetError(_html_instead(origin))
            while unpacked.read(CHUNK_BYTES):
                pass
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise _TransientError(f"{origin} is truncated or damaged ({error})") from error


def _html_instead(origin: str) -> str:
    return (
        f"{origin} is an HTML page instead of a table: open it in a browser to see what the server "
        f"or a proxy says, and check base_url"
    )


class _FileProgress:
    """The part of one file in a progress bar of all, in the shape that pooch asks for."""

    def __init__(self, bar: tqdm, stop: threading.Event) -> None:
        self._bar = bar
        self._stop = stop
        self._total = 0
        self._done = 0

    @property
    def total(self) -> int:
        """Promised length in bytes, 0 where the server promises none."""
        return self._total

    @total.setter
    def total(self, value: int) -> None:
        with self._bar.get_lock():
            self._bar.total = (self._bar.total or 0) + value - self._total
        self._total = value

    def update(self, size: int) -> None:
        """Add bytes; pooch counts whole chunks, so the last one may be too many."""
        if self._stop.is_set():
            raise _TransientError("stopped")
        if self._total:
            size = min(size, self._total - self._done)
        self._done += size
        with self._bar.get_lock():
            self._bar.update(size)

    def reset(self) -> None:
        """Take this file's bytes back."""
        with self._bar.get_lock():
            self._bar.update(-self._done)
        self._done = 0

    def close(self) -> None:
        """Do nothing: the bar belongs to all files."""

    def settle(self) -> None:
        """Forget an unfinished file, whose next attempt starts again from zero."""
        if self._done < self._total:
            self.reset()
            with self._bar.get_lock():
                self._bar.total = (self._bar.total or 0) - self._total
