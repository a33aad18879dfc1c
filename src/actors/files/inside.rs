//! Paths with absolute parts, of firmware's or in symbolic links, that lead to files below the root all the same.

use std::ffi::OsString;
use std::path::{Component, Path, PathBuf};

use cap_std::fs::Dir;
use mailbox_rs::Errno;

/// Links that are followed, at most. Linux has the same limit.
const MOST_LINKS: usize = 40;

/// Step of a path.
enum Step {
    /// To the host's root directory, with the steps behind it.
    Host,
    Parent,
    Name(OsString),
}

/// Path from the root, without links and absolute parts, of the file that `path` leads to. It is no permission: the file is to be opened
/// by way of `dir`, which lets no path out.
///
/// # Errors
/// `EACCES` where the path leads out of the root, which is the directory of the canonical name `root`, and `ELOOP` where it has too many
/// links.
pub(super) fn relative(dir: &Dir, root: &Path, path: &Path) -> Result<PathBuf, Errno> {
    let mut at = PathBuf::new();
    // The next step is the last one here.
    let mut steps = steps(path);
    let mut links = 0;
    while let Some(step) = steps.pop() {
        match step {
            Step::Host => {
                let below = below(root, &absolute(&steps)).ok_or(Errno::EACCES)?;
                at.clear();
                steps = self::steps(&below);
            }
            Step::Parent if at.pop() => {}
            Step::Parent => return Err(Errno::EACCES),
            Step::Name(name) => {
                at.push(name);
                // What is no link has no target.
                if let Ok(target) = dir.read_link_contents(&at) {
                    links += 1;
                    if links > MOST_LINKS {
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

/// Steps of a path, the last one first.
fn steps(path: &Path) -> Vec<Step> {
    let steps = path.components().filter_map(|component| match component {
        Component::RootDir => Some(Step::Host),
        Component::ParentDir => Some(Step::Parent),
        Component::Normal(name) => Some(Step::Name(name.to_owned())),
        Component::CurDir | Component::Prefix(_) => None,
    });
    let mut steps: Vec<Step> = steps.collect();
    steps.reverse();
    steps
}

/// Absolute path of steps, the last one first.
fn absolute(steps: &[Step]) -> PathBuf {
    let mut path = PathBuf::from("/");
    for step in steps.iter().rev() {
        match step {
            Step::Host => path.push("/"),
            Step::Parent => path.push(".."),
            Step::Name(name) => path.push(name),
        }
    }
    path
}

/// Path from the root of an absolute path, whose last parts need not exist.
fn below(root: &Path, path: &Path) -> Option<PathBuf> {
    let mut known = path.ancestors();
    let (known, real) = known.find_map(|known| Some((known, known.canonicalize().ok()?)))?;
    let rest = path.strip_prefix(known).ok()?;
    Some(real.strip_prefix(root).ok()?.join(rest))
}
