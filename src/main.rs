fn main() {
    print!("{}", chinwag::api::sdl());
}
