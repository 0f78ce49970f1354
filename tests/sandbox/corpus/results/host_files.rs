// Tests that look at the machine around them, a test per place.
use std::fs;
use std::path::Path;

fn readable(path: &str) -> bool {
    let path = Path::new(path);
    if path.is_dir() {
        fs::read_dir(path).is_ok()
    } else {
        fs::read(path).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::readable;

    macro_rules! can_read {
        ($($test:ident $path:literal)*) => {
            $(#[test]
            fn $test() {
                assert!(readable($path));
            })*
        };
    }

    can_read! {
        null "/dev/null"
        status "/proc/self/status"
        processor "/proc/cpuinfo"
        hosts "/etc/hosts"
        root "/"
        libraries "/usr/lib"
        programs "/usr/bin"
        shared "/usr/share"
        os "/etc/os-release"
        temporary "/tmp"
        here "."
        above ".."
        settings "Cargo.toml"
        built "target/debug"
    }
}
