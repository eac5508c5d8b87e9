import errno
import gzip
import hashlib
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pooch
import pytest
from kedro.io.core import DatasetError

from tcga_coherent.datasets.raw.downloads import fetch_files
from tcga_coherent.datasets.raw.hash_registry import HashRegistry

from .conftest import HTML_PAGE, Hub

NAME = "TCGA-ACC.protein.tsv.gz"
BODY = gzip.compress(b"gene\tTCGA-OR-A5J1-01A\nTP53\t1.5\n" * 500, mtime=0)


def fetch(hub: Hub, folder: Path, names: list[str] | None = None, **settings: float) -> list[str]:
    return fetch_files(folder, hub.url, names or [NAME], **({"first_delay": 0.01} | settings))


def entries(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_downloaded_files_have_the_content_of_the_server_and_their_hashes_are_recorded(
    hub: Hub, tmp_path: Path
) -> None:
    names = [f"TCGA-{cohort}.protein.tsv.gz" for cohort in "ABCDEFG"]
    hub.files = {name: gzip.compress(name.encode(), mtime=0) for name in names}

    assert fetch(hub, tmp_path, names, workers=3) == []

    assert {name: (tmp_path / name).read_bytes() for name in names} == hub.files
    assert (tmp_path / "registry.txt").read_text() == "".join(
        f"{name} {hashlib.sha256(hub.files[name]).hexdigest()}\n" for name in names
    )
    assert entries(tmp_path) == {*names, "registry.txt"}


def test_files_that_are_there_are_not_downloaded_again(hub: Hub, tmp_path: Path) -> None:
    hub.files = {NAME: BODY, "other.gz": BODY}
    fetch(hub, tmp_path)
    fetch(hub, tmp_path, [NAME, "other.gz"])
    assert hub.requests == [NAME, "other.gz"]


def test_server_errors_are_retried_until_the_server_recovers(hub: Hub, tmp_path: Path) -> None:
    hub.files = {NAME: BODY}
    hub.faults[NAME] = ["500", "503", "429"]
    fetch(hub, tmp_path, attempts=4)
    assert (tmp_path / NAME).read_bytes() == BODY
    assert len(hub.requests) == 4


def test_the_delay_doubles_between_attempts(hub: Hub, tmp_path: Path) -> None:
    hub.files = {NAME: BODY}
    hub.faults[NAME] = ["500"] * 3
    start = time.monotonic()
    fetch(hub, tmp_path, attempts=4, first_delay=0.1)
    # 0.1 + 0.2 + 0.4 seconds; constant delays would make 0.3.
    assert 0.7 <= time.monotonic() - start < 3


def test_an_error_that_does_not_go_away_names_the_url_and_the_attempts(
    hub: Hub, tmp_path: Path
) -> None:
    hub.files = {NAME: BODY, "good.gz": BODY}
    hub.faults[NAME] = ["500"] * 3
    with pytest.raises(
        DatasetError, match=rf"{hub.url}/{NAME} could not be downloaded in 3 attempts \(HTTP 500\)"
    ):
        fetch(hub, tmp_path, [NAME, "good.gz"], attempts=3)
    assert entries(tmp_path) == {"good.gz", "registry.txt"}


def test_a_server_that_does_not_answer_is_given_up_on_with_the_first_file(tmp_path: Path) -> None:
    names = [f"{letter}.gz" for letter in "abcdef"]
    with pytest.raises(
        DatasetError,
        match=r"1 of 6 .*a\.gz could not .*: check network, .*\. 5 more were not tried",
    ):
        # Nothing listens on the discard port.
        fetch_files(tmp_path, "http://127.0.0.1:9", names, workers=1, attempts=2, first_delay=0.01)


def test_a_body_that_ends_early_is_downloaded_again(hub: Hub, tmp_path: Path) -> None:
    hub.files = {NAME: BODY}
    hub.faults[NAME] = ["truncate"]
    fetch(hub, tmp_path)
    assert (tmp_path / NAME).read_bytes() == BODY


def test_a_body_that_always_ends_early_leaves_no_file(hub: Hub, tmp_path: Path) -> None:
    hub.files = {NAME: BODY}
    hub.faults[NAME] = ["truncate"] * 2
    with pytest.raises(DatasetError, match="could not be downloaded in 2 attempts"):
        fetch(hub, tmp_path, attempts=2)
    assert entries(tmp_path) == set()


def test_a_file_truncated_on_the_server_itself_leaves_no_file(hub: Hub, tmp_path: Path) -> None:
    hub.files = {NAME: BODY[:-9]}  # the promised length is right, the gzip stream is not
    with pytest.raises(DatasetError, match=r"is truncated or damaged \(Compressed file ended"):
        fetch(hub, tmp_path, attempts=2)
    assert entries(tmp_path) == set()


@pytest.mark.parametrize("page", [HTML_PAGE, gzip.compress(HTML_PAGE)], ids=["plain", "compressed"])
def test_a_web_page_in_place_of_a_table_is_refused_at_once(
    hub: Hub, tmp_path: Path, page: bytes
) -> None:
    hub.files = {NAME: page}
    with pytest.raises(DatasetError, match=rf"{hub.url}/{NAME} is an HTML page instead of a table"):
        fetch(hub, tmp_path)
    assert entries(tmp_path) == set()
    assert hub.requests == [NAME]


def test_a_file_labelled_as_encoded_is_kept_compressed(hub: Hub, tmp_path: Path) -> None:
    hub.files = {NAME: BODY}
    hub.headers = {"Content-Encoding": "gzip"}
    fetch(hub, tmp_path)
    assert (tmp_path / NAME).read_bytes() == BODY


@pytest.mark.parametrize("status", ["404", "403"])
def test_files_that_the_server_lacks_are_returned(hub: Hub, tmp_path: Path, status: str) -> None:
    hub.files = {NAME: BODY, "absent.gz": BODY}
    hub.faults["absent.gz"] = [status]
    assert fetch(hub, tmp_path, [NAME, "absent.gz"]) == ["absent.gz"]
    assert entries(tmp_path) == {NAME, "registry.txt"}


def test_a_changed_file_stops_with_both_hashes_and_the_way_out(hub: Hub, tmp_path: Path) -> None:
    hub.files = {NAME: BODY}
    fetch(hub, tmp_path)
    changed = gzip.compress(b"changed", mtime=0)
    (tmp_path / NAME).write_bytes(changed)
    new, old = hashlib.sha256(changed).hexdigest(), hashlib.sha256(BODY).hexdigest()
    message = rf"{NAME} changed: its SHA-256 is {new}, but {old} was recorded .* delete its line"
    with pytest.raises(DatasetError, match=message):
        fetch(hub, tmp_path)


def test_a_file_that_changed_on_the_server_does_not_take_the_place_of_the_former_one(
    hub: Hub, tmp_path: Path
) -> None:
    hub.files = {NAME: BODY}
    fetch(hub, tmp_path)
    (tmp_path / NAME).unlink()
    hub.files = {NAME: gzip.compress(b"a later release", mtime=0)}
    with pytest.raises(DatasetError, match="changed: its SHA-256 is"):
        fetch(hub, tmp_path)
    assert entries(tmp_path) == {"registry.txt"}


def test_a_file_put_there_by_hand_is_checked_and_recorded(hub: Hub, tmp_path: Path) -> None:
    (tmp_path / NAME).write_bytes(BODY)
    (tmp_path / "half.gz").write_bytes(BODY[:-9])
    with pytest.raises(DatasetError, match=r"half.gz is truncated .* delete it to download it"):
        fetch(hub, tmp_path, [NAME, "half.gz"])
    assert HashRegistry(tmp_path).read() == {NAME: hashlib.sha256(BODY).hexdigest()}
    assert hub.requests == []


def test_a_full_disk_is_named_with_the_file(
    hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fill_the_disk(self: pooch.HTTPDownloader, url: str, path: str, caller: None) -> None:
        Path(path).write_bytes(BODY[:10])
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(pooch.HTTPDownloader, "__call__", fill_the_disk)
    with pytest.raises(DatasetError, match=rf"Cannot write {tmp_path}/{NAME}: No space left"):
        fetch(hub, tmp_path)
    assert entries(tmp_path) == set()


def test_a_killed_download_leaves_nothing_that_passes_for_whole_and_can_be_repeated(
    hub: Hub, tmp_path: Path
) -> None:
    body = gzip.compress(random.Random(0).randbytes(6 * 2**20), compresslevel=1, mtime=0)
    hub.files = {NAME: BODY, "large.gz": body}
    hub.faults["large.gz"] = ["stall"]
    program = (
        "from pathlib import Path\n"
        "from tcga_coherent.datasets.raw.downloads import fetch_files\n"
        f"fetch_files(Path({str(tmp_path)!r}), {hub.url!r}, [{NAME!r}, 'large.gz'], workers=1)\n"
    )
    process = subprocess.Popen([sys.executable, "-c", program], stderr=subprocess.DEVNULL)
    partial = tmp_path / "large.gz.partial"
    deadline = time.monotonic() + 60
    while not (partial.is_file() and partial.stat().st_size > 2**20):
        assert time.monotonic() < deadline
        assert process.poll() is None
        time.sleep(0.02)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    hub.released.set()

    assert not (tmp_path / "large.gz").exists()
    assert set(HashRegistry(tmp_path).read()) == {NAME}

    assert fetch(hub, tmp_path, [NAME, "large.gz"]) == []
    assert (tmp_path / "large.gz").read_bytes() == body
    assert hub.requests == [NAME, "large.gz", "large.gz"]
    assert entries(tmp_path) == {NAME, "large.gz", "registry.txt"}


def test_a_redirect_in_a_circle_is_named_at_once(hub: Hub, tmp_path: Path) -> None:
    hub.headers = {"Location": f"{hub.url}/{NAME}"}
    hub.faults[NAME] = ["302"] * 200
    with pytest.raises(DatasetError, match=rf"{hub.url}/{NAME} redirects in a circle: check base"):
        fetch(hub, tmp_path)
    # One chain of redirects, not five.
    assert len(hub.requests) < 40


def test_an_empty_body_is_named_as_such(hub: Hub, tmp_path: Path) -> None:
    hub.files = {NAME: b""}
    with pytest.raises(DatasetError, match=rf"{hub.url}/{NAME} is empty \(0 bytes\)"):
        fetch(hub, tmp_path)
    assert entries(tmp_path) == set()
