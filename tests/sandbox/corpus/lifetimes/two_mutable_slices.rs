// split_at_mut instead of two mutable borrows.
fn swap_halves(xs: &mut [i32]) {
    let middle = xs.len() / 2;
    let (left, right) = xs.split_at_mut(middle);
    left.swap_with_slice(&mut right[..middle]);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn even() {
        let mut xs = [1, 2, 3, 4];
        swap_halves(&mut xs);
        assert_eq!(xs, [3, 4, 1, 2]);
    }

    #[test]
    fn odd_keeps_the_last() {
        let mut xs = [1, 2, 3];
        swap_halves(&mut xs);
        assert_eq!(xs, [2, 1, 3]);
    }
}
