// A const assert inside the standard library, met by a test through a generic of the program.
fn windows<const N: usize>(xs: &[u8]) -> usize {
    let (chunks, rest) = xs.as_chunks::<N>();
    chunks.len() + rest.len()
}

#[cfg(test)]
mod tests {
    use super::windows;

    #[test]
    fn two() {
        assert_eq!(windows::<2>(&[1, 2, 3]), 2);
    }

    #[test]
    fn zero() {
        assert_eq!(windows::<0>(&[1, 2, 3]), 3);
    }
}
