// The same error in a program whose test stands beside its functions.
fn lament() -> u32 {
    "process didn't exit successfully: `x` (signal: 24, SIGXCPU: CPU time limit exceeded)"
}

#[test]
fn laments() {
    assert_eq!(lament(), 1);
}
