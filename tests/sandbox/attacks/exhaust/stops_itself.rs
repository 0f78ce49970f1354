// Stops itself by a signal, which takes no CPU time. The control sends another, that is ignored: 18.
// protected: timeout (no thread did anything)
// control: passed
// phases: test
// limits: idle_s=1
// number: 19, control 18

extern "C" {
    fn raise(signal: i32) -> i32;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stops_itself() {
        assert_eq!(unsafe { raise(NUMBER) }, 0);
    }
}
