//! Runs the portal by itself.

fn main() -> std::process::ExitCode {
    chassis_boot::main::<portal::App>()
}
