// An implementation inside a function, names of the prelude taken again, and a glob that hides nothing.
struct Some2(u32);

fn f() -> u32 {
    impl Default for Some2 {
        fn default() -> Self {
            Some2(2)
        }
    }
    Some2::default().0
}

fn drop(x: u32) -> u32 {
    x
}

#[allow(non_camel_case_types)]
type string = str;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all() {
        let text: &string = "a";
        assert_eq!(f() + drop(3), 5);
        assert_eq!(text, "a");
    }
}
