"""MLflow. Offline its database is a file below the run; online MLFLOW_TRACKING_URI names the server."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping
from typing import Any

from grpo_rust.following.sent import FOLDER
from grpo_rust.following.trackers import TrackedRun

__all__ = ["MlflowRun", "open_run"]

NOT_IN_NAMES = re.compile(r"[^\w\-. /:]")
LONGEST_VALUE = 500  # characters of a setting: what servers of all ages take
AT_ONCE = 100  # settings in one request


def open_run(run: TrackedRun, memory: dict[str, str], say: Callable[[str], None]) -> MlflowRun:
    """Open the run, the one of earlier sessions where there was one."""
    from mlflow.entities import Param
    from mlflow.tracking import MlflowClient

    database = run.path.resolve() / FOLDER / "mlflow.db"
    database.parent.mkdir(parents=True, exist_ok=True)
    client = MlflowClient(tracking_uri=None if run.online else f"sqlite:///{database}")
    if "run_id" not in memory:
        experiment = client.get_experiment_by_name(run.project)
        place = experiment.experiment_id if experiment else client.create_experiment(run.project)
        memory["run_id"] = client.create_run(place, run_name=run.name).info.run_id
        params = [
            Param(f"{section}.{key}", str(value)[:LONGEST_VALUE])
            for section, values in run.settings.items()
            for key, value in values.items()
        ]
        for start in range(0, len(params), AT_ONCE):
            client.log_batch(memory["run_id"], params=params[start : start + AT_ONCE])
    else:
        client.update_run(memory["run_id"], status="RUNNING")
    return MlflowRun(client, memory["run_id"])


class MlflowRun:
    """A run that is logged to, one request a step."""

    def __init__(self, client: Any, run_id: str) -> None:
        self._client, self._id = client, run_id

    def metrics(self, step: int, values: Mapping[str, float]) -> None:
        """Send a step."""
        from mlflow.entities import Metric

        now = int(time.time() * 1000)
        self._client.log_batch(
            self._id, metrics=[Metric(NOT_IN_NAMES.sub("_", key), value, now, step) for key, value in values.items()]
        )

    def evaluation(self, step: int, values: Mapping[str, float]) -> None:
        """Send an evaluation: its keys are others than those of a step."""
        self.metrics(step, values)

    def close(self) -> None:
        """Mark the run as finished; a later session opens it again."""
        self._client.set_terminated(self._id)
