//! Resolution of absolute paths and absolute symbolic links that lead to files below the root.

use std::ffi::OsString;
use std::path::{Component, Path, PathBuf};

use cap_std::fs::Dir;
use mailbox_rs::Errno;

/// Maximum number of links followed, as on Linux.
const MAX_LINKS: usize = 40;

/// Step of a path, in order of resolution.
enum PathStep {
    /// To the host's root directory. The remaining steps start there.
    Host,
    Parent,
    Name(OsString),
}

/// Resolves `path` to a path from the root without links and absolute parts. The result does not
/// grant access: the file must be opened through `dir`, which keeps paths inside.
///
/// # Errors
/// `EACCES` if the path leads out of the root directory, whose canonical name is `root`, and
/// `ELOOP` if it has too many links.
pub(super) fn relative(dir: &Dir, root: &Path, path: &Path) -> Result<PathBuf, Errno> {
    let mut at = PathBuf::new();
    // Reversed, so that the next step is the last element.
    let mut steps = steps(path);
    let mut links = 0;
    while let Some(step) = steps.pop() {
        match step {
            PathStep::Host => {
                let below = below(root, &absolute(&steps)).ok_or(Errno::EACCES)?;
                at.clear();
                steps = self::steps(&below);
            }
            PathStep::Parent if at.pop() => {}
            PathStep::Parent => return Err(Errno::EACCES),
            PathStep::Name(name) => {
                at.push(name);
                // Reading the target of anything but a link fails.
                if let Ok(target) = dir.read_link_contents(&at) {
                    links += 1;
                    if links > MAX_LINKS {
                        return Err(Errno::ELOOP);
                    }
                    at.pop();
                    steps.extend(self::steps(&target));
                }
            }
        }
    }
    Ok(at)
}

/// Steps of a path, in reverse order.
fn steps(path: &Path) -> Vec<PathStep> {
    let steps = path.components().filter_map(|component| match component {
        Component::RootDir => Some(PathStep::Host),
        Component::ParentDir => Some(PathStep::Parent),
        Component::Normal(name) => Some(PathStep::Name(name.to_owned())),
        Component::CurDir | Component::Prefix(_) => None,
    });
    let mut steps: Vec<PathStep> = steps.collect();
    steps.reverse();
    steps
}

/// Absolute path of steps in reverse order.
fn absolute(steps: &[PathStep]) -> PathBuf {
    let mut path = PathBuf::from("/");
    for step in steps.iter().rev() {
        match step {
            PathStep::Host => path.push("/"),
            PathStep::Parent => path.push(".."),
            PathStep::Name(name) => path.push(name),
        }
    }
    path
}

/// Converts an absolute path to a path from the root; `None` if it is not below the root. The last
/// parts need not exist.
fn below(root: &Path, path: &Path) -> Option<PathBuf> {
    let mut known = path.ancestors();
    let (known, real) = known.find_map(|known| Some((known, known.canonicalize().ok()?)))?;
    let rest = path.strip_prefix(known).ok()?;
    Some(real.strip_prefix(root).ok()?.join(rest))
}
