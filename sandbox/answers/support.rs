// What a program under question is linked with: it writes the values of calls to a file, in a form that Python reads.
// NAME stands for a random word. Macros are called by their full path, since the program may have its own.
ALLOWED
pub mod NAME {
    use ::std::borrow::{Cow, ToOwned};
    use ::std::boxed::Box;
    use ::std::cell::{Cell, RefCell};
    use ::std::cmp::{Ordering, Reverse};
    use ::std::collections::{BTreeMap, BTreeSet, BinaryHeap, HashMap, HashSet, LinkedList, VecDeque};
    use ::std::io::Write;
    use ::std::iter::{IntoIterator, Iterator};
    use ::std::ops::{FnOnce, Range, RangeInclusive};
    use ::std::option::Option::{self, None, Some};
    use ::std::rc::Rc;
    use ::std::result::Result::{self, Err, Ok};
    use ::std::string::String;
    use ::std::sync::{Arc, Mutex, RwLock};
    use ::std::time::Duration;
    use ::std::vec::Vec;

    /// A value that is written as a term: JSON, in which a list begins with the kind of the term.
    pub trait Wire {
        fn wire_NAME(&self, out: &mut String);
    }

    pub fn open(out: &mut String, kind: &str) {
        out.push_str("[\"");
        out.push_str(kind);
        out.push('"');
    }

    pub fn close(out: &mut String) {
        out.push(']');
    }

    /// The kind and the name of a constructor.
    pub fn constructor(out: &mut String, kind: &str, name: &str) {
        open(out, kind);
        out.push_str(",\"");
        out.push_str(name);
        out.push('"');
    }

    fn applied<T: Wire + ?::std::marker::Sized>(out: &mut String, name: &str, value: &T) {
        constructor(out, "k", name);
        out.push(',');
        value.wire_NAME(out);
        close(out);
    }

    fn opaque(out: &mut String) {
        out.push_str("[\"o\"]");
    }

    fn applied_to_opaque(out: &mut String, name: &str) {
        constructor(out, "k", name);
        out.push(',');
        opaque(out);
        close(out);
    }

    fn none(out: &mut String) {
        constructor(out, "k", "None");
        close(out);
    }

    fn listed<'a, T: Wire + 'a>(out: &mut String, kind: &str, values: impl Iterator<Item = &'a T>) {
        open(out, kind);
        for value in values {
            out.push(',');
            value.wire_NAME(out);
        }
        close(out);
    }

