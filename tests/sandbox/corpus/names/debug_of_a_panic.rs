// A panic's place, and the name of a type in a Debug text.
#[derive(Debug)]
struct Name<'a>(&'a str);

fn refuse(name: &Name) -> ! {
    panic!("{name:?} is refused")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[should_panic(expected = "Name(\"a\") is refused")]
    fn refuses() {
        refuse(&Name("a"));
    }

    #[test]
    fn fails() {
        refuse(&Name("b"));
    }
}
