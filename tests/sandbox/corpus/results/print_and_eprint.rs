// Tests that print to both streams, dbg! included; the one that fails shows it.
fn trace(x: i32) -> i32 {
    println!("trace {x}");
    eprintln!("to the other stream");
    dbg!(x * 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quiet() {
        assert_eq!(trace(2), 4);
    }

    #[test]
    fn shown() {
        print!("no newline at the end");
        assert_ne!(trace(3), 6, "custom {}", "message");
    }
}
