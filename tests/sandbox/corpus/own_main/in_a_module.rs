// A main inside a module, which is no main.
mod app {
    pub fn main() -> u8 {
        3
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn three() {
        assert_eq!(super::app::main(), 3);
    }
}
