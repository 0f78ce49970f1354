// A closure with the wrong number of arguments, only in the tests.
fn fold_right<T, B>(xs: &[T], init: B, f: impl Fn(&T, B) -> B) -> B {
    xs.iter().rev().fold(init, |acc, x| f(x, acc))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings() {
        let text = fold_right(&["a", "b"], String::new(), |x, acc| format!("{x}({acc})"));
        assert_eq!(text, "a(b())");
    }

    #[test]
    fn numbers() {
        assert_eq!(fold_right(&[1, 2, 3], 0, |x| x + 1), 6);
    }
}
