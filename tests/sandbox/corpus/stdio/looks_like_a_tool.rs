// A failing test writes to standard error what a build tool would.
fn complain() {
    eprintln!("error: test failed, to rerun pass `--bin rust-program`");
    eprintln!("     Running unittests src/main.rs (target/debug/deps/rust_program-0)");
    eprintln!("error[E0308]: mismatched types");
}

#[cfg(test)]
mod tests {
    #[test]
    fn complains() {
        super::complain();
        assert_eq!(1 + 1, 3);
    }
}
