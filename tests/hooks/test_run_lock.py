import subprocess
import sys

import pytest
from filelock import FileLock, Timeout
from kedro.framework.hooks.manager import _create_hook_manager

from tcga_coherent.hooks import RunLockHooks

HOLD = """
import sys, time
from filelock import FileLock
with FileLock(sys.argv[1]):
    print("held", flush=True)
    time.sleep(60)
"""


class Context:
    def __init__(self, path):
        self.project_path = path
        self.config_loader = {"globals": {"environment": "demo"}}


@pytest.fixture
def start(tmp_path):
    hooks = RunLockHooks()
    manager = _create_hook_manager()
    manager.register(hooks)
    manager.hook.after_context_created(context=Context(tmp_path))

    def before_run(*names):
        manager.hook.before_pipeline_run(
            run_params={"pipeline_names": list(names)}, pipeline=None, catalog=None
        )
        return manager

    return before_run


@pytest.fixture
def other_run(tmp_path):
    lock = tmp_path / "data" / "08_reporting" / "demo" / ".lock"
    lock.parent.mkdir(parents=True)
    lock.with_suffix(".holder").write_text("process 7, since noon")
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(lock)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    yield process
    process.kill()
    process.wait()


def test_a_second_run_of_an_environment_is_refused_until_the_first_has_ended(start, other_run):
    with pytest.raises(
        RuntimeError, match=r"under way \(process 7, since noon\): wait for its end"
    ):
        start("preprocessing")
    # However it ended.
    other_run.kill()
    other_run.wait()
    start("preprocessing")


def test_completing_patients_only_reads_the_environment(start, other_run):
    start("complete")


def free(path):
    lock = FileLock(path / "data" / "08_reporting" / "demo" / ".lock")
    try:
        with lock.acquire(timeout=0):
            return True
    except Timeout:
        return False


def test_runs_one_after_the_other_are_fine_also_after_one_that_failed(start, tmp_path):
    start().hook.on_pipeline_error(error=None, run_params={}, pipeline=None, catalog=None)
    assert free(tmp_path)
    start().hook.after_pipeline_run(run_params={}, run_result={}, pipeline=None, catalog=None)
    assert free(tmp_path)
    start("preprocessing")
    assert not free(tmp_path)
    # Interrupted from the keyboard, a run says nothing at its end.
    start("preprocessing")
