// A macro whose call takes in the rest of the program.
macro_rules! items {
    ($($item:item)*) => {
        $($item)*
    };
}

items! {
    fn f() -> u8 {
        3
    }

    #[cfg(test)]
    mod tests {
        #[test]
        fn three() {
            assert_eq!(super::f(), 3);
        }
    }
}
