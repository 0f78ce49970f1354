// A loop that never loops, and one whose condition never changes.
fn first(xs: &[u32]) -> Option<u32> {
    for x in xs {
        return Some(*x);
    }
    None
}

fn wait(limit: u32) -> u32 {
    let n = 0;
    while n > limit {
        println!("still waiting");
    }
    n
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn first_of_two() {
        assert_eq!(first(&[4, 5]), Some(4));
        assert_eq!(wait(3), 0);
    }
}
