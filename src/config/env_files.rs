//! Files that are read into the environment.

use super::BadValue;

/// Reads `.env.$CHINWAG_ENV` and `.env` of the present folder into the environment; what is set first stays. Before any
/// thread is started: changing the environment is safe only then.
pub fn read_env_files() -> Result<(), BadValue> {
    let name = match std::env::var("CHINWAG_ENV") {
        Ok(name) => Some(name),
        // It may stand in `.env` itself.
        Err(_) => dotenvy::from_path_iter(".env")
            .ok()
            .and_then(|mut variables| variables.find_map(|pair| pair.ok().filter(|(name, _)| name == "CHINWAG_ENV")))
            .map(|(_, value)| value),
    };
    if let Some(name) = name.filter(|name| !name.is_empty()) {
        let file = format!(".env.{name}");
        read_env_file(&file)?.then_some(()).ok_or_else(|| BadValue(format!("CHINWAG_ENV: there is no file {file}")))?;
    }
    read_env_file(".env").map(drop)
}

/// Whether there is such a file. Only in the present folder: one of a folder above was meant for something else.
fn read_env_file(file: &str) -> Result<bool, BadValue> {
    match dotenvy::from_path(file) {
        Ok(()) => Ok(true),
        Err(error) if error.not_found() => Ok(false),
        // Its own text would show the line, which may hold a secret.
        Err(dotenvy::Error::LineParse(_, column)) => {
            Err(BadValue(format!("{file}: a line is not NAME=VALUE, at its character {}", column + 1)))
        }
        Err(dotenvy::Error::Io(error)) => Err(BadValue(format!("{file}: {error}"))),
        Err(_) => Err(BadValue(format!("{file}: cannot be read"))),
    }
}
