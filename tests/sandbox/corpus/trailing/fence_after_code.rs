// The end of a block of code in a text, and the beginning of one.
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
```
