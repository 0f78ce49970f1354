// A trait in the tests whose method has the name of one of the library's.
struct Text(String);

impl Text {
    fn len(&self) -> usize {
        self.0.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    trait Length {
        fn len(self) -> usize;
    }

    impl Length for Text {
        fn len(self) -> usize {
            99
        }
    }

    #[test]
    fn own_first() {
        assert_eq!(Text("a".into()).len(), 1);
    }

    #[test]
    fn by_value_first() {
        assert_eq!(Length::len(Text("a".into())), 99);
    }
}
