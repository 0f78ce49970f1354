// Arrays of two sizes where the tests need one: only the tests do not compile.
fn dot<const N: usize>(a: [i32; N], b: [i32; N]) -> i32 {
    a.iter().zip(b).map(|(x, y)| x * y).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn same_size() {
        assert_eq!(dot([1, 2], [3, 4]), 11);
    }

    #[test]
    fn other_size() {
        assert_eq!(dot([1, 2], [3, 4, 5]), 11);
    }
}
