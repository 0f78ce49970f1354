// Words for a killed process in a warning of a program whose tests do not compile.
fn lament() -> &'static str {
    let unused = "process didn't exit successfully: `x` (signal: 24, SIGXCPU: CPU time limit exceeded)";
    "x"
}

#[test]
fn laments() {
    assert_eq!(lament(), 1);
}
