// A character that does not end.
fn f() -> char {
    'ab
}

#[cfg(test)]
mod tests {
    #[test]
    fn a() {
        assert_eq!(super::f(), 'a');
    }
}
