// Includes the pipe that the compiler writes its messages to: reading it waits for ever.
// protected: timeout (never comes (a deadlock))
// control: timeout (never comes (a deadlock))
// limits: idle_s=1

const MESSAGES: &[u8] = include_bytes!("/dev/fd/2");

#[cfg(test)]
mod tests {
    #[test]
    fn stalls_the_compiler() {
        assert!(super::MESSAGES.is_empty());
    }
}
