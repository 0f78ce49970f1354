// A lint of a tool that does not exist.
#[allow(pylint::line_too_long)]
fn f(x: u32) -> u32 {
    x + 1
}

#[cfg(test)]
mod tests {
    #[test]
    fn f() {
        assert_eq!(super::f(1), 2);
    }
}
