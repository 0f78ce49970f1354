// Payloads that are no text.
struct Payload(u8);

fn throw(n: u8) {
    std::panic::panic_any(Payload(n));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number() {
        std::panic::panic_any(3);
    }

    #[test]
    #[should_panic]
    fn b_payload() {
        throw(1);
    }

    #[test]
    #[should_panic(expected = "text")]
    fn c_no_text() {
        throw(2);
    }
}
