// Two mutable borrows of one vector.
fn swap_ends(values: &mut Vec<i32>) {
    let first = values.first_mut().unwrap();
    let last = values.last_mut().unwrap();
    std::mem::swap(first, last);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn swaps() {
        let mut v = vec![1, 2, 3];
        swap_ends(&mut v);
        assert_eq!(v, [3, 2, 1]);
    }
}
