"""On a Dask cluster of two worker processes: the same grades, when a worker dies as well, and only
a notebook that kills every worker is to blame for it."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import autograde_course as ac
import pytest
from autograde_course import pretend

from tensorkit.autograde.job import Job, NotReady, Result
from tensorkit.autograde.run import execute

dask = pytest.importorskip("dask", reason="grading on a cluster needs the extra [grading]")
distributed = pytest.importorskip("distributed", reason="needs the extra [grading]")

pytestmark = pytest.mark.filterwarnings("ignore")


def grade_or_die(job: Job) -> Result:
    """Run a job as a worker does; some submissions kill it, one of them only once."""
    if job.student == "killer":
        os.kill(os.getpid(), signal.SIGKILL)
    once = Path(os.environ["DIED_ONCE"])
    if job.student == "unlucky" and not once.exists():
        once.write_text(str(os.getpid()))
        os.kill(os.getpid(), signal.SIGKILL)
    # two real notebooks show that kernels run there; the others only show who runs again
    return execute(job) if job.student in ("ada", "bob") else pretend(job)


@pytest.fixture(scope="module")
def graded(tmp_path_factory):
    home = tmp_path_factory.mktemp("dask")
    patch = ac.isolated(home)
    patch.setenv("PYTHONPATH", os.pathsep.join([str(ac.ROOT), str(Path(__file__).parent)]))
    patch.setenv("DIED_ONCE", str(home / "died"))
    patch.setenv("GRADED_LOG", str(home / "log"))
    course = ac.make(home / "course")
    course.submit("ada")
    course.submit("bob", {"double": ac.ANSWERS["double"]})
    course.submit("killer")
    course.submit("unlucky")
    for student in ("dee", "eve"):
        course.submit(student)
    few = {
        "distributed.scheduler.allowed-failures": 0,
        "distributed.worker.daemon": False,
        # this kind of cluster gives a worker up that is away 15 seconds after it died once: here
        # they die again at just that time
        "distributed.deploy.lost-worker-timeout": "1 hour",
    }
    with (
        dask.config.set(few),
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None
        ) as cluster,
    ):
        heard = course.grade(run=grade_or_die, scheduler=cluster.scheduler_address)
    patch.undo()
    return course, heard, home


def test_everybody_is_graded_by_processes_of_the_cluster(graded):
    course, heard, _ = graded
    assert not heard.problems
    assert course.marks("ada") == {"check-double": 2, "check-half": 3, "why": 0}
    assert course.marks("bob") == {"check-double": 2, "check-half": 0, "why": 0}
    hosts = {result.host for result in heard.results.values() if result.host}
    assert len(hosts) >= 2
    assert not [host for host in hosts if host.endswith(f":{os.getpid()}")]


def test_a_worker_that_dies_costs_nobody_points(graded):
    course, heard, home = graded
    died = (home / "died").read_text()
    assert not heard.results["unlucky"].host.endswith(f":{died}")
    for student in ("unlucky", "dee", "eve"):
        assert course.marks(student) == {"check-double": 2, "check-half": 3, "why": 1}


def test_a_notebook_that_kills_workers_gets_zero_and_the_reason(graded):
    course, heard, _ = graded
    assert set(course.marks("killer").values()) == {0.0}
    assert "it ended every worker" in str(heard.results["killer"])


def test_an_address_without_a_scheduler_is_refused(graded, monkeypatch):
    course, _, _ = graded
    monkeypatch.setattr("tensorkit.autograde.engine.PATIENCE", 1)
    with pytest.raises(NotReady, match="no Dask scheduler"):
        course.grade(scheduler="tcp://127.0.0.1:9", force=True)
