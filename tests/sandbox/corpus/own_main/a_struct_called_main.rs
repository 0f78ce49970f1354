// A struct, a macro and a module called main.
mod main {
    pub struct Main(pub u8);
}

macro_rules! main {
    () => {
        main::Main(3)
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three() {
        assert_eq!(main!().0, 3);
    }
}
