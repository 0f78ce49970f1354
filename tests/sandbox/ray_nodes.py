"""The nodes of a Ray cluster that tests grade on: facts of one that does not exist, and real ones on this machine."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sandbox.cluster.facts import NodeFacts
from sandbox.isolation.policy import Isolation
from sandbox.limits import Limits
from sandbox.toolchain import Toolchain

RUST = Toolchain(Path("/rust/bin"), "rustc 1.95.0 (5980761 2026-04-14)", "x86_64-unknown-linux-gnu")
FIRST = NodeFacts(
    "one", Isolation("landlock", Path("launcher"), RUST, landlock=7, first_user=9), Limits(), "batch", "c0de"
)
STORE_BYTES = 80 << 20


class Nodes:
    """A Ray on this machine whose nodes are processes. The head grades nothing."""

    def __init__(self, cluster: Any) -> None:
        self._cluster = cluster
        self.address: str = cluster.address

    def add(self, cpus: int = 1, **settings: Any) -> Any:
        """A node more."""
        return self._cluster.add_node(num_cpus=cpus, object_store_memory=STORE_BYTES, **settings)

    def kill(self, node: Any) -> None:
        """Take a node away at once, as when its machine stops."""
        self._cluster.remove_node(node, allow_graceful=False)


@contextmanager
def ray_nodes(*cpus: int) -> Iterator[Nodes]:
    """Nodes with so many CPUs each, ended at the end."""
    from ray.cluster_utils import Cluster

    root = str(Path(__file__).resolve().parents[2])
    before = os.environ.get("PYTHONPATH")
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [root, before]))  # that of the nodes
    head = {"num_cpus": 0, "object_store_memory": STORE_BYTES, "include_dashboard": False}
    try:
        cluster = Cluster(initialize_head=True, head_node_args=head)
        try:
            nodes = Nodes(cluster)
            for number in cpus:
                nodes.add(number)
            yield nodes
        finally:
            cluster.shutdown()
    finally:
        if before is None:
            del os.environ["PYTHONPATH"]
        else:
            os.environ["PYTHONPATH"] = before
