// An allocator that is named in a safe static.
#[global_allocator]
static SYSTEM: std::alloc::System = std::alloc::System;

fn f() -> Vec<u8> {
    vec![3; 2]
}

#[cfg(test)]
mod tests {
    #[test]
    fn threes() {
        assert_eq!(super::f(), [3, 3]);
    }
}
