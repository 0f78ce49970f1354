// Tests three levels down that reach up with super::super.
fn root() -> &'static str {
    "root"
}

mod a {
    pub fn here() -> &'static str {
        "a"
    }

    pub mod b {
        pub fn path() -> String {
            [super::super::root(), super::here(), "b"].join("/")
        }

        #[cfg(test)]
        mod tests {
            use super::super::super::root as top;
            use super::*;

            mod names {
                #[test]
                fn joined() {
                    assert_eq!(super::path(), "root/a/b");
                    assert_eq!(super::top(), "root");
                }
            }
        }
    }
}
