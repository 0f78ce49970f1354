// Computes without end.
// protected: timeout (used up its CPU time)
// control: passed
// phases: test
// limits: run_cpu_s=1
// number: u64::MAX, control 1000u64

#[cfg(test)]
mod tests {
    #[test]
    fn spins() {
        for i in 0..NUMBER {
            std::hint::black_box(i);
        }
    }
}
