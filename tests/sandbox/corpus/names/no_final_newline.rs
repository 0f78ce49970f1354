// No newline at the end.
fn f() -> u8 {
    3
}

#[cfg(test)]
mod tests {
    #[test]
    fn three() {
        assert_eq!(super::f(), 3);
    }
}