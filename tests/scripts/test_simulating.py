"""The contract of `simulating`: events in the order of time, and pipelines whose steps can be added up by hand."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest

from grpo.schema import ConfigError, to_toml
from grpo_rust.recipe import load_recipe
from grpo_rust.scaling.costs import DecodingCost
from grpo_rust.scaling.division import Division
from simulating.assumed import BATCH_S
from simulating.comparing import compare
from simulating.costs import PipelineCosts
from simulating.decoding import InterruptibleEngine, completion_ends
from simulating.events import Event, Lane, Process, Simulation, Work
from simulating.grading import GradingWorkers
from simulating.measured import LEAST_PROGRAM_S, measured_costs, read_timed_run
from simulating.outcome import SimulatedOutcome, simulate
from simulating.pipeline import Shape
from simulating.shapes import shape_of

COSTS = PipelineCosts(  # of a completion: 1 s to sample, .3 s to grade; 2 s to train, .5 s for new weights
    lengths=((10,),),
    decoding=DecodingCost(0.1, 0.0),
    training_s=lambda tokens: 2.0,
    weights_s=0.5,
    programs=((0.3, 0.0),),
    batch_s=0.0,
    host_s=0.0,
)
SHAPE = Shape(
    prompts=1,
    group_size=2,
    overlap=0,
    partial=False,
    refill_rounds=0,
    concurrent=True,
    skips_zero_std=True,
    passes=1,
    jobs=2,
    batch_size=1,
    division=Division(1, 1),
    cores=4,
    on_gpus=True,
)


def step_s(costs: PipelineCosts = COSTS, shape: Shape = SHAPE, **changes: object) -> float:
    """Seconds of a step."""
    return 3600 / simulate(dataclasses.replace(shape, **changes), costs, steps=6, seed=0).steps_per_hour


def longer(seconds: float) -> PipelineCosts:
    """The costs with completions that take so long to sample."""
    return dataclasses.replace(COSTS, decoding=DecodingCost(seconds / 10, 0.0))


# Events


def test_a_lane_that_slows_down_delays_all_of_its_work_and_nothing_else():
    slow, other, ended = Lane(), Lane(), []
    simulation = Simulation([slow, other], lambda: None)

    def process(lane: Lane, seconds: float, name: str):
        yield Work(lane, seconds)
        ended.append((name, simulation.now))
        slow.speed = 0.5

    done = [
        simulation.start(process(*what)) for what in ((slow, 3.0, "slow"), (other, 1.0, "first"), (other, 2.0, "b"))
    ]
    simulation.run(done[0])
    assert ended == [("first", 1.0), ("b", 2.0), ("slow", 5.0)]  # 1 s at full speed, then 2 s of work at half


def test_who_waits_for_something_that_never_happens_is_a_fault_and_no_endless_loop():
    with pytest.raises(RuntimeError, match="everybody waits"):
        Simulation([Lane()], lambda: None).run(Event())


# Sampling and grading


def test_the_long_tail_of_a_batch_is_decoded_by_few_rows_at_a_fast_rate():
    lengths = np.array([100] * 7 + [700])
    ends = completion_ends(lengths, DecodingCost(iteration_s=0.004, row_s=0.001))
    assert ends[0] == pytest.approx(100 * 0.012) and ends[-1] == pytest.approx(100 * 0.012 + 600 * 0.005)


def test_rows_beyond_the_slots_take_the_place_of_those_that_ended():
    ends = completion_ends(np.array([2, 4, 3]), DecodingCost(1.0, 0.0, slots=2))
    assert ends.tolist() == [2.0, 4.0, 5.0]
    assert completion_ends(np.array([2, 4, 3]), DecodingCost(1.0, 0.0, slots=3)).tolist() == [2.0, 4.0, 3.0]


def grade(programs: int, *, jobs: int, batch_size: int, pair: tuple[float, float]) -> float:
    """When the last of some programs that come at once is graded."""
    lane, left = Lane(), [Event() for _ in range(programs)]
    simulation = Simulation([lane], lambda: None)
    costs = dataclasses.replace(COSTS, programs=(pair,), batch_s=1.0)
    random = np.random.default_rng(0)
    workers = GradingWorkers(
        simulation, lane, costs, random, jobs=jobs, batch_size=batch_size, occupy=lambda change: None
    )
    for event in left:
        workers.submit(event.happen)
    for event in left:
        simulation.run(event)
    return simulation.now


def test_programs_that_wait_share_the_cost_of_a_batch():
    assert grade(3, jobs=1, batch_size=1, pair=(0.1, 0.0)) == pytest.approx(3 * 1.1)
    assert grade(3, jobs=1, batch_size=16, pair=(0.1, 0.0)) == pytest.approx(
        1.1 + 1.2
    )  # one at once, then both that wait
    assert grade(18, jobs=1, batch_size=16, pair=(0.1, 0.0)) == pytest.approx(1.1 + 2.6 + 1.1)  # 16 at most
    assert grade(5, jobs=2, batch_size=16, pair=(0.1, 0.0)) == pytest.approx(1.1 + 1.2)  # half of the three that wait


def test_a_strict_pass_goes_through_the_queue_once_more():
    assert grade(1, jobs=1, batch_size=16, pair=(0.1, 0.4)) == pytest.approx(1.1 + 1.4)


# Pipelines


def test_without_overlap_a_step_is_the_sum_of_its_parts():
    assert step_s() == pytest.approx(1 + 0.3 + 2 + 0.5)
    outcome = simulate(SHAPE, COSTS, steps=6, seed=0)
    assert outcome.spent == pytest.approx(
        {"sampling": 1.0, "grading": 0.3, "training": 2.0, "new weights": 0.5, "the trainer's process": 0.0}
    )
    assert outcome.bottleneck == "training"
    assert outcome.idle == pytest.approx({"trainer": 1 - 2 / 3.8, "engines": 1 - 1 / 3.8, "workers": 1 - 0.3 / 3.8})


@pytest.mark.parametrize("overlap", [1, 2])
def test_one_batch_ahead_the_longer_of_sampling_and_training_counts(overlap):
    assert step_s(overlap=overlap) == pytest.approx(2 + 0.5)  # new weights wait for what is being sampled
    assert step_s(longer(3.0), overlap=overlap) == pytest.approx(3 + 0.5)


def test_new_weights_interrupt_what_is_sampled_and_do_not_wait_for_it():
    """The engine stands still for .5 s of every step, and the batches in flight share its rows."""
    assert step_s(overlap=1, partial=True) == pytest.approx(2 + 0.5)
    # 3 s: .35 s of waiting, .3 s and 2 s of the step before, and again .35 s of waiting
    assert step_s(longer(3.0), overlap=1, partial=True) == pytest.approx(0.35 + 0.3 + 2 + 0.5)
    assert step_s(longer(3.0), overlap=2, partial=True) == pytest.approx(2 + 0.5)  # sampled beside two updates
    rows = dataclasses.replace(COSTS, decoding=DecodingCost(0.0, 0.15))  # the same 3 s, but of rows: nothing is won
    assert step_s(rows, overlap=2, partial=True) == pytest.approx(3 + 0.5)
    slots = dataclasses.replace(COSTS, decoding=DecodingCost(0.3, 0.0, slots=2))  # no row is free for the next batch
    assert step_s(slots, overlap=2, partial=True) == pytest.approx(3 + 0.5)
    assert step_s(slots, overlap=2, partial=True, division=Division(1, 2), prompts=2) == pytest.approx(3 + 0.5)


def test_an_engine_that_stands_still_keeps_what_is_written_and_its_time_is_not_counted():
    lane, ended, changes = Lane(), Event(), list[int]()
    simulation = Simulation([lane], lambda: None)
    engine = InterruptibleEngine(simulation, lane, DecodingCost(1.0, 0.0), changes.append)
    engine.stand_still()
    engine.add([4], ended.happen)

    def process() -> Process:
        yield Work(lane, 3.0)
        engine.go_on()
        yield Work(lane, 1.0)
        engine.go_on()  # changes nothing
        yield Work(lane, 1.5)
        engine.stand_still()
        yield Work(lane, 10.0)
        engine.go_on()

    simulation.start(process())
    simulation.run(ended)
    assert simulation.now == pytest.approx(3 + 2.5 + 10 + 1.5) and changes == [1, -1, 1, -1]


def test_sampling_ahead_hides_grading_too_but_not_with_too_few_workers():
    slow = dataclasses.replace(COSTS, programs=((2.4, 0.0),))
    assert step_s(slow) == pytest.approx(1 + 2.4 + 2 + 0.5)
    # Two steps take 5.9 s: graded 2.4 s after the programs before them, or 1 s after the step began, whichever is later
    assert step_s(slow, overlap=1) == pytest.approx(2.95)
    assert step_s(slow, overlap=1, jobs=1) == pytest.approx(4.8)  # two programs a step on one worker


def test_engine_and_trainer_on_one_gpu_hide_nothing_of_each_other():
    assert step_s(overlap=1, division=Division(1)) == pytest.approx(1 + 2 + 0.5)
    assert step_s(longer(3.0), overlap=1, division=Division(1)) == pytest.approx(3 + 2 + 0.5)


def test_engines_divide_the_groups_and_the_slowest_is_waited_for():
    uneven = dataclasses.replace(COSTS, decoding=DecodingCost(0.0, 0.1))  # 1 s a completion, each alone
    three = {"prompts": 3, "jobs": 6, "cores": 8}
    assert step_s(uneven, **three) == pytest.approx(6 + 0.3 + 2 + 0.5)
    assert step_s(uneven, **three, division=Division(1, 3)) == pytest.approx(2 + 0.3 + 2 + 0.5)
    assert step_s(uneven, **three, division=Division(1, 2)) == pytest.approx(4 + 0.3 + 2 + 0.5)


def test_on_cpus_everything_shares_the_cores():
    here = dataclasses.replace(SHAPE, on_gpus=False, concurrent=False, division=Division(1), cores=2)
    assert step_s(shape=here) == pytest.approx(1 + 0.3 + 2 + 0.5)
    assert step_s(shape=here, cores=1) == pytest.approx(1 + 2 * 0.3 + 2 + 0.5)  # two programs on one core
    idle = dataclasses.replace(COSTS, worker_load=0.6)  # 1.2 threads on one core
    assert step_s(idle, shape=here, cores=1) == pytest.approx(1 + 1.2 * 0.3 + 2 + 0.5)
    # One ahead, in the trainer's own thread: the next batch is sampled before the update, and graded beside it: three
    # threads have two cores for .45 s
    assert step_s(shape=here, overlap=1) == pytest.approx(1 + 2 + 0.15 + 0.5)
    # An engine in a process of its own hides sampling where there is a core for it, and nothing where there is one core
    assert step_s(shape=here, overlap=1, concurrent=True, cores=8) == pytest.approx(2 + 0.5)
    assert step_s(shape=here, overlap=1, concurrent=True, cores=1) == pytest.approx(1 + 0.6 + 2 + 0.5, abs=0.11)


def test_groups_without_spread_are_left_out_or_replaced():
    alike = dataclasses.replace(COSTS, rewards=((1.0, 1.0), (0.0, 0.0)), training_s=lambda tokens: 0.1 * tokens)
    assert step_s(alike) == pytest.approx(1 + 0.3 + 0.5)
    assert step_s(alike, skips_zero_std=False) == pytest.approx(1 + 0.3 + 0.1 * 20 + 0.5)
    assert step_s(alike, refill_rounds=2) == pytest.approx(3 * (1 + 0.3) + 0.5)
    differ = dataclasses.replace(alike, rewards=((1.0, 0.0),))
    assert step_s(differ, refill_rounds=2) == pytest.approx(1 + 0.3 + 0.1 * 20 + 0.5)
    assert alike.zero_std_share(2, np.random.default_rng(0)) == 1.0
    half = dataclasses.replace(alike, rewards=((1.0, 1.0), (1.0, 0.0)))
    assert half.zero_std_share(2, np.random.default_rng(0)) == pytest.approx(0.5, abs=0.03)


def test_the_trainers_own_process_is_counted_for_every_completion():
    assert step_s(dataclasses.replace(COSTS, host_s=0.25)) == pytest.approx(1 + 0.3 + 2 * 0.25 + 2 + 0.5)


def test_the_same_seed_gives_the_same_outcome_and_another_one_another():
    def outcome(seed: int) -> SimulatedOutcome:
        return simulate(dataclasses.replace(SHAPE, prompts=8), costs, steps=5, seed=seed)

    costs = dataclasses.replace(COSTS, lengths=(tuple(range(1, 100)),), programs=((0.1, 0.0), (0.9, 0.2)))
    assert outcome(1) == outcome(1) != outcome(2)


# Rates of finished runs


def finished(path, *, lengths, settings=(), evidence=0.0, **times):
    """A run whose times follow from its lengths: .01 s an iteration, .001 s a row; .2 s and .002 s a token to train."""
    sizes = ["train.prompts_per_step=1", "sampling.group_size=2", "train.threads=1", "sandbox.jobs=1"]
    recipe = load_recipe(None, ["model.path=m", *sizes, f"run.dir={path}", *settings])
    path.mkdir()
    (path / "config.toml").write_text(to_toml(recipe))
    (path / "environment.json").write_text('{"machine": {"cores": 2}}')
    metrics, completions = [], []
    for step, tokens in enumerate(lengths, start=1):
        late = 100.0 if step == 1 else 0.0  # the first step is not read
        generate, train = 0.01 * max(tokens) + 0.001 * sum(tokens) + late, 0.2 + 0.002 * sum(tokens)
        spent = {"generate": generate, "wait_engine": generate, "wait_rewards": 1.0, "train": train, "sync": 0.25}
        step_time = generate + 1.0 + train + 0.25 + 0.01 * len(tokens)
        spent |= {"step": step_time, "sandbox": 0.3 * len(tokens), **times}
        metrics.append({"step": step, **{f"time/{name}": value for name, value in spent.items()}})
        verdict = {"cpu_ms": 150.0, "evidence": {"cpu_ms": evidence} if evidence else None}
        completions += [
            {
                "id": f"s{step}-p00-c{k}",
                "step": step,
                "phase": "train",
                "num_tokens": n,
                "reward": k % 2,
                "advantage": 1.0,
            }
            | {"verdict": verdict}
            for k, n in enumerate(tokens)
        ]
    for name, lines in (("metrics", metrics), ("completions", completions)):
        (path / f"{name}.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    return path


LENGTHS = [[5, 5], [10, 30], [40, 20], [100, 90]]


def test_rates_are_read_from_what_a_run_has_logged(tmp_path):
    run = read_timed_run(finished(tmp_path / "a", lengths=LENGTHS, evidence=50.0))
    costs = measured_costs([run], run.recipe)
    assert sorted(costs.lengths) == [(10, 30), (40, 20), (100, 90)]
    assert (costs.decoding.iteration_s, costs.decoding.row_s) == pytest.approx((0.01, 0.001))
    assert costs.training_s(1000) == pytest.approx(2.2) and costs.weights_s == pytest.approx(0.25)
    assert costs.host_s == pytest.approx(0.01)
    assert costs.rewards == ((0, 1),) * 3
    scale = costs.programs[0][0] / 0.1  # .05 of a program's .15 s of CPU time were spent after its strict pass
    assert costs.programs[0][1] == pytest.approx(0.05 * scale) and costs.worker_load == pytest.approx(1 / scale)
    # workers were busy for .6 s a step: the first program alone, then the other one and what the first one is asked
    # then, and at last the same of the other, each kind with a batch's own cost
    assert 2 * 0.15 * scale + 4 * BATCH_S == pytest.approx(0.6, rel=0.01)


def test_a_completion_without_code_costs_no_worker_anything(tmp_path):
    path = finished(tmp_path / "a", lengths=[[5, 5], [10, 10]])
    log = path / "completions.jsonl"
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    lines[-1]["verdict"] = {"code": None, "strict_reason": "no code"}
    log.write_text("".join(json.dumps(line) + "\n" for line in lines))
    run = read_timed_run(path)
    costs = measured_costs([run], run.recipe)
    assert costs.programs[0][0] > 0.3 and costs.programs[1] == (LEAST_PROGRAM_S, 0.0)


def test_what_a_group_ran_on_each_others_tests_is_a_worker_s_time_too(tmp_path):
    path = finished(tmp_path / "a", lengths=[[5, 5], [10, 10]], settings=["rewards.weights.cross_all=1.0"])
    (path / "rewards").mkdir()
    crossed = [{"completion_id": f"s2-p00-c{k}", "seconds": 0.05, "score": 1.0} for k in range(2)]
    (path / "rewards" / "cross_all.jsonl").write_text("".join(json.dumps(line) + "\n" for line in crossed))
    run = read_timed_run(path)
    costs = measured_costs([run], run.recipe)
    scale = costs.programs[0][0] / 0.15
    assert costs.crossing_s(2) == pytest.approx(0.1 * scale) and scale * (0.3 + 0.1) + 2 * BATCH_S == pytest.approx(0.6)


def test_the_cost_of_crossings_is_of_a_group_and_of_its_completions(tmp_path):
    runs = []
    for size, seconds in ((2, 0.1), (4, 0.12)):  # .08 s a group, .01 s a completion
        path = finished(
            tmp_path / str(size),
            lengths=[[5] * size] * 2,
            settings=["rewards.weights.cross_all=1.0", f"sampling.group_size={size}"],
        )
        (path / "rewards").mkdir()
        lines = [{"completion_id": f"s2-p00-c{k}", "seconds": seconds / size} for k in range(size)]
        (path / "rewards" / "cross_all.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
        runs.append(read_timed_run(path))
    costs = measured_costs(runs, runs[0].recipe)
    assert costs.crossing_s(8) / costs.crossing_s(2) == pytest.approx(0.16 / 0.1)


def test_a_simulation_by_those_rates_is_that_run_and_says_how_far_off_it_is(tmp_path):
    """Grading and decoding overlap in the simulation: the run's own second of waiting is not what it says."""
    rates = read_timed_run(finished(tmp_path / "a", lengths=[[50, 50]] * 4))
    other = read_timed_run(finished(tmp_path / "b", lengths=[[50, 50]] * 4))
    (one,) = compare([rates], [other], cores=2, steps=4, seed=0)
    # .6 s to sample, both programs one after the other, .4 s to train, .25 s for new weights, .02 s beside
    expected = 0.6 + 2 * 0.3 + 0.4 + 0.25 + 0.02
    assert 3600 / one.simulated == pytest.approx(expected)
    assert 3600 / one.measured == pytest.approx(0.6 + 1.0 + 0.4 + 0.25 + 0.02)
    assert one.error == pytest.approx(one.simulated / one.measured - 1, abs=1e-5)


