// Lints: a closure called where it is defined, and closures that only forward.
fn answer() -> i32 {
    (|| 42)()
}

fn lengths(words: &[&str]) -> Vec<usize> {
    words.iter().map(|w| w.len()).map(|n| usize::from(n)).collect()
}

fn parse(words: &[&str]) -> Vec<Option<i32>> {
    words.iter().map(|w| w.parse().ok()).map(|o| o.map(|n: i32| { n })).collect::<Vec<_>>()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn works() {
        assert_eq!(answer(), 42);
        assert_eq!(lengths(&["a", "bc"]), [1, 2]);
        assert_eq!(parse(&["7", "x"]), [Some(7), None]);
    }
}
