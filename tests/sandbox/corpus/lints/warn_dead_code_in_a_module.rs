// Dead code is warned of in one module, and is alive when tested.
mod shapes {
    #![warn(dead_code)]

    pub fn area(a: u32) -> u32 {
        a * a
    }

    pub fn unused() {}
}

#[cfg(test)]
mod tests {
    #[test]
    fn areas() {
        assert_eq!(super::shapes::area(3), 9);
    }
}
