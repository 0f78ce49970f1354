// A benchmark, for which stable Rust has no harness.
fn f() -> u8 {
    4
}

#[bench]
fn fast(b: &mut test::Bencher) {
    b.iter(f);
}

#[test]
fn four() {
    assert_eq!(f(), 4);
}
