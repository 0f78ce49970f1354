// An inline const block in a generic function.
fn halves<const N: usize>(xs: [i32; N]) -> (Vec<i32>, Vec<i32>) {
    const {
        assert!(N % 2 == 0, "an even number of items");
    }
    let (left, right) = xs.split_at(N / 2);
    (left.to_vec(), right.to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn four() {
        assert_eq!(halves([1, 2, 3, 4]), (vec![1, 2], vec![3, 4]));
    }

    #[test]
    fn none() {
        assert_eq!(halves([]), (vec![], vec![]));
    }
}
