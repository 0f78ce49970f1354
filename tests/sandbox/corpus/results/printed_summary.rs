// A failing test prints what looks like a summary; a passing one prints too.
fn summary(passed: u32) -> String {
    format!("test result: ok. {passed} passed; 0 failed; 0 ignored; 0 measured; 0 filtered out")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passes() {
        println!("{}", summary(9));
        assert!(summary(2).contains("2 passed"));
    }

    #[test]
    fn fails() {
        println!("running 7 tests\n{}", summary(7));
        assert_eq!(summary(1), "", "test result: ok. 5 passed; 0 failed");
    }
}
