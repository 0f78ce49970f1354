// A type error in a line that holds the words for a process that was killed for its CPU time.
fn lament() -> u32 {
    "process didn't exit successfully: `x` (signal: 24, SIGXCPU: CPU time limit exceeded)"
}

#[cfg(test)]
mod tests {
    #[test]
    fn laments() {
        assert_eq!(super::lament(), 1);
    }
}
