// A macro that makes a main.
macro_rules! program {
    ($($body:tt)*) => {
        fn main() {
            $($body)*
        }
    };
}

program! { println!("hello"); }

#[cfg(test)]
mod tests {
    #[test]
    fn nothing() {
        assert!(!"hello".is_empty());
    }
}
