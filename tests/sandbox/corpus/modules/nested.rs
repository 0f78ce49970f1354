// Nested modules that reach each other by `super`, `self` and `crate`.
mod geometry {
    pub mod shapes {
        pub struct Rectangle {
            pub width: u32,
            pub height: u32,
        }
    }

    pub mod measure {
        use super::shapes::Rectangle;

        pub fn area(r: &Rectangle) -> u32 {
            super::multiply(r.width, r.height)
        }

        pub fn perimeter(r: &Rectangle) -> u32 {
            crate::twice(r.width + r.height)
        }
    }

    fn multiply(a: u32, b: u32) -> u32 {
        a * b
    }
}

fn twice(n: u32) -> u32 {
    n * 2
}

#[cfg(test)]
mod tests {
    use super::geometry::{measure, shapes::Rectangle};

    #[test]
    fn measures() {
        let r = Rectangle { width: 2, height: 3 };
        assert_eq!(measure::area(&r), 6);
        assert_eq!(measure::perimeter(&r), 10);
        assert_eq!(crate::twice(4), super::twice(4));
    }
}
