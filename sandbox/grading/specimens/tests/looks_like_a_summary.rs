// A failing test prints what looks like the summary of tests that passed.
fn summary() -> &'static str {
    "test result: ok. 3 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prints() {
        println!("\n{}", summary());
        assert!(summary().is_empty());
    }

    #[test]
    fn quiet() {
        assert!(summary().starts_with("test"));
    }
}
