// Every form of should_panic, right and wrong.
fn check(x: u32) -> u32 {
    assert!(x < 10, "x is {x}, which is too large");
    x
}

#[cfg(test)]
mod tests {
    use super::check;

    #[test]
    #[should_panic]
    fn plain() {
        check(10);
    }

    #[test]
    #[should_panic = "too large"]
    fn short() {
        check(11);
    }

    #[test]
    #[should_panic(expected = "x is 13")]
    fn wrong_words() {
        check(12);
    }

    #[test]
    #[should_panic]
    fn does_not() {
        check(1);
    }
}
