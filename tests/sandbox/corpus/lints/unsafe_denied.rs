// Unsafe code where it is denied, in the tests only.
#![deny(unsafe_code)]

fn first(xs: &[u8]) -> u8 {
    xs[0]
}

#[cfg(test)]
mod tests {
    #[test]
    fn same() {
        let xs = [4, 5];
        assert_eq!(super::first(&xs), unsafe { *xs.get_unchecked(0) });
    }
}
