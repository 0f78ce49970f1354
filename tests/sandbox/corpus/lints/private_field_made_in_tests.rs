// A private unit field in place of `non_exhaustive`; only the tests build the struct.
pub struct Options {
    pub depth: u32,
    pub width: u32,
    _hidden: (),
}

pub fn cells(options: &Options) -> u32 {
    options.depth * options.width
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts() {
        assert_eq!(cells(&Options { depth: 2, width: 3, _hidden: () }), 6);
    }
}
