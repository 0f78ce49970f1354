// A type in one module, its implementations in two others, one of them for tests.
mod model {
    #[derive(Debug, Default, Clone, PartialEq)]
    pub struct Cart {
        pub(super) items: Vec<(String, u32)>,
    }
}

mod logic {
    use super::model::Cart;

    impl Cart {
        pub fn add(&mut self, name: impl Into<String>, price: u32) {
            self.items.push((name.into(), price));
        }

        pub fn total(&self) -> u32 {
            self.items.iter().map(|(_, price)| price).sum()
        }
    }
}

#[cfg(test)]
mod fixtures {
    use super::model::Cart;

    impl Cart {
        pub fn sample() -> Self {
            let mut cart = Cart::default();
            cart.add("tea", 3);
            cart.add(String::from("milk"), 2);
            cart
        }
    }
}

#[cfg(test)]
mod tests {
    use super::model::*;

    #[test]
    fn totals() {
        assert_eq!(Cart::sample().total(), 5);
        assert_eq!(Cart::default().total(), 0);
    }
}
