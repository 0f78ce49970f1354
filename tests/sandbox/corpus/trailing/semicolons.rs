// Empty items, and a module that is empty, at the end.
fn f() -> u8 {
    3
};

#[cfg(test)]
mod tests {
    #[test]
    fn three() {
        assert_eq!(super::f(), 3);
    };
};
;
