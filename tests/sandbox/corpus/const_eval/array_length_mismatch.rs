// Array lengths that const arithmetic makes differ.
const ROWS: usize = 3;
const COLUMNS: usize = 4;
const GRID: [u8; ROWS * COLUMNS] = [0; ROWS + COLUMNS];

fn cells() -> usize {
    GRID.len()
}

#[cfg(test)]
mod tests {
    #[test]
    fn twelve() {
        assert_eq!(super::cells(), 12);
    }
}
