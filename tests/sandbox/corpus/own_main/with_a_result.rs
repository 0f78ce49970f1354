// A main of its own that returns a result, and one in the test module.
fn f(text: &str) -> Result<u8, std::num::ParseIntError> {
    text.parse()
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    f("3")?;
    Ok(())
}

#[cfg(test)]
mod tests {
    fn main() {}

    #[test]
    fn three() {
        main();
        assert_eq!(super::f("3"), Ok(3));
    }
}
