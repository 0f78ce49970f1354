// A match that forgets a variant.
enum Light {
    Red,
    Amber,
    Green,
}

fn seconds(light: Light) -> u32 {
    match light {
        Light::Red => 30,
        Light::Green => 25,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn red() {
        assert_eq!(seconds(Light::Red), 30);
    }
}
