// Computes a constant without end.
// protected: timeout (used up its CPU time)
// control: passed
// limits: compile_cpu_s=2
// number: u64::MAX, control 1000

#![allow(long_running_const_eval)]

const SUM: u64 = {
    let mut i = 0;
    while i < NUMBER {
        i += 1;
    }
    i
};

fn sum() -> u64 {
    SUM
}

#[cfg(test)]
mod tests {
    #[test]
    fn passes() {
        assert_eq!(1 + 1, 2);
    }
}
