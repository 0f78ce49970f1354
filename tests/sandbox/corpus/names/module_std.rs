// A module that is called std.
mod std {
    pub fn f() -> u8 {
        3
    }
}

fn g() -> u8 {
    std::f() + crate::std::f()
}

#[cfg(test)]
mod tests {
    #[test]
    fn six() {
        assert_eq!(super::g(), 6);
        assert_eq!(format!("{}", ::std::cmp::max(1, 2)), "2");
    }
}
