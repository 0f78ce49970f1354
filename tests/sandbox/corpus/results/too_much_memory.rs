// Asks for more memory than there is.
fn zeros(n: usize) -> Vec<u8> {
    vec![0; n]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_few() {
        assert_eq!(zeros(3), [0, 0, 0]);
    }

    #[test]
    fn far_too_many() {
        assert_eq!(zeros(1 << 44).len(), 1 << 44);
    }
}
