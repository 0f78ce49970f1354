//! Values of a type for a function to return.

use std::sync::atomic::Ordering::Relaxed;

use crate::records::{setting, ELEMENT};

// A small number that a program cannot foresee, the same at every call for one element of a value.
fn drawn() -> u64 {
    let mixed = (setting().salt ^ ELEMENT.load(Relaxed).wrapping_mul(0x9e37_79b9_7f4a_7c15)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    2 + (mixed >> 40) % 15
}

// A value of a type: `seed` chooses between an empty, a small and a larger one. `depth` ends recursion.
pub trait Make: Sized {
    fn make(seed: usize, depth: usize) -> Option<Self>;
}

macro_rules! numbers {
    ($($t:ty)*) => { $(
        impl Make for $t {
            fn make(seed: usize, _: usize) -> Option<Self> {
                Some(match seed % 3 { 0 => 0 as $t, 1 => 1 as $t, _ => drawn() as $t })
            }
        }
    )* };
}
numbers! { i8 i16 i32 i64 i128 isize u8 u16 u32 u64 u128 usize f32 f64 }

macro_rules! chosen {
    ($($t:ty: $a:expr, $b:expr, $c:expr;)*) => { $(
        impl Make for $t {
            fn make(seed: usize, _: usize) -> Option<Self> {
                Some(match seed % 3 { 0 => $a, 1 => $b, _ => $c })
            }
        }
    )* };
}
chosen! {
    bool: false, true, true;
    char: 'a', 'b', (b'c' + drawn() as u8) as char;
    String: String::new(), String::from("x"), letters();
    (): (), (), ();
    ::std::time::Duration: ::std::time::Duration::ZERO, ::std::time::Duration::from_secs(1), ::std::time::Duration::from_secs(drawn());
    ::std::cmp::Ordering: ::std::cmp::Ordering::Equal, ::std::cmp::Ordering::Less, ::std::cmp::Ordering::Greater;
}
fn letters() -> String {
    (0..drawn() / 2 + 1).map(|i| (b'a' + ((drawn() * 7 + i * 5) % 26) as u8) as char).collect()
}
impl Make for &str {
    fn make(seed: usize, depth: usize) -> Option<Self> {
        String::make(seed, depth).map(|made| &*made.leak())
    }
}
impl Make for ::std::borrow::Cow<'_, str> {
    fn make(seed: usize, depth: usize) -> Option<Self> {
        String::make(seed, depth).map(Into::into)
    }
}

fn several<T: Make, C: FromIterator<T>>(seed: usize, depth: usize) -> Option<C> {
    let size = match seed % 3 { 0 => 0, 1 => 1, _ => drawn() / 3 + 2 };
    let outer = ELEMENT.load(Relaxed);
    let element = |i| {
        ELEMENT.store(outer * 8 + i + 1, Relaxed);
        T::make(seed, depth + 1)
    };
    let made = (0..size).map(element).collect();
    ELEMENT.store(outer, Relaxed);
    made
}

