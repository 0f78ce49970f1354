// Removes from a vector while iterating over it.
fn remove_negatives(values: &mut Vec<i32>) {
    for (i, v) in values.iter().enumerate() {
        if *v < 0 {
            values.remove(i);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn removes() {
        let mut v = vec![1, -2, 3];
        remove_negatives(&mut v);
        assert_eq!(v, [1, 3]);
    }
}
