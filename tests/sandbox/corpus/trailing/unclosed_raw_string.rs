// A raw string that does not end where it seems to.
fn f() -> &'static str {
    r##"text"#
}

#[cfg(test)]
mod tests {
    #[test]
    fn text() {
        assert_eq!(super::f(), "text");
    }
}
