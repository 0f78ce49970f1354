// A call of drop itself, and a drop for a Copy type.
struct Guard;

impl Drop for Guard {
    fn drop(&mut self) {}
}

#[derive(Clone, Copy)]
struct Small(u8);

impl Drop for Small {
    fn drop(&mut self) {}
}

#[cfg(test)]
mod tests {
    #[test]
    fn drops() {
        let g = super::Guard;
        g.drop();
    }
}