macro_rules! containers {
    ($($name:ident: $($bound:path),*;)*) => { $(
        impl<T: Make $(+ $bound)*> Make for ::std::collections::$name<T> {
            fn make(seed: usize, depth: usize) -> Option<Self> {
                several(seed, depth)
            }
        }
    )* };
}
containers! { HashSet: Eq, ::std::hash::Hash; BTreeSet: Ord; VecDeque: Make; LinkedList: Make; BinaryHeap: Ord; }
impl<T: Make> Make for Vec<T> {
    fn make(seed: usize, depth: usize) -> Option<Self> {
        several(seed, depth)
    }
}
impl<K: Make + Eq + ::std::hash::Hash, V: Make> Make for ::std::collections::HashMap<K, V> {
    fn make(seed: usize, depth: usize) -> Option<Self> {
        several(seed, depth)
    }
}
impl<K: Make + Ord, V: Make> Make for ::std::collections::BTreeMap<K, V> {
    fn make(seed: usize, depth: usize) -> Option<Self> {
        several(seed, depth)
    }
}
impl<T: Make> Make for Option<T> {
    fn make(seed: usize, depth: usize) -> Option<Self> {
        if seed % 3 == 0 || depth > 4 {
            Some(None)
        } else {
            T::make(seed, depth + 1).map(Some)
        }
    }
}
impl<T: Make, E: Make> Make for Result<T, E> {
    fn make(seed: usize, depth: usize) -> Option<Self> {
        if seed % 3 == 0 {
            E::make(1, depth + 1).map(Err)
        } else {
            T::make(seed, depth + 1).map(Ok)
        }
    }
}
macro_rules! errors {
    ($($t:ty: $made:expr;)*) => { $(
        impl Make for $t {
            fn make(_: usize, _: usize) -> Option<Self> {
                Some($made)
            }
        }
    )* };
}
errors! {
    ::std::fmt::Error: ::std::fmt::Error;
    ::std::num::ParseIntError: "".parse::<i32>().unwrap_err();
    ::std::num::ParseFloatError: "".parse::<f64>().unwrap_err();
    ::std::num::TryFromIntError: u8::try_from(-1_i32).unwrap_err();
    ::std::string::FromUtf8Error: String::from_utf8(vec![255]).unwrap_err();
}
impl Make for Box<dyn ::std::error::Error> {
    fn make(_: usize, _: usize) -> Option<Self> {
        Some("mutant".into())
    }
}
impl<T: Make> Make for Box<T> {
    fn make(seed: usize, depth: usize) -> Option<Self> {
        if depth > 6 { None } else { T::make(seed, depth + 1).map(Box::new) }
    }
}
impl<T: Make> Make for ::std::rc::Rc<T> {
    fn make(seed: usize, depth: usize) -> Option<Self> {
        if depth > 6 { None } else { T::make(seed, depth + 1).map(::std::rc::Rc::new) }
    }
}
impl<T: Make> Make for ::std::sync::Arc<T> {
    fn make(seed: usize, depth: usize) -> Option<Self> {
        if depth > 6 { None } else { T::make(seed, depth + 1).map(::std::sync::Arc::new) }
    }
}
impl<T: Make> Make for ::std::cell::Cell<T> {
    fn make(seed: usize, depth: usize) -> Option<Self> {
        T::make(seed, depth + 1).map(::std::cell::Cell::new)
    }
}
impl<T: Make> Make for ::std::cell::RefCell<T> {
    fn make(seed: usize, depth: usize) -> Option<Self> {
        if depth > 6 { None } else { T::make(seed, depth + 1).map(::std::cell::RefCell::new) }
    }
}
impl<'a, T: Make + 'a> Make for &'a T {
    fn make(seed: usize, depth: usize) -> Option<Self> {
        if depth > 6 { None } else { T::make(seed, depth).map(|made| &*Box::leak(Box::new(made))) }
    }
}
impl<'a, T: Make + 'a> Make for &'a mut T {
    fn make(seed: usize, depth: usize) -> Option<Self> {
        if depth > 6 { None } else { T::make(seed, depth).map(|made| Box::leak(Box::new(made))) }
    }
}
impl<'a, T: Make + 'a> Make for &'a [T] {
    fn make(seed: usize, depth: usize) -> Option<Self> {
        Vec::<T>::make(seed, depth).map(|made| &*made.leak())
    }
}
impl<'a, T: Make + 'a> Make for &'a mut [T] {
    fn make(seed: usize, depth: usize) -> Option<Self> {
        Vec::<T>::make(seed, depth).map(|made| made.leak())
    }
}
macro_rules! holders {
    ($($name:ident)*) => { $(
        impl<T: Make> Make for ::std::sync::$name<T> {
            fn make(seed: usize, depth: usize) -> Option<Self> {
                if depth > 6 { None } else { T::make(seed, depth + 1).map(::std::sync::$name::new) }
            }
        }
    )* };
}
holders! { Mutex RwLock }
impl<T: Make, const N: usize> Make for [T; N] {
    fn make(seed: usize, depth: usize) -> Option<Self> {
        let made: Option<Vec<T>> = (0..N).map(|_| T::make(seed, depth + 1)).collect();
        made.and_then(|made| made.try_into().ok())
    }
}
macro_rules! tuples {
    ($(($($t:ident)*))*) => { $(
        impl<$($t: Make),*> Make for ($($t,)*) {
            fn make(seed: usize, depth: usize) -> Option<Self> {
                Some(($($t::make(seed, depth + 1)?,)*))
            }
        }
    )* };
}
tuples! { (A) (A B) (A B C) (A B C D) (A B C D E) (A B C D E F) }

