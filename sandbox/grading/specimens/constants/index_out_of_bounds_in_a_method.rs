// An index that is always out of bounds, in a method that nobody calls.
struct Table {
    cells: [u8; 4],
}

impl Table {
    fn last(&self) -> u8 {
        self.cells[4]
    }

    fn first(&self) -> u8 {
        self.cells[0]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn first() {
        assert_eq!(Table { cells: [1, 2, 3, 4] }.first(), 1);
    }
}
