// Has a function made for a number of types that doubles with every level.
// protected: timeout (used up its CPU time)
// control: passed
// limits: compile_cpu_s=2
// number: Eight::<Eight<Eight<Eight<Eight<Eight<Eight<Eight<End>>>>>>>>, control Eight::<End>

trait Level {
    fn go<T>() -> usize;
}

struct End;
struct Two<L>(L);
type Eight<L> = Two<Two<Two<L>>>;

impl Level for End {
    fn go<T>() -> usize {
        std::mem::size_of::<T>()
    }
}

impl<L: Level> Level for Two<L> {
    fn go<T>() -> usize {
        L::go::<(T, u8)>() + L::go::<(u8, T)>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn goes() {
        assert!(NUMBER::go::<u8>() > 0);
    }
}
