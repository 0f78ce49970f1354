// Computes without end in four threads, each of which stays below the limit for longer.
// protected: timeout (used up its CPU time)
// control: passed
// phases: test
// limits: run_cpu_s=1
// number: u64::MAX, control 1000u64

#[cfg(test)]
mod tests {
    #[test]
    fn spins_in_threads() {
        let threads: Vec<_> = (0..4)
            .map(|_| {
                std::thread::spawn(|| {
                    for i in 0..NUMBER {
                        std::hint::black_box(i);
                    }
                })
            })
            .collect();
        for thread in threads {
            thread.join().unwrap();
        }
    }
}
