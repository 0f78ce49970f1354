// Overflow in an async function that nobody calls.
async fn dead() -> u8 {
    let x = 255u8;
    x + 1
}

async fn other() -> usize {
    [1, 2, 3][7]
}

fn alive() -> u8 {
    2
}

#[cfg(test)]
mod tests {
    #[test]
    fn two() {
        assert_eq!(super::alive(), 2);
    }
}