def test_workers_of_each_of_nobody_knows_how_many_nodes_are_refused():
    ray = ["sandbox.pool=ray", "sandbox.jobs=4"]
    with pytest.raises(ConfigError, match="sandbox.jobs=4 is of each node of Ray.* use sandbox.jobs=0"):
        shape_of(load_recipe(None, ray), Division(1), cores=64, on_gpus=True)
    assert shape_of(load_recipe(None, ray[:1]), Division(1), cores=64, on_gpus=True).jobs > 32


def test_rates_that_are_missing_or_of_something_else_are_refused(tmp_path):
    run = read_timed_run(finished(tmp_path / "a", lengths=LENGTHS))
    with pytest.raises(ConfigError, match="is no run"):
        read_timed_run(tmp_path)
    with pytest.raises(ConfigError, match="at least two steps"):
        read_timed_run(finished(tmp_path / "short", lengths=LENGTHS[:1]))
    bare = finished(tmp_path / "bare", lengths=LENGTHS)
    (bare / "completions.jsonl").unlink()
    with pytest.raises(ConfigError, match="rates are missing"):
        read_timed_run(bare)
    with pytest.raises(ConfigError, match="nodes of a Ray cluster, whose workers no log counts"):
        read_timed_run(finished(tmp_path / "ray", lengths=LENGTHS, settings=["sandbox.pool=ray"]))
    for setting in ("model.path=other", "sampling.engine=paged", "sandbox.backend=cargo", "train.threads=2"):
        other = load_recipe(None, ["model.path=m", "train.threads=1", setting])
        with pytest.raises(ConfigError, match=setting.partition("=")[0]):
            measured_costs([run], other)
    with pytest.raises(ConfigError, match="prove nothing"):
        compare([run], [run], cores=2, steps=1, seed=0)
