// A variable that only cargo's linter sets: the program is refused by a build.
const ARGS: &str = env!("CLIPPY_ARGS");

fn is_linted() -> bool {
    ARGS.is_empty()
}

#[cfg(test)]
mod tests {
    #[test]
    fn linted() {
        assert!(super::is_linted());
    }
}
