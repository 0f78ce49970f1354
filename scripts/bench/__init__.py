"""What the benchmarks measure: `bench_loss.py`, `bench_throughput.py` and `bench_sandbox.py` are their commands."""
