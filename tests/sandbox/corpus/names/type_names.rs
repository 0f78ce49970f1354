// The names of types at run time.
use std::any::{type_name, type_name_of_val, TypeId};

struct Local<'a, T>(&'a T);

fn name<T: ?Sized>() -> &'static str {
    type_name::<T>()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        assert_eq!(name::<Local<Option<u8>>>(), "rust_program::Local<core::option::Option<u8>>");
        assert_eq!(name::<dyn Send>(), "dyn core::marker::Send");
        assert_eq!(type_name_of_val(&names), "rust_program::tests::names");
        assert_ne!(TypeId::of::<Local<u8>>(), TypeId::of::<Local<i8>>());
    }
}
