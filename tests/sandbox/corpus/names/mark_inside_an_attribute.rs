// A left-to-right mark inside the attribute of the tests.
fn f() -> u8 {
    3
}

#‎[‎cfg‎(test)]
mod tests {
    #[test]
    fn three() {
        assert_eq!(super::f(), 3);
    }
}
