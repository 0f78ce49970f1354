// Stops itself by a signal, which takes no CPU time. The control sends another, that is ignored: 18.
// protected: timeout (wall-clock)
// control: passed
// phases: test
// limits: wall_s=3
// number: 19, control 18

extern "C" {
    fn kill(pid: i32, signal: i32) -> i32;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stops_itself() {
        assert_eq!(unsafe { kill(std::process::id() as i32, NUMBER) }, 0);
    }
}
