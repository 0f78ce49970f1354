// Tests that print, to both streams, one of which fails.
fn greet(name: &str) -> String {
    println!("greeting {name}");
    eprintln!("about to greet");
    format!("hello {name}")
}

#[cfg(test)]
mod tests {
    use super::greet;

    #[test]
    fn passes() {
        assert_eq!(greet("a"), "hello a");
    }

    #[test]
    fn fails() {
        print!("no newline at the end");
        assert_eq!(greet("b"), "hello");
    }
}
