// A test that reads its standard input, of which there is none.
use std::io::Read;

fn read(mut input: impl Read) -> String {
    let mut text = String::new();
    input.read_to_string(&mut text).unwrap();
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing() {
        assert_eq!(read(std::io::stdin()), "");
        assert_eq!(read("abc".as_bytes()), "abc");
    }
}
