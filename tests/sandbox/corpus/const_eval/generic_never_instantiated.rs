// A const panic in a generic that nobody instantiates: nothing refuses it.
struct Never<T>(T);

impl<T> Never<T> {
    const BAD: u32 = panic!("nobody asks for this");

    fn get(&self) -> u32 {
        Self::BAD
    }
}

fn add(a: u32, b: u32) -> u32 {
    a + b
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn adds() {
        assert_eq!(add(1, 2), 3);
    }
}
