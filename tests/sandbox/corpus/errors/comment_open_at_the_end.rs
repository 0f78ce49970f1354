// Everything is right, and the last line opens a comment.
fn one() -> u8 {
    1
}

#[cfg(test)]
mod tests {
    #[test]
    fn is_one() {
        assert_eq!(super::one(), 1);
    }
}
/* the end
