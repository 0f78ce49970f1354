// `ignore` and `should_panic` on functions that are no tests, and on a module.
#[ignore]
fn f(x: u32) -> u32 {
    x * 2
}

#[should_panic]
fn g() {}

#[ignore]
mod inner {}

#[cfg(test)]
mod tests {
    #[test]
    fn doubles() {
        assert_eq!(super::f(1), 2);
    }
}
