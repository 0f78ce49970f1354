// fn main() { println!("not here"); }
/* fn main() {} */
const TEXT: &str = "fn main() {}";

#[cfg(test)]
mod tests {
    #[test]
    fn text() {
        assert!(super::TEXT.contains("main"));
    }
}
