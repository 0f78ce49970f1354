// Computes without end, and ignores the signal that the limit of CPU time sends first.
// protected: timeout (used up its CPU time)
// control: passed
// phases: test
// limits: run_cpu_s=1
// number: u64::MAX, control 1000u64

extern "C" {
    fn signal(kind: i32, action: usize) -> usize;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ignores_the_signal() {
        unsafe { signal(24, 1) };
        for i in 0..NUMBER {
            std::hint::black_box(i);
        }
    }
}