// `of_type!` chooses `Known` where the type has a value, then `Partly` where a part of it has, else `Unknown`: method
// lookup finds them in this order.
pub struct Of<T>(::std::marker::PhantomData<T>);
impl<T> Of<T> {
    pub fn new() -> Self {
        Of(::std::marker::PhantomData)
    }
}
#[macro_export]
macro_rules! of_type {
    ($t:ty, $seed:expr, $depth:expr) => {{
        use $crate::{Known as _, Partly as _, Unknown as _};
        (&&&$crate::Of::<$t>::new()).value_secret_word($seed, $depth)
    }};
}
pub trait Known<T> {
    fn value_secret_word(&self, seed: usize, depth: usize) -> Option<T>;
}
impl<T: Make> Known<T> for &&Of<T> {
    fn value_secret_word(&self, seed: usize, depth: usize) -> Option<T> {
        T::make(seed, depth)
    }
}
pub trait Partly<T> {
    fn value_secret_word(&self, seed: usize, depth: usize) -> Option<T>;
}
impl<T: Make, E> Partly<Result<T, E>> for &Of<Result<T, E>> {
    fn value_secret_word(&self, seed: usize, depth: usize) -> Option<Result<T, E>> {
        T::make(seed, depth + 1).map(Ok)
    }
}
impl<T> Partly<Option<T>> for &Of<Option<T>> {
    fn value_secret_word(&self, seed: usize, depth: usize) -> Option<Option<T>> {
        Some(if seed % 3 == 0 { None } else { by_name::<T>(seed, depth + 1) })
    }
}
impl<T> Partly<Vec<T>> for &Of<Vec<T>> {
    fn value_secret_word(&self, seed: usize, depth: usize) -> Option<Vec<T>> {
        Some(if seed % 3 == 0 { Vec::new() } else { by_name::<T>(seed, depth + 1).into_iter().collect() })
    }
}
macro_rules! empty {
    ($($name:ident<$($t:ident),*>)*) => { $(
        impl<$($t),*> Partly<::std::collections::$name<$($t),*>> for &Of<::std::collections::$name<$($t),*>> {
            fn value_secret_word(&self, _: usize, _: usize) -> Option<::std::collections::$name<$($t),*>> {
                Some(::std::collections::$name::default())
            }
        }
    )* };
}
empty! { HashMap<K, V> HashSet<T> BTreeMap<K, V> BTreeSet<T> VecDeque<T> LinkedList<T> }
impl<'a, T: 'a> Partly<&'a [T]> for &Of<&'a [T]> {
    fn value_secret_word(&self, _: usize, _: usize) -> Option<&'a [T]> {
        Some(&[])
    }
}
impl<'a, T: 'a> Partly<&'a Vec<T>> for &Of<&'a Vec<T>> {
    fn value_secret_word(&self, _: usize, _: usize) -> Option<&'a Vec<T>> {
        Some(Box::leak(Box::new(Vec::new())))
    }
}
impl<'a, T: 'a> Partly<::std::slice::Iter<'a, T>> for &Of<::std::slice::Iter<'a, T>> {
    fn value_secret_word(&self, _: usize, _: usize) -> Option<::std::slice::Iter<'a, T>> {
        Some([].iter())
    }
}
impl<'a, T: 'a> Partly<Box<dyn Iterator<Item = T> + 'a>> for &Of<Box<dyn Iterator<Item = T> + 'a>> {
    fn value_secret_word(&self, _: usize, _: usize) -> Option<Box<dyn Iterator<Item = T> + 'a>> {
        Some(Box::new(::std::iter::empty()))
    }
}
pub trait Unknown<T> {
    fn value_secret_word(&self, seed: usize, depth: usize) -> Option<T> {
        by_name(seed, depth)
    }
}
impl<T> Unknown<T> for Of<T> {}

// Whether a type is one of std's: no type of a program has the name of one.
pub(crate) fn is_type<T, U>() -> bool {
    ::std::any::type_name::<T>() == ::std::any::type_name::<U>() && ::std::mem::size_of::<T>() == ::std::mem::size_of::<U>()
}

// A value of a type that generic code has a parameter for: what it stands for is known when it runs, by name.
fn by_name<T>(seed: usize, depth: usize) -> Option<T> {
    macro_rules! named {
        ($($t:ty)*) => { $(
            if is_type::<T, $t>() {
                // Sound: T is this type.
                return <$t>::make(seed, depth).map(|made| unsafe { ::std::mem::transmute_copy(&::std::mem::ManuallyDrop::new(made)) });
            }
        )* };
    }
    named! { () i32 i64 u32 u64 usize u8 f64 bool char String &'static str i8 i16 i128 isize u16 u128 f32 }
    named! { Vec<i32> Vec<u8> Vec<String> Vec<f64> Vec<char> Vec<usize> Option<i32> (i32, i32) (String, i32) }
    None
}
impl<T: ?Sized> Make for ::std::marker::PhantomData<T> {
    fn make(_: usize, _: usize) -> Option<Self> {
        Some(::std::marker::PhantomData)
    }
}
