// pub(crate), pub(super) and pub(in path).
mod outer {
    pub(crate) const VERSION: u32 = 3;

    pub mod inner {
        pub(super) fn secret() -> u32 {
            41
        }

        pub(in crate::outer) fn deeper() -> u32 {
            deepest::value()
        }

        mod deepest {
            pub(in super::super) fn value() -> u32 {
                super::super::VERSION
            }
        }
    }

    pub fn answer() -> u32 {
        inner::secret() + 1 + inner::deeper() - VERSION
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn answers() {
        assert_eq!(crate::outer::answer(), 42);
        assert_eq!(crate::outer::VERSION, 3);
    }
}
