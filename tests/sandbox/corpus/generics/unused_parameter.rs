// A type parameter that nothing uses (an error), and a lifetime that nothing uses (another).
struct Tagged<T> {
    id: u32,
}

struct Borrowed<'a> {
    id: u32,
}

fn id<T>(t: &Tagged<T>) -> u32 {
    t.id
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads() {
        assert_eq!(id::<u8>(&Tagged { id: 3 }), 3);
    }
}
