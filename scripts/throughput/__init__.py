"""The parts of `scripts/bench_throughput.py`: what trains, and how contenders take turns."""
