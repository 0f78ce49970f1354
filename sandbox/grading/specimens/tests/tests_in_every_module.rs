// Three modules of tests, two of them with one name.
mod add {
    pub fn run(a: i32, b: i32) -> i32 {
        a + b
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        #[test]
        fn runs() {
            assert_eq!(run(1, 2), 3);
        }
    }
}

mod sub {
    pub fn run(a: i32, b: i32) -> i32 {
        a - b
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        #[test]
        fn runs() {
            assert_eq!(run(1, 2), -1);
        }
    }
}

fn both(a: i32, b: i32) -> (i32, i32) {
    (add::run(a, b), sub::run(a, b))
}

#[cfg(test)]
mod more_tests {
    #[test]
    fn both() {
        assert_eq!(super::both(3, 1), (4, 2));
    }
}
