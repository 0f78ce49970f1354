// A literal out of range (a lint), a type error, and a division by zero, in three functions.
fn byte() -> u8 {
    256
}

fn text() -> String {
    5
}

fn ratio(x: i32) -> i32 {
    x / 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn works() {
        assert_eq!(byte(), 0);
    }
}
