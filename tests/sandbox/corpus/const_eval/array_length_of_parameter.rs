// An array length that stable Rust does not take: an expression of a const parameter.
fn doubled<const N: usize>(xs: [u8; N]) -> [u8; N * 2] {
    let mut out = [0; N * 2];
    out[..N].copy_from_slice(&xs);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn doubles() {
        assert_eq!(doubled([1]), [1, 0]);
    }
}
