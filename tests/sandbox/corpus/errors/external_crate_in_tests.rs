// A crate that is not there, in the tests alone.
fn double(xs: &[i32]) -> Vec<i32> {
    xs.iter().map(|x| x * 2).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn keeps_the_length(xs: Vec<i32>) {
            prop_assert_eq!(double(&xs).len(), xs.len());
        }
    }

    #[test]
    fn doubles() {
        assert_eq!(double(&[1]), [2]);
    }
}
