// Width, precision, alignment, sign, radix, and the debug form of a nested value.
#[derive(Debug)]
struct Item {
    name: &'static str,
    price: f32,
}

fn row(item: &Item) -> String {
    format!("{:<8}|{:>8.2}|{:^+7}", item.name, item.price, item.price as i32)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEA: Item = Item { name: "tea", price: 2.5 };

    #[test]
    fn rows() {
        assert_eq!(row(&TEA), "tea     |    2.50|  +2   ");
    }

    #[test]
    fn forms() {
        assert_eq!(format!("{TEA:?}"), "Item { name: \"tea\", price: 2.5 }");
        assert_eq!(format!("{:#06x} {:08b} {:e}", 255, 5, 1500.0), "0x00ff 00000101 1.5e3");
        assert!(format!("{TEA:#?}").contains("\n    name: \"tea\","));
    }
}
