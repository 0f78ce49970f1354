// A test that is called main.
fn f() -> u8 {
    1
}

#[cfg(test)]
mod tests {
    #[test]
    fn main() {
        assert_eq!(super::f(), 1);
    }
}
