// should_panic with the wrong message, and where nothing panics.
fn get(xs: &[i32], i: usize) -> i32 {
    xs[i]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[should_panic(expected = "no such index")]
    fn wrong_message() {
        get(&[1, 2], 2);
    }

    #[test]
    #[should_panic]
    fn does_not_panic() {
        get(&[1, 2], 1);
    }

    #[test]
    #[should_panic(expected = "len is 2 but the index is 5")]
    fn right() {
        get(&[1, 2], 5);
    }
}
