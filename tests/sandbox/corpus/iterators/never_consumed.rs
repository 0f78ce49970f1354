// A lazy adaptor that nothing drives: a warning, and a test that fails.
fn double_all(xs: &mut Vec<i32>) {
    xs.iter_mut().map(|x| *x *= 2);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn doubles() {
        let mut xs = vec![1, 2, 3];
        double_all(&mut xs);
        assert_eq!(xs, [2, 4, 6]);
    }
}
