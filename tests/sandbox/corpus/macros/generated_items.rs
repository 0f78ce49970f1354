// A macro that makes structs with getters.
macro_rules! record {
    ($(#[$meta:meta])* $vis:vis struct $name:ident { $($field:ident: $ty:ty),* $(,)? }) => {
        $(#[$meta])*
        $vis struct $name {
            $($field: $ty,)*
        }

        impl $name {
            $vis fn new($($field: $ty),*) -> Self {
                Self { $($field),* }
            }

            $($vis fn $field(&self) -> &$ty {
                &self.$field
            })*
        }
    };
}

record! {
    /// A person.
    #[derive(Debug, Clone, PartialEq)]
    pub struct Person { name: String, age: u8 }
}

record!(struct Empty {});

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn getters() {
        let p = Person::new("Ann".into(), 30);
        assert_eq!((p.name().as_str(), *p.age()), ("Ann", 30));
        assert_eq!(p, p.clone());
        let Empty {} = Empty::new();
    }
}
