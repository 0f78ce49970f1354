// Names in several scripts, and names that differ only by normalization.
fn größe(länge: u32) -> u32 {
    länge * 2
}

const Δ: u32 = 3;

struct Точка {
    х: u32,
}

fn 合計(一: u32, 二: u32) -> u32 {
    一 + 二
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn é() {
        assert_eq!(größe(Δ), 6);
        assert_eq!(合計(1, 2), Точка { х: 3 }.х);
    }
}
