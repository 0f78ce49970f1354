// A borrow error in one function, a certain overflow in another.
fn first(words: Vec<String>) -> String {
    drop(words);
    words[0].clone()
}

fn shift() -> u32 {
    1 << 32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shifts() {
        assert_eq!(shift(), 0);
    }
}
