// Lines that end in a carriage return and a line feed.
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

const TEXT: &str = "two
lines";
