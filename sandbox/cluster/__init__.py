"""One pool over the nodes of a Ray cluster: `RayPool` stands in for `SandboxPool`. Needs the package `ray`.

    ray_pool          the pool, in the caller's process, which loads nothing of Ray
    driver_process    its link to the driver: a process of its own, so that Ray may fail there and not in a training
    driver            that process: tasks in, results out; `connect` reaches Ray for it
    nodes             which nodes grade: they join, are compared with the run and the first, leave, and rest
    dispatcher        which task goes to which node, and what becomes of the tasks of a node that is lost
    node_pool         what runs on a node: an ordinary `SandboxPool`

Promises: the same results as the pool of one machine, exactly one for each task; nodes that would give others are left
out by name; a lost node costs its tasks time and no result. Everything between machines is Ray's. Left out: tasks that
wait on a slow node move to no other, and shared stores of results: the caller's own stands before all nodes.
"""
