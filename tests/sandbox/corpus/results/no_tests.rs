// A module of tests without tests.
fn identity(x: u8) -> u8 {
    x
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> u8 {
        identity(1)
    }
}