    fn mapped<'a, K: Wire + 'a, V: Wire + 'a>(out: &mut String, pairs: impl Iterator<Item = (&'a K, &'a V)>) {
        open(out, "m");
        for (key, value) in pairs {
            out.push_str(",[");
            key.wire_NAME(out);
            out.push(',');
            value.wire_NAME(out);
            close(out);
        }
        close(out);
    }

    fn text(out: &mut String, value: &str) {
        out.push('"');
        for letter in value.chars() {
            match letter {
                '"' => out.push_str("\\\""),
                '\\' => out.push_str("\\\\"),
                '\0'..='\u{1f}' => {
                    let code = letter as u8;
                    out.push_str(if code < 16 { "\\u000" } else { "\\u001" });
                    out.push("0123456789abcdef".as_bytes()[(code % 16) as usize] as char);
                }
                _ => out.push(letter),
            }
        }
        out.push('"');
    }

    macro_rules! integers_NAME {
        ($($kind:ident)*) => {$(
            impl Wire for ::std::primitive::$kind {
                fn wire_NAME(&self, out: &mut String) {
                    out.push_str(&::std::string::ToString::to_string(self));
                }
            }
        )*};
    }
    integers_NAME! { i8 i16 i32 i64 i128 isize u8 u16 u32 u64 u128 usize bool }

    macro_rules! floats_NAME {
        ($($kind:ident $width:literal)*) => {$(
            impl Wire for ::std::primitive::$kind {
                fn wire_NAME(&self, out: &mut String) {
                    open(out, $width);
                    out.push_str(",\"");
                    out.push_str(&::std::format!("{:?}", self));
                    out.push_str("\"]");
                }
            }
        )*};
    }
    floats_NAME! { f32 "f32" f64 "f64" }

    impl Wire for ::std::primitive::char {
        fn wire_NAME(&self, out: &mut String) {
            open(out, "c");
            out.push(',');
            text(out, self.encode_utf8(&mut [0; 4]));
            close(out);
        }
    }
    impl Wire for ::std::primitive::str {
        fn wire_NAME(&self, out: &mut String) {
            text(out, self);
        }
    }
    impl Wire for String {
        fn wire_NAME(&self, out: &mut String) {
            text(out, self);
        }
    }

    macro_rules! transparent_NAME {
        ($($kind:ty)*) => {$(
            impl<T: Wire + ?::std::marker::Sized> Wire for $kind {
                fn wire_NAME(&self, out: &mut String) {
                    (**self).wire_NAME(out);
                }
            }
        )*};
    }
    transparent_NAME! { &T &mut T Box<T> Rc<T> Arc<T> }

    impl<T: Wire + ToOwned + ?::std::marker::Sized> Wire for Cow<'_, T> {
        fn wire_NAME(&self, out: &mut String) {
            (**self).wire_NAME(out);
        }
    }
    impl<T: Wire + ::std::marker::Copy> Wire for Cell<T> {
        fn wire_NAME(&self, out: &mut String) {
            self.get().wire_NAME(out);
        }
    }
    impl<T: Wire> Wire for RefCell<T> {
        fn wire_NAME(&self, out: &mut String) {
            self.borrow().wire_NAME(out);
        }
    }
    impl<T: Wire> Wire for Mutex<T> {
        fn wire_NAME(&self, out: &mut String) {
            self.lock().unwrap().wire_NAME(out);
        }
    }
    impl<T: Wire> Wire for RwLock<T> {
        fn wire_NAME(&self, out: &mut String) {
            self.read().unwrap().wire_NAME(out);
        }
    }
    impl<T: Wire> Wire for Reverse<T> {
        fn wire_NAME(&self, out: &mut String) {
            applied(out, "Reverse", &self.0);
        }
    }

    impl<T: Wire> Wire for [T] {
        fn wire_NAME(&self, out: &mut String) {
            listed(out, "s", self.iter());
        }
    }
    impl<T: Wire, const N: usize> Wire for [T; N] {
        fn wire_NAME(&self, out: &mut String) {
            listed(out, "s", self.iter());
        }
    }

    macro_rules! collections_NAME {
        ($($kind:ident $name:literal)*) => {$(
            impl<T: Wire> Wire for $kind<T> {
                fn wire_NAME(&self, out: &mut String) {
                    listed(out, $name, self.iter());
                }
            }
        )*};
    }
    collections_NAME! { Vec "s" VecDeque "s" LinkedList "s" BTreeSet "S" BinaryHeap "S" }
    impl<T: Wire, H> Wire for HashSet<T, H> {
        fn wire_NAME(&self, out: &mut String) {
            listed(out, "S", self.iter());
        }
    }
    impl<K: Wire, V: Wire, H> Wire for HashMap<K, V, H> {
        fn wire_NAME(&self, out: &mut String) {
            mapped(out, self.iter());
        }
    }
    impl<K: Wire, V: Wire> Wire for BTreeMap<K, V> {
        fn wire_NAME(&self, out: &mut String) {
            mapped(out, self.iter());
        }
    }

    macro_rules! tuples_NAME {
        ($($name:ident $place:tt),*) => {
            impl<$($name: Wire),*> Wire for ($($name,)*) {
                fn wire_NAME(&self, out: &mut String) {
                    open(out, "t");
                    $(
                        out.push(',');
                        self.$place.wire_NAME(out);
                    )*
                    close(out);
                }
            }
        };
    }
    tuples_NAME!();
    tuples_NAME!(A 0);
    tuples_NAME!(A 0, B 1);
    tuples_NAME!(A 0, B 1, C 2);
    tuples_NAME!(A 0, B 1, C 2, D 3);
    tuples_NAME!(A 0, B 1, C 2, D 3, E 4);
    tuples_NAME!(A 0, B 1, C 2, D 3, E 4, F 5);
    tuples_NAME!(A 0, B 1, C 2, D 3, E 4, F 5, G 6);
    tuples_NAME!(A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7);
    tuples_NAME!(A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8);
    tuples_NAME!(A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8, J 9);
    tuples_NAME!(A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8, J 9, K 10);
    tuples_NAME!(A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8, J 9, K 10, L 11);

    impl<T: Wire> Wire for Option<T> {
        fn wire_NAME(&self, out: &mut String) {
            match self {
                Some(value) => applied(out, "Some", value),
                None => none(out),
            }
        }
    }
    impl<T: Wire, E: Wire> Wire for Result<T, E> {
        fn wire_NAME(&self, out: &mut String) {
            match self {
                Ok(value) => applied(out, "Ok", value),
                Err(error) => applied(out, "Err", error),
            }
        }
    }
    impl Wire for Ordering {
        fn wire_NAME(&self, out: &mut String) {
            let name = match self {
                Ordering::Less => "Ordering::Less",
                Ordering::Equal => "Ordering::Equal",
                Ordering::Greater => "Ordering::Greater",
            };
            constructor(out, "k", name);
            close(out);
        }
    }
    impl<T: Wire> Wire for Range<T> {
        fn wire_NAME(&self, out: &mut String) {
            constructor(out, "k", "Range");
            out.push(',');
            self.start.wire_NAME(out);
            out.push(',');
            self.end.wire_NAME(out);
            close(out);
        }
    }
    impl<T: Wire> Wire for RangeInclusive<T> {
        fn wire_NAME(&self, out: &mut String) {
            constructor(out, "k", "RangeInclusive");
            out.push(',');
            self.start().wire_NAME(out);
            out.push(',');
            self.end().wire_NAME(out);
            close(out);
        }
    }
    impl Wire for Duration {
        fn wire_NAME(&self, out: &mut String) {
            applied(out, "Duration", &self.as_nanos());
        }
    }

    /// A value whose type may not be `Wire`. Of the traits below, the compiler takes the first that fits, since a method
    /// that needs fewer references is preferred.
    pub struct Probe<'a, T: ?::std::marker::Sized>(pub &'a T);

    pub trait Whole {
        fn send_NAME(&self, out: &mut String);
    }
    impl<T: Wire + ?::std::marker::Sized> Whole for &&&&Probe<'_, T> {
        fn send_NAME(&self, out: &mut String) {
            self.0.wire_NAME(out);
        }
    }
    pub trait WithoutError {
        fn send_NAME(&self, out: &mut String);
    }
    impl<T: Wire, E> WithoutError for &&&Probe<'_, Result<T, E>> {
        fn send_NAME(&self, out: &mut String) {
            match self.0 {
                Ok(value) => applied(out, "Ok", value),
                Err(_) => applied_to_opaque(out, "Err"),
            }
        }
    }
    pub trait WithoutValue {
        fn send_NAME(&self, out: &mut String);
    }
    impl<T, E: Wire> WithoutValue for &&Probe<'_, Result<T, E>> {
        fn send_NAME(&self, out: &mut String) {
            match self.0 {
                Ok(_) => applied_to_opaque(out, "Ok"),
                Err(error) => applied(out, "Err", error),
            }
        }
    }
    pub trait Variant {
        fn send_NAME(&self, out: &mut String);
    }
    impl<T> Variant for &Probe<'_, Option<T>> {
        fn send_NAME(&self, out: &mut String) {
            match self.0 {
                Some(_) => applied_to_opaque(out, "Some"),
                None => none(out),
            }
        }
    }
    impl<T, E> Variant for &Probe<'_, Result<T, E>> {
        fn send_NAME(&self, out: &mut String) {
            applied_to_opaque(out, if self.0.is_ok() { "Ok" } else { "Err" });
        }
    }
    pub trait Nothing {
        fn send_NAME(&self, out: &mut String);
    }
    impl<T: ?::std::marker::Sized> Nothing for Probe<'_, T> {
        fn send_NAME(&self, out: &mut String) {
            opaque(out);
        }
    }

    /// The file that answers go to.
    pub struct Answers(::std::fs::File);

    impl Answers {
        pub fn at(path: String) -> Answers {
            Answers(::std::fs::OpenOptions::new().append(true).open(path).unwrap())
        }

        /// Make a call and write its value, or what it panicked with.
        pub fn ask(&mut self, number: usize, call: fn(&mut String)) {
            let called = ::std::panic::catch_unwind(move || {
                let mut out = String::new();
                call(&mut out);
                out
            });
            let term = match called {
                Ok(term) => term,
                Err(payload) => {
                    let mut out = String::new();
                    open(&mut out, "!");
                    out.push(',');
                    let said = match payload.downcast_ref::<&::std::primitive::str>() {
                        Some(said) => said,
                        None => payload.downcast_ref::<String>().map_or("", |said| said.as_str()),
                    };
                    text(&mut out, said);
                    close(&mut out);
                    ::std::mem::forget(payload);
                    out
                }
            };
            let line = ::std::format!("[{},{}]\n", number, term);
            self.0.write_all(line.as_bytes()).unwrap();
        }
    }
}
