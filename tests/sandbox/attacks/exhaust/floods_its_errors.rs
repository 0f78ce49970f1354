// Prints without end as errors.
// protected: timeout (used up its CPU time)
// control: passed
// phases: test
// limits: run_cpu_s=1 output_kb=64
// number: u64::MAX, control 3

#[cfg(test)]
mod tests {
    #[test]
    fn floods_its_errors() {
        use std::io::Write;
        let line = [b'x'; 4096];
        for _ in 0..NUMBER {
            std::io::stderr().write_all(&line).unwrap();
        }
    }
}
