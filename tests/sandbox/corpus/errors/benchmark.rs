// A benchmark beside the tests, as on a nightly compiler.
fn double(x: i32) -> i32 {
    x * 2
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn doubles() {
        assert_eq!(double(2), 4);
    }

    #[bench]
    fn fast(b: &mut test::Bencher) {
        b.iter(|| double(2));
    }
}
