//! Expansion of firmware's paths: environment variables, and absolute paths below the root.

use std::fmt;
use std::path::{Component, Path, PathBuf};

use crate::config::expand_with;
use crate::messages::foreign::Unset;

/// Looks up the value of a variable.
type Variables = Box<dyn Fn(&str) -> Option<String>>;

/// Expands paths like those of the configuration.
pub(crate) struct Paths {
    variables: Variables,
    /// Absolute names of the root directory.
    roots: Vec<PathBuf>,
}

impl Paths {
    /// Creates the expansion with these variables. Expanded paths below `root` become paths from
    /// the root.
    pub(crate) fn new(variables: Variables, root: Option<&Path>) -> Self {
        // Names as written and with links resolved, because variables may contain either. A missing
        // root is reported elsewhere.
        let names = root.into_iter().flat_map(|root| {
            let written = std::path::absolute(root);
            [written, root.canonicalize()].into_iter().flatten()
        });
        Self {
            variables,
            roots: names.collect(),
        }
    }

    /// Expands `~`, `$VAR` and `${VAR}`.
    pub(super) fn expand(&self, path: &str) -> Result<String, Unset> {
        let expanded = expand_with(path, &self.variables).map_err(|variable| Unset { variable })?;
        let below = |root: &PathBuf| {
            let below = Path::new(&expanded).strip_prefix(root).ok()?;
            // A path that leaves the root and re-enters it by name is treated as absolute.
            (!climbs(below)).then(|| below.to_str())?
        };
        Ok(match self.roots.iter().find_map(below) {
            Some("") => ".".to_owned(),
            // A trailing slash denotes a directory.
            Some(below) if expanded.ends_with('/') => format!("{below}/"),
            Some(below) => below.to_owned(),
            None => expanded,
        })
    }
}

/// True if the components of a path lead above its start.
fn climbs(path: &Path) -> bool {
    let mut depth = 0_usize;
    for component in path.components() {
        match component {
            Component::Normal(_) => depth += 1,
            Component::ParentDir if depth == 0 => return true,
            Component::ParentDir => depth -= 1,
            Component::CurDir | Component::RootDir | Component::Prefix(_) => {}
        }
    }
    false
}

impl fmt::Debug for Paths {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Paths")
            .field("roots", &self.roots)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paths(root: Option<&Path>, values: &[(&'static str, &Path)]) -> Paths {
        let values: Vec<_> = values
            .iter()
            .map(|(name, value)| (*name, value.to_str().unwrap().to_owned()))
            .collect();
        let value = move |name: &str| {
            let found = values.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| value.clone())
        };
        Paths::new(Box::new(value), root)
    }

    #[test]
    fn expanded_as_in_a_configuration() {
        let paths = paths(
            None,
            &[("HOME", Path::new("/home/me")), ("DIR", Path::new("run"))],
        );
        for (path, expected) in [
            ("$DIR/f", "run/f"),
            ("${DIR}_2/f", "run_2/f"),
            ("~/f", "/home/me/f"),
            ("~", "/home/me"),
            ("a~", "a~"),
            ("5$$", "5$"),
            ("${NONE:-x}/f", "x/f"),
            ("", ""),
        ] {
            assert_eq!(paths.expand(path), Ok(expected.to_owned()), "{path}");
        }
        let unset = paths.expand("$DIR/$NONE/f").unwrap_err();
        assert_eq!(unset.variable, "NONE");
    }

    #[test]
    fn a_sign_before_no_name_stays() {
        let paths = paths(None, &[("HOME", Path::new("/home/me"))]);
        let follows = (1..128_u8).map(char::from).chain(['\u{a7}', '\u{1f600}']);
        let follows = follows.filter(|c| !c.is_alphanumeric() && !"_{$".contains(*c));
        for path in follows.map(|c| format!("a${c}b")).chain([
            "$".to_owned(),
            "a$".to_owned(),
            "~user".to_owned(),
            "~user/f".to_owned(),
            "~~".to_owned(),
            "a/~/f".to_owned(),
        ]) {
            assert_eq!(paths.expand(&path), Ok(path.clone()));
        }
    }

    #[test]
    fn a_path_below_the_root_is_taken_from_there() {
        let folder = tempfile::tempdir().unwrap();
        let (root, link) = (folder.path().join("root"), folder.path().join("link"));
        std::fs::create_dir(&root).unwrap();
        std::os::unix::fs::symlink(&root, &link).unwrap();
        let (log, beside) = (root.join("log"), folder.path().join("rootless"));
        let values = [
            ("ROOT", root.as_path()),
            ("LINK", &link),
            ("LOG", &log),
            ("BESIDE", &beside),
        ];
        let paths = paths(Some(&link), &values);
        for (path, expected) in [
            ("$ROOT/a", "a"),
            ("$LINK/a/b", "a/b"),
            ("$LOG/a", "log/a"),
            ("$ROOT", "."),
            ("$ROOT/a/../b", "a/../b"),
            ("$ROOT/a/", "a/"),
            ("$ROOT/", "."),
            ("$BESIDE", beside.to_str().unwrap()),
            ("$ROOT/../root/a", root.join("../root/a").to_str().unwrap()),
            ("$ROOT/a/../../x", root.join("a/../../x").to_str().unwrap()),
        ] {
            assert_eq!(paths.expand(path), Ok(expected.to_owned()), "{path}");
        }
    }
}
