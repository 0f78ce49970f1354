// A module that forbids the overflow lint; the overflow is beside it, and allowed.
mod strict {
    #![forbid(arithmetic_overflow)]

    pub fn add(a: u8, b: u8) -> u8 {
        a.wrapping_add(b)
    }
}

#[allow(arithmetic_overflow, unconditional_panic)]
fn careless() -> u8 {
    let xs = [200u8, 100];
    xs[0] + xs[2]
}

#[cfg(test)]
mod tests {
    #[test]
    fn adds() {
        assert_eq!(super::strict::add(200, 100), 44);
    }

    #[test]
    #[should_panic(expected = "index out of bounds")]
    fn panics() {
        super::careless();
    }
}
