// A name that looks like another one, in the tests.
fn paypal(amount: u32) -> u32 {
    amount
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pаypal(amount: u32) -> u32 {
        paypal(amount) + 1
    }

    #[test]
    fn pays() {
        assert_eq!(pаypal(1), 2);
    }
}
