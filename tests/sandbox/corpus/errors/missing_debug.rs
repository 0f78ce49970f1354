// The tests need traits that the type does not have.
struct Money {
    cents: i64,
}

impl Money {
    fn plus(&self, other: &Money) -> Money {
        Money { cents: self.cents + other.cents }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn adds() {
        assert_eq!(Money { cents: 1 }.plus(&Money { cents: 2 }), Money { cents: 3 });
    }
}
