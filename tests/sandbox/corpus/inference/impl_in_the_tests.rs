// An implementation in the tests makes a call outside them ambiguous: it builds, and its tests do not compile.
trait Parse {
    fn parse(text: &str) -> Self;
}

impl Parse for u32 {
    fn parse(text: &str) -> u32 {
        text.len() as u32
    }
}

fn read<T: Parse>(text: &str) -> T {
    T::parse(text)
}

fn shown() -> bool {
    let x = read("abc");
    check(&x)
}

fn check<T: Parse>(_: &T) -> bool {
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    impl Parse for String {
        fn parse(text: &str) -> String {
            text.to_owned()
        }
    }

    #[test]
    fn shows() {
        assert!(shown());
    }
}
